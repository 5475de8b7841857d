// The LogFlux entry format on Go's standard library. It shares no code with LogFlux.
package main

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
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
