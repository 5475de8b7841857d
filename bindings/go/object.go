package logflux

import (
	"encoding"
	"encoding/json"
	"fmt"
	"log/slog"
	"math"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// What one line may have; the rest becomes words that say so.
const (
	depthMax  = 16
	valuesMax = 10_000
	// Escaped, each byte is 6 at most, so that they fit into an entry.
	bytesMax = 120_000
	// What is longer is dropped and counted, and need not be copied for it.
	messageMax = 786_416

	unformatted = "[a value could not be formatted]"
	cut         = "…"
)

// object writes the JSON object that a line becomes: message, target, fields, exception. It never panics, and takes
// a bounded time.
type object struct {
	buffer []byte
	budget
}

// budget is what may still be written of a line.
type budget struct {
	values, bytes, depth int
}

var fresh = budget{values: valuesMax, bytes: bytesMax}

var objects = sync.Pool{New: func() any { return &object{buffer: make([]byte, 0, 1024)} }}

func newObject() *object {
	o := objects.Get().(*object)
	o.buffer, o.budget = append(o.buffer[:0], '{'), fresh
	return o
}

// end is the whole object, good until it is freed.
func (o *object) end() string {
	o.buffer = append(o.buffer, '}')
	return borrowed(o.buffer)
}

func (o *object) free() {
	if cap(o.buffer) <= 64<<10 {
		objects.Put(o)
	}
}

// comma stands before every member and element but the first.
func (o *object) comma() {
	switch o.buffer[len(o.buffer)-1] {
	case '{', '[', ':':
	default:
		o.buffer = append(o.buffer, ',')
	}
}

func (o *object) name(name string) {
	o.comma()
	o.buffer = append(appendString(o.buffer, name), ':')
}

func (o *object) message(message string) {
	o.name("message")
	o.buffer = appendString(o.buffer, message[:min(len(message), messageMax+1)])
}

// string writes a text within the budget.
func (o *object) string(text string) {
	left := max(o.bytes, 0)
	o.bytes -= len(text)
	if len(text) > left {
		for left > 0 && !utf8.RuneStart(text[left]) {
			left--
		}
		text = text[:left] + cut
	}
	o.buffer = appendString(o.buffer, text)
}

// fields writes the member of that name, of names and values as log/slog takes them.
func (o *object) fields(args []any) {
	o.name("fields")
	o.buffer = append(o.buffer, '{')
	for len(args) > 0 {
		switch arg := args[0].(type) {
		case slog.Attr:
			o.attr(arg)
			args = args[1:]
		case string:
			if len(args) == 1 {
				o.attr(slog.String("!BADKEY", arg))
				args = nil
				break
			}
			o.attr(slog.Any(arg, args[1]))
			args = args[2:]
		default:
			o.attr(slog.Any("!BADKEY", arg))
			args = args[1:]
		}
	}
	o.buffer = append(o.buffer, '}')
}

// attr writes a member. As log/slog has it, one without a name and value is left out, as is a group without members,
// and the members of a group without a name are the outer one's.
func (o *object) attr(attr slog.Attr) {
	value := o.resolve(attr.Value)
	if attr.Key == "" && value.Kind() != slog.KindGroup && value.Any() == nil {
		return
	}
	if value.Kind() == slog.KindGroup && attr.Key == "" {
		for _, member := range value.Group() {
			o.attr(member)
		}
		return
	}
	if o.values--; o.values < 0 {
		if o.values == -1 {
			o.name(cut)
			o.string(cut)
		}
		return
	}
	before := len(o.buffer)
	o.comma()
	o.string(attr.Key)
	o.buffer = append(o.buffer, ':')
	if value.Kind() == slog.KindGroup {
		at := len(o.buffer)
		o.group(value.Group())
		if len(o.buffer) == at+len("{}") {
			o.buffer = o.buffer[:before]
		}
		return
	}
	o.value(value)
}

func (o *object) group(members []slog.Attr) {
	if o.depth++; o.depth > depthMax {
		o.string(cut)
	} else {
		o.buffer = append(o.buffer, '{')
		for _, member := range members {
			o.attr(member)
		}
		o.buffer = append(o.buffer, '}')
	}
	o.depth--
}

// resolve is what a LogValuer gives.
func (o *object) resolve(value slog.Value) (resolved slog.Value) {
	if value.Kind() != slog.KindLogValuer {
		return value
	}
	defer func() {
		if recover() != nil {
			resolved = slog.StringValue(unformatted)
		}
	}()
	return value.Resolve()
}

func (o *object) value(value slog.Value) {
	switch value.Kind() {
	case slog.KindString:
		o.string(value.String())
	case slog.KindInt64:
		o.buffer = strconv.AppendInt(o.buffer, value.Int64(), 10)
	case slog.KindUint64:
		o.buffer = strconv.AppendUint(o.buffer, value.Uint64(), 10)
	case slog.KindFloat64:
		o.float(value.Float64())
	case slog.KindBool:
		o.buffer = strconv.AppendBool(o.buffer, value.Bool())
	case slog.KindDuration:
		o.string(value.Duration().String())
	case slog.KindTime:
		o.time(value.Time())
	case slog.KindGroup:
		o.group(value.Group())
	default:
		o.any(value.Any())
	}
}

func (o *object) float(value float64) {
	switch {
	case math.IsNaN(value):
		o.string("NaN")
	case math.IsInf(value, 1):
		o.string("inf")
	case math.IsInf(value, -1):
		o.string("-inf")
	default:
		o.buffer = strconv.AppendFloat(o.buffer, value, 'g', -1, 64)
	}
}

func (o *object) time(value time.Time) {
	o.buffer = append(o.buffer, '"')
	o.buffer = value.AppendFormat(o.buffer, time.RFC3339Nano)
	o.buffer = append(o.buffer, '"')
}

// any writes a value of the application's. A method of its own may panic; what it had written is taken back.
func (o *object) any(value any) {
	before, depth := len(o.buffer), o.depth
	defer func() {
		if recover() != nil {
			o.buffer, o.depth = o.buffer[:before], depth
			o.string(unformatted)
		}
	}()
	switch value := value.(type) {
	case nil:
		o.buffer = append(o.buffer, "null"...)
	case error:
		o.string(value.Error())
	case json.Marshaler:
		o.marshalled(value)
	case encoding.TextMarshaler:
		o.textOf(value)
	case fmt.Stringer:
		o.string(value.String())
	case []byte:
		o.string("[" + strconv.Itoa(len(value)) + " bytes]")
	default:
		o.reflected(reflect.ValueOf(value))
	}
}

func (o *object) marshalled(value json.Marshaler) {
	text, err := value.MarshalJSON()
	switch {
	case err != nil || !json.Valid(text):
		o.string(unformatted)
	case len(text) > max(o.bytes, 0):
		o.string(cut)
	default:
		o.bytes -= len(text)
		o.buffer = append(o.buffer, text...)
	}
}

func (o *object) textOf(value encoding.TextMarshaler) {
	text, err := value.MarshalText()
	if err != nil {
		o.string(unformatted)
		return
	}
	o.string(string(text))
}

// reflected writes a value of any kind. What is nested too deeply ends, and so does a cycle.
func (o *object) reflected(value reflect.Value) {
	switch value.Kind() {
	case reflect.Invalid:
		o.buffer = append(o.buffer, "null"...)
	case reflect.Bool:
		o.buffer = strconv.AppendBool(o.buffer, value.Bool())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		o.buffer = strconv.AppendInt(o.buffer, value.Int(), 10)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		o.buffer = strconv.AppendUint(o.buffer, value.Uint(), 10)
	case reflect.Float32, reflect.Float64:
		o.float(value.Float())
	case reflect.String:
		o.string(value.String())
	case reflect.Pointer, reflect.Interface, reflect.Map, reflect.Slice, reflect.Array, reflect.Struct:
		if o.depth++; o.depth > depthMax {
			o.string(cut)
		} else {
			o.nested(value)
		}
		o.depth--
	default:
		// A channel, a function or a complex number.
		o.string(value.Type().String())
	}
}

func (o *object) nested(value reflect.Value) {
	switch value.Kind() {
	case reflect.Pointer, reflect.Interface:
		if value.IsNil() {
			o.buffer = append(o.buffer, "null"...)
			return
		}
		o.element(value.Elem())
	case reflect.Map:
		o.buffer = append(o.buffer, '{')
		for members := value.MapRange(); members.Next() && o.isNext(); {
			o.comma()
			o.string(fmt.Sprint(members.Key().Interface()))
			o.buffer = append(o.buffer, ':')
			o.element(members.Value())
		}
		o.buffer = append(o.buffer, '}')
	case reflect.Struct:
		o.buffer = append(o.buffer, '{')
		for at := range value.NumField() {
			o.field(value.Type().Field(at), value.Field(at))
		}
		o.buffer = append(o.buffer, '}')
	default:
		o.buffer = append(o.buffer, '[')
		for at := 0; at < value.Len() && o.isNext(); at++ {
			o.comma()
			o.element(value.Index(at))
		}
		o.buffer = append(o.buffer, ']')
	}
}

// isNext says whether there is room for another value of a map or a list.
func (o *object) isNext() bool {
	o.values--
	return o.values >= 0 && o.bytes > 0
}

// field writes a member of a struct under the name that encoding/json gives it.
func (o *object) field(field reflect.StructField, value reflect.Value) {
	if !field.IsExported() {
		return
	}
	name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
	if name == "-" || strings.Contains(options, "omitempty") && value.IsZero() || !o.isNext() {
		return
	}
	if name == "" {
		name = field.Name
	}
	o.comma()
	o.string(name)
	o.buffer = append(o.buffer, ':')
	o.element(value)
}

// element writes a value with the methods that it has.
func (o *object) element(value reflect.Value) {
	if value.IsValid() && value.CanInterface() {
		o.any(value.Interface())
		return
	}
	o.reflected(value)
}

const hexDigits = "0123456789abcdef"

// appendString appends JSON's form of a text. What is not UTF-8 becomes U+FFFD.
func appendString(out []byte, text string) []byte {
	out = append(out, '"')
	begin := 0
	for at := 0; at < len(text); {
		c := text[at]
		if c >= 0x20 && c != '"' && c != '\\' && c < utf8.RuneSelf {
			at++
			continue
		}
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(text[at:])
			if r == utf8.RuneError && size == 1 {
				out = append(append(out, text[begin:at]...), "\uFFFD"...)
				begin = at + 1
			}
			at += size
			continue
		}
		out = append(out, text[begin:at]...)
		switch c {
		case '"', '\\':
			out = append(out, '\\', c)
		case '\n':
			out = append(out, '\\', 'n')
		case '\r':
			out = append(out, '\\', 'r')
		case '\t':
			out = append(out, '\\', 't')
		default:
			out = append(out, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
		at++
		begin = at
	}
	return append(append(out, text[begin:]...), '"')
}
