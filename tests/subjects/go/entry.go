// The LogFlux entry format on Go's standard library. It shares no code with LogFlux.
package main

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// The standard library has neither scrypt nor Argon2, which modes 2 to 4 need.
var modes = []int{1, 128}

const payloadMax = 786_432

// refused says at which stage something was refused; the empty one is none.
type refused string

func (r refused) Error() string { return "refused at stage " + string(r) }

type entry struct {
	node, timestamp   string
	level, mode       int
	time              time.Time
	iv, salt, payload []byte
}

func need(so bool, stage refused) {
	if !so {
		panic(stage)
	}
}

var timeForm = regexp.MustCompile(`^(\d{4})-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$`)

// check is what reading and sealing have in common.
func (e *entry) check() {
	need(e.mode == 1 || e.mode == 2 || e.mode == 3 || e.mode == 4 || e.mode == 128, "mode")
	length := utf8.RuneCountInString(e.node)
	need(length >= 1 && length <= 255 && strings.IndexFunc(e.node, unicode.IsControl) < 0, "field")
	need(e.level >= 1 && e.level <= 8, "field")
	moment, err := time.Parse(time.RFC3339Nano, e.timestamp)
	need(err == nil && timeForm.MatchString(e.timestamp), "field")
	e.time = moment.UTC()
	need(e.time.Year() >= 1 && e.time.Year() <= 9999 && e.timestamp[:4] != "0000", "field")
}

// readObject reads one JSON object; the fields within others only need to be distinct.
func readObject(data []byte) map[string]any {
	need(utf8.Valid(data) && !halfSurrogate(data), "json")
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	read := readValue(decoder, 0)
	_, err := decoder.Token()
	object, ok := read.(map[string]any)
	need(err == io.EOF && ok, "json")
	return object
}

func readValue(decoder *json.Decoder, depth int) any {
	token, err := decoder.Token()
	need(err == nil && depth < 1000, "json")
	switch token {
	case json.Delim('{'):
		object := map[string]any{}
		for decoder.More() {
			key, err := decoder.Token()
			name, ok := key.(string)
			need(err == nil && ok, "json")
			_, twice := object[name]
			need(!twice, "json")
			object[name] = readValue(decoder, depth+1)
		}
		_, err = decoder.Token()
		need(err == nil, "json")
		return object
	case json.Delim('['):
		for decoder.More() {
			readValue(decoder, depth+1)
		}
		_, err = decoder.Token()
		need(err == nil, "json")
		return nil
	}
	return token
}

var surrogates = regexp.MustCompile(`\\(u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[dD][89a-fA-F][0-9a-fA-F]{2}|.)`)

// halfSurrogate finds the escapes that Go would replace in silence.
func halfSurrogate(data []byte) bool {
	for _, escape := range surrogates.FindAll(data, -1) {
		if len(escape) == 6 {
			return true
		}
	}
	return false
}

func parse(data []byte) *entry {
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
	e := &entry{node: text("node"), level: number("loglevel"), timestamp: text("timestamp"), mode: number("encryption_mode")}
	encoded := []string{text("iv"), text("salt"), text("payload")}
	e.check()
	for i, to := range []*[]byte{&e.iv, &e.salt, &e.payload} {
		decoded, err := base64.StdEncoding.Strict().DecodeString(encoded[i])
		need(err == nil && !strings.ContainsAny(encoded[i], "\r\n"), "base64")
		*to = decoded
	}
	shortest := 16
	if e.mode == 128 {
		shortest = 48
	}
	need(len(e.iv) == 12 && len(e.salt) == 32 && len(e.payload) >= shortest && len(e.payload) <= payloadMax, "size")
	return e
}

func hmacSHA256(key []byte, parts ...[]byte) []byte {
	mac := hmac.New(sha256.New, key)
	for _, part := range parts {
		mac.Write(part)
	}
	return mac.Sum(nil)
}

var known = map[string][]byte{}

// pbkdf2 is one block of 600,000 iterations; Go has it only since 1.24.
func pbkdf2(secret, salt []byte) []byte {
	name := fmt.Sprintf("%x %x", secret, salt)
	if key, ok := known[name]; ok {
		return key
	}
	mac := hmac.New(sha256.New, secret)
	mac.Write(salt)
	mac.Write([]byte{0, 0, 0, 1})
	u := mac.Sum(nil)
	key := append([]byte(nil), u...)
	for n := 1; n < 600_000; n++ {
		mac.Reset()
		mac.Write(u)
		u = mac.Sum(u[:0])
		for i := range key {
			key[i] ^= u[i]
		}
	}
	known[name] = key
	return key
}

// keys gives the key of an entry, and its commitment, which is empty but in mode 128.
func keys(mode int, secret, salt []byte) (key, commitment []byte) {
	need(utf8.Valid(secret) && len(bytes.TrimSpace(secret)) > 0, "")
	if mode != 128 {
		return pbkdf2(secret, salt), nil
	}
	epoch := pbkdf2(secret, append([]byte("logflux/128/epoch"), salt[:16]...))
	info := append([]byte("logflux/128/entry"), salt[16:]...)
	key = hmacSHA256(epoch, info, []byte{1})
	return key, hmacSHA256(epoch, key, info, []byte{2})
}

func (e *entry) cipher(key []byte) (cipher.AEAD, []byte) {
	block, _ := aes.NewCipher(key)
	gcm, _ := cipher.NewGCM(block)
	if e.mode != 128 {
		return gcm, nil
	}
	var data bytes.Buffer
	data.WriteString("logflux/128")
	data.WriteByte(byte(e.level))
	binary.Write(&data, binary.BigEndian, e.time.Unix())
	binary.Write(&data, binary.BigEndian, uint32(e.time.Nanosecond()))
	binary.Write(&data, binary.BigEndian, uint16(len(e.node)))
	data.WriteString(e.node)
	return gcm, data.Bytes()
}

func open(data, secret []byte) []byte {
	e := parse(data)
	key, commitment := keys(e.mode, secret, e.salt)
	need(hmac.Equal(e.payload[:len(commitment)], commitment), "authentication")
	gcm, aad := e.cipher(key)
	message, err := gcm.Open(nil, e.iv, e.payload[len(commitment):], aad)
	need(err == nil, "authentication")
	need(utf8.Valid(message), "utf8")
	return message
}

func (e *entry) seal(secret, message []byte) []byte {
	e.check()
	need(len(e.iv) == 12 && len(e.salt) == 32, "size")
	key, commitment := keys(e.mode, secret, e.salt)
	need(len(message) <= payloadMax-16-len(commitment), "size")
	gcm, aad := e.cipher(key)
	payload := gcm.Seal(commitment, e.iv, message, aad)
	var fraction string
	if nanos := fmt.Sprintf("%09d", e.time.Nanosecond()); nanos != "000000000" {
		for fraction = nanos; strings.HasSuffix(fraction, "000"); {
			fraction = fraction[:len(fraction)-3]
		}
		fraction = "." + fraction
	}
	base := base64.StdEncoding.EncodeToString
	return []byte(fmt.Sprintf(`{"node":%s,"payload":"%s","loglevel":%d,"timestamp":"%s%sZ","encryption_mode":%d,"iv":"%s","salt":"%s"}`,
		quoted(e.node), base(payload), e.level, e.time.Format("2006-01-02T15:04:05"), fraction, e.mode, base(e.iv), base(e.salt)))
}

// quoted writes a node, which has no control characters.
func quoted(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text) + `"`
}
