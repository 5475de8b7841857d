// Package native is the native half of LogFlux as Go values: calls of the C library, and nothing else. The
// package logflux has what applications use.
package native

import "errors"

// ErrMissing is why every call fails in a build without the native half.
var ErrMissing = errors.New(missing)

// Error is why a call failed: the details of a logflux_error.
type Error struct {
	Status  int
	Message string
	// Field is the parameter, the entry's field, the setting or the variable that is at fault.
	Field string
	// Stage is where an entry failed.
	Stage string
}

// Error gives the message.
func (e *Error) Error() string { return e.Message }

// Named is an error as the package logflux names it, which sets this.
var Named func(error) error

// Statuses that the package logflux tells apart.
const (
	StatusOK                   = 0
	StatusInvalidSecret        = 10
	StatusInvalidSetting       = 18
	StatusMessageTooLong       = 20
	StatusInvalidEntry         = 21
	StatusAuthenticationFailed = 22
	StatusMessageNotUTF8       = 23
	StatusSecretUnavailable    = 30
	StatusCAFile               = 31
	StatusSpool                = 32
	StatusTimeout              = 33
	StatusUnflushed            = 34
)

// Policy is how key derivations are spent. A kind of 0 leaves it at the default.
type Policy struct {
	Kind       uint32
	Budget     float64
	MaxEntries uint64
	MaxAgeMS   uint64
}

// Settings are what a client is made of.
type Settings struct {
	// Variables are NAME=value, each with a NUL behind it.
	Variables string
	// Secret counts where it is not empty.
	Secret string
	// Policy counts where its kind is not 0.
	Policy Policy
	// KeepNotices keeps sentences for TakeNotice.
	KeepNotices bool
}

// Flushed is what a flush or a close found.
type Flushed struct {
	Dropped, Left uint64
}

// Reasons is how many reasons of a drop there may be.
const Reasons = 16

// Stats are what became of all messages.
type Stats struct {
	Accepted, Delivered, Pending, Spooled, Requests, Retries, Bytes, DeadLetters, Derivations uint64
	Dropped                                                                                   uint64
	ByReason                                                                                  [Reasons]uint64
}

// SealerStats are what a sealer has done.
type SealerStats struct {
	Unique, Shared, Derivations, Waits, PoolLevel uint64
}

// Time is a point in time.
type Time struct {
	Seconds     int64
	Nanoseconds uint32
}

// Entry is what stands in an entry beside its payload.
type Entry struct {
	Node        string
	Level, Mode uint32
	Time        Time
}

// DatedSecret is a secret and since when it seals.
type DatedSecret struct {
	Secret string
	Since  *Time
}

// Opened is the message of an entry, or the reason why it did not open.
type Opened struct {
	Message string
	Err     error
}
