package logflux

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/logflux/logflux/bindings/go/internal/native"
)

// Secret is the passphrase or generated key from which every key is derived: UTF-8 that is not blank, taken
// exactly as it is (PROTOCOL 3). It shows nothing of itself where it is formatted, logged or marshalled. Its memory
// is Go's own, and is not zeroed; that of the native half is.
type Secret string

// APIKey is the key that the ingest API knows a sender by: lf_ and 32 letters or digits. It shows nothing of itself.
type APIKey string

const redacted = "[redacted]"

// String is "[redacted]".
func (Secret) String() string { return redacted }

// String is "[redacted]".
func (APIKey) String() string { return redacted }

// Format writes "[redacted]", whatever the verb.
func (Secret) Format(out fmt.State, _ rune) { _, _ = io.WriteString(out, redacted) }

// Format writes "[redacted]", whatever the verb.
func (APIKey) Format(out fmt.State, _ rune) { _, _ = io.WriteString(out, redacted) }

// MarshalText gives "[redacted]".
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// MarshalText gives "[redacted]".
func (APIKey) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue is "[redacted]".
func (Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// LogValue is "[redacted]".
func (APIKey) LogValue() slog.Value { return slog.StringValue(redacted) }

// GenerateSecret makes a new secret of 256 bits from the operating system's generator, written as 64 hexadecimal
// digits.
func GenerateSecret() (Secret, error) {
	text, err := native.GenerateSecret()
	return Secret(text), wrap(err)
}

// SecretFromEnv takes the secret that the environment names by exactly one of LOGFLUX_SECRET, LOGFLUX_SECRET_FILE
// and LOGFLUX_SECRET_COMMAND, which runs for 30 s at most. No other goroutine may change the environment meanwhile.
func SecretFromEnv() (Secret, error) {
	text, err := native.SecretFromEnv()
	return Secret(text), wrap(err)
}

// Keyring is one or more secrets, the newest first, so that old entries stay readable after a rotation.
type Keyring []DatedSecret

// DatedSecret is a secret, and since when it seals; the zero time where that is not known. An entry of a secret's
// time is tried with that one first.
type DatedSecret struct {
	Secret Secret
	Since  time.Time
}

// NewKeyring is a keyring of secrets, the newest first.
func NewKeyring(newest Secret, older ...Secret) Keyring {
	keyring := Keyring{{Secret: newest}}
	for _, secret := range older {
		keyring = append(keyring, DatedSecret{Secret: secret})
	}
	return keyring
}

// variables are those of the environment that settings may have, as NAME=value with a NUL behind each.
func variables(leaveOut func(name string) bool) string {
	var block strings.Builder
	for _, variable := range os.Environ() {
		name, _, _ := strings.Cut(variable, "=")
		if strings.HasPrefix(name, "LOGFLUX_") && !leaveOut(name) {
			block.WriteString(variable)
			block.WriteByte(0)
		}
	}
	return block.String()
}
