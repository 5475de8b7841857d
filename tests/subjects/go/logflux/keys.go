// The keys of LogFlux entries on Go's standard library. It shares no code with LogFlux.
package logflux

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"unicode/utf8"
)

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

// DeriveKey gives the key of the entries with a salt, for test vectors only.
func DeriveKey(mode int, secret, salt []byte) (key []byte, err error) {
	defer catch(&err)
	need(len(salt) == 32, "size")
	key, _ = keys(mode, secret, salt)
	return key, nil
}
