package logflux

import (
	"os"
	"runtime"
	"time"

	"github.com/logflux/logflux/bindings/go/internal/native"
)

// Message is what is sealed, beside its text. What is zero is the default.
type Message struct {
	// Node is the sender's name; that of the host by default.
	Node string
	// Level is its severity, [LevelInfo] by default.
	Level Level
	// Time is when it was; now for the zero value. (The first second of the year 1 itself needs a location, such as
	// time.FixedZone("", 0).)
	Time time.Time
	// Text is any bytes; text should be UTF-8.
	Text string
}

func (m Message) node() string {
	if m.Node != "" {
		return m.Node
	}
	if name, err := os.Hostname(); err == nil && name != "" {
		return name
	}
	return "unknown"
}

func (m Message) level() uint32 {
	if m.Level == 0 {
		return uint32(LevelInfo)
	}
	return uint32(m.Level)
}

// timeOf is a time for the native half; nil for the zero value, which stands for now. The same instant in a
// location of its own is no zero value.
func timeOf(at time.Time) *native.Time {
	if at == (time.Time{}) {
		return nil
	}
	return &native.Time{Seconds: at.Unix(), Nanoseconds: uint32(at.Nanosecond())}
}

// Seal seals one message in mode 1 under a salt and a key of its own, and gives the entry's canonical JSON. It costs
// a whole key derivation, tens of milliseconds; a [Sealer] spends fewer.
func Seal(message Message, secret Secret) (string, error) {
	sealer, err := NewSealer(secret, SealerOptions{KeyPolicy: KeyPolicy{Kind: Unique}})
	if err != nil {
		return "", err
	}
	return sealer.Seal(message)
}

// SealerOptions are what a sealer may be given. What is zero is the default.
type SealerOptions struct {
	// Mode is the encryption mode, [ModePBKDF2] by default.
	Mode Mode
	// KeyPolicy is how key derivations are spent in modes 1 to 4: adaptive by default.
	KeyPolicy KeyPolicy
}

// Sealer seals messages under one secret, in one mode. Any number of goroutines may use it.
type Sealer struct{ native native.Sealer }

// NewSealer makes a sealer. Nothing is derived before the first message.
func NewSealer(secret Secret, options SealerOptions) (*Sealer, error) {
	mode := options.Mode
	if mode == 0 {
		mode = ModePBKDF2
	}
	made, err := native.NewSealer(string(secret), uint32(mode), options.KeyPolicy.native())
	if err != nil {
		return nil, wrap(err)
	}
	sealer := &Sealer{made}
	runtime.AddCleanup(sealer, native.Sealer.Free, made)
	return sealer, nil
}

// Seal seals a message, and gives the entry's canonical JSON.
func (s *Sealer) Seal(message Message) (string, error) {
	entry, err := s.native.Seal(message.node(), message.level(), timeOf(message.Time), message.Text)
	runtime.KeepAlive(s)
	return entry, wrap(err)
}

// SealerStats are what a sealer has done.
type SealerStats struct {
	// Unique is how many entries no other shares a key with, and Shared how many share theirs.
	Unique, Shared uint64
	// Derivations is how many keys were derived, and Waits how often sealing had to wait for one.
	Derivations, Waits uint64
	// PoolLevel is how many keys are derived ahead now.
	PoolLevel uint64
}

// Stats are what the sealer has done.
func (s *Sealer) Stats() SealerStats {
	found, _ := s.native.Stats()
	runtime.KeepAlive(s)
	return SealerStats(found)
}
