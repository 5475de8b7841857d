// Sealing on Go's standard library. It shares no code with LogFlux.
package logflux

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"strings"
)

// epoch is the half of the salt that this process has in every entry of mode 128.
var epoch = fresh(16)

func fresh(length int) []byte {
	drawn := make([]byte, length)
	if _, err := rand.Read(drawn); err != nil {
		panic(err)
	}
	return drawn
}

// Seal gives the canonical entry of a message, with a fresh salt and iv.
func Seal(secret, message []byte, about Metadata) ([]byte, error) {
	salt := fresh(32)
	if about.Mode == 128 {
		copy(salt, epoch)
	}
	return SealWith(secret, message, about, salt, fresh(12))
}

// SealWith seals with a salt and iv that are given, for test vectors only.
func SealWith(secret, message []byte, about Metadata, salt, iv []byte) (sealed []byte, err error) {
	defer catch(&err)
	e := &Entry{Metadata: about, salt: salt, iv: iv}
	e.check()
	need(len(iv) == 12 && len(salt) == 32, "size")
	key, commitment := keys(e.Mode, secret, salt)
	need(len(message) <= payloadMax-16-len(commitment), "size")
	gcm, aad := e.cipher(key)
	e.payload = gcm.Seal(commitment, iv, message, aad)
	return e.write(), nil
}

func (e *Entry) write() []byte {
	var fraction string
	if nanos := fmt.Sprintf("%09d", e.time.Nanosecond()); nanos != "000000000" {
		for fraction = nanos; strings.HasSuffix(fraction, "000"); {
			fraction = fraction[:len(fraction)-3]
		}
		fraction = "." + fraction
	}
	base := base64.StdEncoding.EncodeToString
	return []byte(fmt.Sprintf(`{"node":%s,"payload":"%s","loglevel":%d,"timestamp":"%s%sZ","encryption_mode":%d,"iv":"%s","salt":"%s"}`,
		quoted(e.Node), base(e.payload), e.Level, e.time.Format("2006-01-02T15:04:05"), fraction, e.Mode, base(e.iv), base(e.salt)))
}
