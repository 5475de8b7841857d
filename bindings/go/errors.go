package logflux

import (
	"errors"
	"fmt"

	"github.com/logflux/logflux/bindings/go/internal/native"
)

// No error holds a secret, a message or an API key.

// ErrNoCgo is returned by a build without the native half: one without cgo, or for a platform that is not supported.
// Its text says what to do.
var ErrNoCgo = native.ErrMissing

// ErrAuthentication is in an [OpenError] where no secret opens the entry: it was sealed with another, or altered.
var ErrAuthentication = errors.New("logflux: no secret opens the entry")

type failure struct{ message string }

// Error is what was wrong, and what to do where that is known.
func (f failure) Error() string { return "logflux: " + f.message }

// SettingsError says that a setting is missing or wrong. Its text begins with the setting's name.
type SettingsError struct {
	failure
	// Setting is the field of [Config], or the variable that the value came from.
	Setting string
}

// SecretError says that a secret is not valid, or cannot be read.
type SecretError struct{ failure }

// EntryError says that an entry, or a field of one, is not valid.
type EntryError struct {
	failure
	// Stage is where it failed, in the words of the vectors; Field is the field that is at fault, if one is.
	Stage, Field string
}

// SealError says that a message was not sealed.
type SealError struct {
	failure
	// Stage is "size" where the message is too long.
	Stage string
}

// OpenError says that an entry was not opened.
type OpenError struct {
	failure
	// Stage is where it failed, in the words of the vectors: "authentication" or "utf8", for instance.
	Stage string
}

// Is says that an OpenError of the stage "authentication" is [ErrAuthentication].
func (e *OpenError) Is(target error) bool {
	return target == ErrAuthentication && e.Stage == "authentication"
}

// FlushError says that a flush or a close did not find every message delivered, or durable in the spool.
type FlushError struct {
	// Dropped is how many messages were dropped since the client was made; Left how many are still on their way.
	Dropped, Left uint64
	cause         error
}

// Error says how many.
func (e *FlushError) Error() string {
	return fmt.Sprintf("logflux: not everything was delivered: %d dropped, %d left", e.Dropped, e.Left)
}

// Unwrap is why it waited no longer, such as [context.DeadlineExceeded]; nil where it had waited for all.
func (e *FlushError) Unwrap() error { return e.cause }

// Stage is where on its way from bytes to a message an entry failed, in the words of the vectors; empty where no
// entry failed.
func Stage(err error) string {
	var (
		entry *EntryError
		open  *OpenError
		seal  *SealError
	)
	switch {
	case errors.As(err, &entry):
		return entry.Stage
	case errors.As(err, &open):
		return open.Stage
	case errors.As(err, &seal):
		return seal.Stage
	}
	return ""
}

func init() { native.Named = wrap }

// wrap is an error of the native half as one of this package.
func wrap(err error) error {
	var found *native.Error
	if !errors.As(err, &found) {
		return err
	}
	failure := failure{found.Message}
	switch found.Status {
	case native.StatusInvalidSetting:
		return &SettingsError{failure, found.Field}
	case native.StatusCAFile:
		return &SettingsError{failure, "CAFile"}
	case native.StatusSpool:
		return &SettingsError{failure, "SpoolDir"}
	case native.StatusInvalidSecret, native.StatusSecretUnavailable:
		return &SecretError{failure}
	case native.StatusAuthenticationFailed, native.StatusMessageNotUTF8:
		return &OpenError{failure, found.Stage}
	case native.StatusMessageTooLong:
		return &SealError{failure, found.Stage}
	}
	switch {
	case found.Stage != "" || isField(found.Field):
		return &EntryError{failure, found.Stage, found.Field}
	case found.Field == "secret":
		return &SecretError{failure}
	case found.Field != "":
		return &SettingsError{failure, found.Field}
	}
	return failure
}

func isField(name string) bool {
	switch name {
	case "node", "level", "loglevel", "timestamp", "mode", "salt", "iv", "payload", "entry":
		return true
	}
	return false
}
