package logflux

import (
	"context"
	"runtime"
	"time"

	"github.com/logflux/logflux/bindings/go/internal/native"
)

// Open opens one entry of UTF-8 text, the JSON of it, and gives its message. It costs a whole key derivation; an
// [Opener] remembers keys. The error is an [EntryError] where the JSON is no entry, and an [OpenError] where no
// secret opens it.
func Open(entry string, secret Secret) (string, error) {
	opener, err := NewOpener(NewKeyring(secret), OpenerOptions{Threads: 1})
	if err != nil {
		return "", err
	}
	return opener.Open(entry)
}

// OpenMany opens entries together with one secret. See [Opener.OpenMany].
func OpenMany(ctx context.Context, entries []string, secret Secret) ([]Opened, error) {
	opener, err := NewOpener(NewKeyring(secret), OpenerOptions{})
	if err != nil {
		return nil, err
	}
	return opener.OpenMany(ctx, entries)
}

// OpenerOptions are what an opener may be given. What is zero is the default.
type OpenerOptions struct {
	// Keys is how many keys it remembers, 4,096 by default.
	Keys uint
	// Threads is how many threads OpenMany may use, 256 at most; one per core by default.
	Threads uint
}

// Opener opens entries with the secrets of a keyring, and remembers keys. Any number of goroutines may use it.
type Opener struct{ native native.Opener }

// NewOpener makes an opener.
func NewOpener(keyring Keyring, options OpenerOptions) (*Opener, error) {
	if len(keyring) == 0 {
		return nil, &SecretError{failure{"a keyring needs a secret"}}
	}
	secrets := make([]native.DatedSecret, len(keyring))
	for at, dated := range keyring {
		secrets[at] = native.DatedSecret{Secret: string(dated.Secret), Since: timeOf(dated.Since)}
	}
	made, err := native.NewOpener(secrets, options.Keys, options.Threads)
	if err != nil {
		return nil, wrap(err)
	}
	opener := &Opener{made}
	runtime.AddCleanup(opener, native.Opener.Free, made)
	return opener, nil
}

// Open opens one entry of UTF-8 text.
func (o *Opener) Open(entry string) (string, error) {
	message, err := o.native.Open(entry, false)
	runtime.KeepAlive(o)
	return message, wrap(err)
}

// OpenBytes opens one entry whatever its message's bytes are.
func (o *Opener) OpenBytes(entry string) ([]byte, error) {
	message, err := o.native.Open(entry, true)
	runtime.KeepAlive(o)
	if err != nil {
		return nil, wrap(err)
	}
	return []byte(message), nil
}

// Opened is the message of an entry, or the reason why it did not open.
type Opened struct {
	Message string
	Err     error
}

// manyAtOnce is how many entries are opened before the context is looked at.
const manyAtOnce = 4096

// OpenMany opens many entries of UTF-8 text together: the keys of all distinct salts are derived at once, on all
// cores. One that fails stands beside the others: there is a result for each, in their order. Where the context
// ends, it gives those that were opened until then, and the context's error.
func (o *Opener) OpenMany(ctx context.Context, entries []string) ([]Opened, error) {
	defer runtime.KeepAlive(o)
	results := make([]Opened, 0, len(entries))
	for len(entries) > 0 {
		if err := context.Cause(ctx); err != nil {
			return results, err
		}
		some := entries[:min(len(entries), manyAtOnce)]
		entries = entries[len(some):]
		opened, err := o.native.OpenMany(some)
		if err != nil {
			return results, wrap(err)
		}
		for _, one := range opened {
			results = append(results, Opened{Message: one.Message, Err: wrap(one.Err)})
		}
	}
	return results, nil
}

// Entry is what stands in an entry beside its payload, for everybody to read.
type Entry struct {
	Node  string
	Level Level
	Mode  Mode
	Time  time.Time
}

// ParseEntry reads the JSON of one entry without a secret, as an [Opener] does: strictly, but fields that no entry
// has are ignored.
func ParseEntry(entry string) (Entry, error) {
	found, err := native.ParseEntry(entry)
	if err != nil {
		return Entry{}, wrap(err)
	}
	at := time.Unix(found.Time.Seconds, int64(found.Time.Nanoseconds)).UTC()
	return Entry{Node: found.Node, Level: Level(found.Level), Mode: Mode(found.Mode), Time: at}, nil
}
