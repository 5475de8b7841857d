//go:build cgo && linux && amd64

package native

/*
#include "logflux.h"
*/
import "C"

import "unsafe"

// Client logs. Free ends it.
type Client struct{ handle *C.logflux_client }

// NewClient makes a client.
func NewClient(settings Settings) (Client, error) {
	if settings.Secret == "" {
		return newClient(settings, nil)
	}
	var client Client
	err := withSecret(settings.Secret, func(secret *C.logflux_secret) error {
		var err error
		client, err = newClient(settings, secret)
		return err
	})
	return client, err
}

func newClient(settings Settings, secret *C.logflux_secret) (Client, error) {
	var (
		config  *C.logflux_config
		details *C.logflux_error
		client  Client
	)
	variables := settings.Variables
	status := C.logflux_config_from_variables(chars(variables), length(variables), secret, &config, &details)
	if err := fail(status, details); err != nil {
		return client, err
	}
	defer C.logflux_config_free(config)
	if policy := policy(settings.Policy); policy != nil {
		if err := fail(C.logflux_config_set_key_policy(config, policy, &details), details); err != nil {
			return client, err
		}
	}
	status = C.logflux_config_set_keep_notices(config, C.bool(settings.KeepNotices), &details)
	if err := fail(status, details); err != nil {
		return client, err
	}
	err := fail(C.logflux_client_new(config, &client.handle, &details), details)
	return client, err
}

// Log takes a message and returns. What is wrong with it is counted.
func (c Client) Log(level uint32, message string) {
	C.logflux_client_log(c.handle, C.uint32_t(level), chars(message), length(message))
}

// LogAt takes a message of another time.
func (c Client) LogAt(level uint32, time Time, message string) {
	C.logflux_client_log_at(c.handle, C.uint32_t(level), timestamp(&time), chars(message), length(message), nil)
}

// IsEnabled says whether a message of this level would be logged.
func (c Client) IsEnabled(level uint32) bool {
	return bool(C.logflux_client_is_enabled(c.handle, C.uint32_t(level)))
}

// CloseTimeoutMS is how long closing waits, in milliseconds.
func (c Client) CloseTimeoutMS() uint64 { return uint64(C.logflux_client_close_timeout_ms(c.handle)) }

// Close flushes, and ends the client. It waits for this many milliseconds at most.
func (c Client) Close(ms uint64) (Flushed, error) {
	var details *C.logflux_error
	return flushed(C.logflux_client_close(c.handle, C.uint64_t(ms), &details), details)
}

// Flush waits for this many milliseconds at most.
func (c Client) Flush(ms uint64) (Flushed, error) {
	var details *C.logflux_error
	return flushed(C.logflux_client_flush(c.handle, C.uint64_t(ms), &details), details)
}

// Free ends the client for good.
func (c Client) Free() { C.logflux_client_free(c.handle) }

func flushed(status C.logflux_status, details *C.logflux_error) (Flushed, error) {
	switch status {
	case C.LOGFLUX_STATUS_TIMEOUT, C.LOGFLUX_STATUS_UNFLUSHED:
		defer C.logflux_error_free(details)
		found := Flushed{
			Dropped: uint64(C.logflux_error_dropped(details)),
			Left:    uint64(C.logflux_error_left(details)),
		}
		if found == (Flushed{}) {
			// Where it waits for nothing, it may not know how many are left.
			found.Left = 1
		}
		return found, nil
	}
	return Flushed{}, fail(status, details)
}

// Ticket is a flush that has begun.
type Ticket struct{ handle *C.logflux_flush_ticket }

// BeginFlush begins to flush.
func (c Client) BeginFlush() (Ticket, error) {
	var (
		ticket  Ticket
		details *C.logflux_error
	)
	err := fail(C.logflux_client_flush_begin(c.handle, &ticket.handle, &details), details)
	return ticket, err
}

// IsDone says whether everything before it is delivered, durable or dropped.
func (t Ticket) IsDone() bool { return bool(C.logflux_flush_ticket_is_done(t.handle)) }

// Answer is what is known now.
func (t Ticket) Answer() (Flushed, error) {
	var details *C.logflux_error
	return flushed(C.logflux_flush_ticket_wait(t.handle, 0, &details), details)
}

// Free forgets the ticket; the flush goes on.
func (t Ticket) Free() { C.logflux_flush_ticket_free(t.handle) }

// Stats are the counts of one moment.
func (c Client) Stats() (Stats, error) {
	var (
		found   C.logflux_client_stats
		details *C.logflux_error
	)
	status := C.logflux_client_get_stats(c.handle, &found, C.size_t(unsafe.Sizeof(found)), &details)
	if err := fail(status, details); err != nil {
		return Stats{}, err
	}
	stats := Stats{
		Accepted:    uint64(found.accepted),
		Delivered:   uint64(found.delivered),
		Pending:     uint64(found.pending),
		Spooled:     uint64(found.spooled),
		Requests:    uint64(found.requests),
		Retries:     uint64(found.retries),
		Bytes:       uint64(found.bytes),
		DeadLetters: uint64(found.dead_letters),
		Derivations: uint64(found.derivations),
		Dropped:     uint64(found.dropped.total),
	}
	for reason, count := range found.dropped.by_reason {
		stats.ByReason[reason] = uint64(count)
	}
	return stats, nil
}

// LastFailure is what failed last; empty where nothing has.
func (c Client) LastFailure() (string, error) {
	return filled(func(out *C.logflux_buffer, details **C.logflux_error) C.logflux_status {
		return C.logflux_client_last_failure(c.handle, out, details)
	})
}

// TakeNotice returns the oldest notice that was not taken yet, or an empty text.
func (c Client) TakeNotice() (string, error) {
	return filled(func(out *C.logflux_buffer, details **C.logflux_error) C.logflux_status {
		return C.logflux_client_take_notice(c.handle, out, details)
	})
}

// RotateSecret seals with another secret from now on.
func (c Client) RotateSecret(secret string) error {
	return withSecret(secret, func(secret *C.logflux_secret) error {
		var details *C.logflux_error
		return fail(C.logflux_client_rotate_secret(c.handle, secret, &details), details)
	})
}

// RotateAPIKey makes requests with another key.
func (c Client) RotateAPIKey(key string) error {
	var details *C.logflux_error
	return fail(C.logflux_client_rotate_api_key(c.handle, chars(key), length(key), &details), details)
}

// RotateCAFile trusts the authorities of another file.
func (c Client) RotateCAFile(path string) error {
	var details *C.logflux_error
	return fail(C.logflux_client_rotate_ca_file(c.handle, chars(path), length(path), &details), details)
}
