//go:build cgo && linux && amd64

package native

/*
#include "logflux.h"

#cgo noescape logflux_client_log
#cgo nocallback logflux_client_log
#cgo noescape logflux_client_log_at
#cgo nocallback logflux_client_log_at
#cgo nocallback logflux_client_is_enabled
*/
import "C"

import (
	"unsafe"

	// The native half itself.
	_ "github.com/logflux/logflux/bindings/go/lib/linux-amd64"
)

// chars is where a text begins. C reads no further than the length that goes with it.
func chars(text string) *C.char { return (*C.char)(unsafe.Pointer(unsafe.StringData(text))) }

func length(text string) C.size_t { return C.size_t(len(text)) }

// fail is the error of a call that gave this status.
func fail(status C.logflux_status, details *C.logflux_error) error {
	if status == C.LOGFLUX_STATUS_OK {
		return nil
	}
	if details == nil {
		return &Error{Status: int(status), Message: C.GoString(C.logflux_status_text(C.int32_t(status)))}
	}
	defer C.logflux_error_free(details)
	return &Error{
		Status:  int(status),
		Message: C.GoString(C.logflux_error_message(details)),
		Field:   C.GoString(C.logflux_error_field(details)),
		Stage:   C.GoString(C.logflux_error_stage(details)),
	}
}

// filled is what a call appends to a buffer.
func filled(call func(out *C.logflux_buffer, details **C.logflux_error) C.logflux_status) (string, error) {
	buffer := C.logflux_buffer_new()
	defer C.logflux_buffer_free(buffer)
	var details *C.logflux_error
	if err := fail(call(buffer, &details), details); err != nil {
		return "", err
	}
	return text(C.logflux_buffer_data(buffer), C.logflux_buffer_length(buffer)), nil
}

// text copies what C has. C.GoStringN takes an int32.
func text(data *C.char, length C.size_t) string {
	return string(unsafe.Slice((*byte)(unsafe.Pointer(data)), int(length)))
}

func timestamp(time *Time) *C.logflux_timestamp {
	if time == nil {
		return nil
	}
	return &C.logflux_timestamp{seconds: C.int64_t(time.Seconds), nanoseconds: C.uint32_t(time.Nanoseconds)}
}

func policy(given Policy) *C.logflux_key_policy {
	if given.Kind == 0 {
		return nil
	}
	return &C.logflux_key_policy{
		kind:        C.uint32_t(given.Kind),
		budget:      C.double(given.Budget),
		max_entries: C.uint64_t(given.MaxEntries),
		max_age_ms:  C.uint64_t(given.MaxAgeMS),
	}
}

// withSecret hands a secret to a call, and frees it.
func withSecret(secret string, call func(*C.logflux_secret) error) error {
	var (
		handle  *C.logflux_secret
		details *C.logflux_error
	)
	if err := fail(C.logflux_secret_new(chars(secret), length(secret), &handle, &details), details); err != nil {
		return err
	}
	defer C.logflux_secret_free(handle)
	return call(handle)
}

func exposed(handle *C.logflux_secret) (string, error) {
	defer C.logflux_secret_free(handle)
	var (
		data    *C.char
		size    C.size_t
		details *C.logflux_error
	)
	err := fail(C.logflux_secret_expose(handle, &data, &size, &details), details)
	if err != nil {
		return "", err
	}
	return text(data, size), nil
}

// GenerateSecret makes a new secret.
func GenerateSecret() (string, error) {
	var (
		handle  *C.logflux_secret
		details *C.logflux_error
	)
	if err := fail(C.logflux_secret_generate(&handle, &details), details); err != nil {
		return "", err
	}
	return exposed(handle)
}

// SecretFromEnv is the secret that the environment names.
func SecretFromEnv() (string, error) {
	var (
		handle  *C.logflux_secret
		details *C.logflux_error
	)
	if err := fail(C.logflux_secret_from_env(&handle, &details), details); err != nil {
		return "", err
	}
	return exposed(handle)
}

// AfterRestore says that this process was restored from a snapshot.
func AfterRestore() { C.logflux_after_restore() }

// Version is that of the library.
func Version() string { return C.GoString(C.logflux_version()) }
