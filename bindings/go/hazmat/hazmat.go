// Package hazmat is for test vectors, and for nothing else: two messages under one salt and iv can both be read by
// anyone who has the two entries, and forged ones can be made.
package hazmat

import (
	"time"

	"github.com/logflux/logflux/bindings/go/internal/native"

	// It names the errors.
	_ "github.com/logflux/logflux/bindings/go"
)

// Sealing is a message, and what it is sealed with.
type Sealing struct {
	Secret   string
	Mode     uint32
	Salt, IV []byte
	Node     string
	Level    uint32
	Time     time.Time
	Message  string
}

// Seal seals a message with a salt and an iv that are given.
func Seal(what Sealing) (string, error) {
	at := native.Time{Seconds: what.Time.Unix(), Nanoseconds: uint32(what.Time.Nanosecond())}
	entry, err := native.HazmatSeal(what.Secret, what.Mode, string(what.Salt), string(what.IV), what.Node, what.Level, &at, what.Message)
	return entry, native.Named(err)
}

// DeriveKey is the 32 bytes that key the cipher of an entry with this salt.
func DeriveKey(secret string, mode uint32, salt []byte) ([]byte, error) {
	key, err := native.HazmatDerive(secret, mode, string(salt))
	return []byte(key), native.Named(err)
}
