// The LogFlux entry format on Go's standard library. It shares no code with LogFlux.
package logflux

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Modes are those that are here: the standard library has neither scrypt nor Argon2, which modes 2
// to 4 need.
var Modes = []int{1, 128}

const payloadMax = 786_432

// Entry is a sealed message, and what travels beside it.
type Entry struct {
	Metadata
	time              time.Time
	iv, salt, payload []byte
}

// Metadata is what an entry says in clear.
type Metadata struct {
	Node, Timestamp string
	Level, Mode     int
}

var timeForm = regexp.MustCompile(`^(\d{4})-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$`)

// check is what reading and sealing have in common.
func (e *Entry) check() {
	need(e.Mode == 1 || e.Mode == 2 || e.Mode == 3 || e.Mode == 4 || e.Mode == 128, "mode")
	length := utf8.RuneCountInString(e.Node)
	need(length >= 1 && length <= 255 && strings.IndexFunc(e.Node, unicode.IsControl) < 0, "field")
	need(e.Level >= 1 && e.Level <= 8, "field")
	moment, err := time.Parse(time.RFC3339Nano, e.Timestamp)
	need(err == nil && timeForm.MatchString(e.Timestamp), "field")
	e.time = moment.UTC()
	need(e.time.Year() >= 1 && e.time.Year() <= 9999 && e.Timestamp[:4] != "0000", "field")
}

// Parse reads an entry.
func Parse(data []byte) (e *Entry, err error) {
	defer catch(&err)
	fields := readObject(data)
	text := func(name string) string {
		value, ok := fields[name].(string)
		need(ok, "field")
		return value
	}
	number := func(name string) int {
		value, ok := fields[name].(json.Number)
		need(ok && !strings.ContainsAny(string(value), ".eE"), "field")
		n, err := strconv.Atoi(string(value))
		if err != nil {
			return -1
		}
		return n
	}
	e = &Entry{Metadata: Metadata{
		Node: text("node"), Level: number("loglevel"), Timestamp: text("timestamp"), Mode: number("encryption_mode"),
	}}
	encoded := []string{text("iv"), text("salt"), text("payload")}
	e.check()
	for i, to := range []*[]byte{&e.iv, &e.salt, &e.payload} {
		decoded, err := base64.StdEncoding.Strict().DecodeString(encoded[i])
		need(err == nil && !strings.ContainsAny(encoded[i], "\r\n"), "base64")
		*to = decoded
	}
	shortest := 16
	if e.Mode == 128 {
		shortest = 48
	}
	need(len(e.iv) == 12 && len(e.salt) == 32 && len(e.payload) >= shortest && len(e.payload) <= payloadMax, "size")
	return e, nil
}

func (e *Entry) cipher(key []byte) (cipher.AEAD, []byte) {
	block, _ := aes.NewCipher(key)
	gcm, _ := cipher.NewGCM(block)
	if e.Mode != 128 {
		return gcm, nil
	}
	var data bytes.Buffer
	data.WriteString("logflux/128")
	data.WriteByte(byte(e.Level))
	binary.Write(&data, binary.BigEndian, e.time.Unix())
	binary.Write(&data, binary.BigEndian, uint32(e.time.Nanosecond()))
	binary.Write(&data, binary.BigEndian, uint16(len(e.Node)))
	data.WriteString(e.Node)
	return gcm, data.Bytes()
}

// Open gives the message of an entry.
func Open(data, secret []byte) (message []byte, err error) {
	defer catch(&err)
	e, err := Parse(data)
	if err != nil {
		return nil, err
	}
	key, commitment := keys(e.Mode, secret, e.salt)
	need(hmac.Equal(e.payload[:len(commitment)], commitment), "authentication")
	gcm, aad := e.cipher(key)
	message, err = gcm.Open(nil, e.iv, e.payload[len(commitment):], aad)
	need(err == nil, "authentication")
	need(utf8.Valid(message), "utf8")
	return message, nil
}
