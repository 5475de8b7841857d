//go:build cgo && linux && amd64

package native

/*
#include <stdlib.h>
#include "logflux.h"
*/
import "C"

import "unsafe"

// Opener opens. Free ends it.
type Opener struct{ handle *C.logflux_opener }

// NewOpener makes an opener of secrets, the newest first. 0 keys or threads are the default.
func NewOpener(secrets []DatedSecret, keys, threads uint) (Opener, error) {
	var (
		opener  Opener
		keyring *C.logflux_keyring
	)
	for _, dated := range secrets {
		err := withSecret(dated.Secret, func(secret *C.logflux_secret) error {
			var details *C.logflux_error
			if keyring == nil {
				return fail(C.logflux_keyring_new(secret, timestamp(dated.Since), &keyring, &details), details)
			}
			status := C.logflux_keyring_add_older(keyring, secret, timestamp(dated.Since), &details)
			return fail(status, details)
		})
		if err != nil {
			C.logflux_keyring_free(keyring)
			return opener, err
		}
	}
	defer C.logflux_keyring_free(keyring)
	var details *C.logflux_error
	status := C.logflux_opener_new(keyring, C.size_t(keys), C.size_t(threads), &opener.handle, &details)
	return opener, fail(status, details)
}

// Open is the message of an entry, of any bytes or of UTF-8 alone.
func (o Opener) Open(entry string, anyBytes bool) (string, error) {
	return filled(func(out *C.logflux_buffer, details **C.logflux_error) C.logflux_status {
		if anyBytes {
			return C.logflux_opener_open_bytes(o.handle, chars(entry), length(entry), out, details)
		}
		return C.logflux_opener_open(o.handle, chars(entry), length(entry), out, details)
	})
}

// OpenMany opens entries together, and gives what came of each.
func (o Opener) OpenMany(entries []string) ([]Opened, error) {
	if len(entries) == 0 {
		return nil, nil
	}
	// C may not be given Go memory that points to other Go memory, so it gets one copy of all.
	total := 0
	for _, entry := range entries {
		total += len(entry)
	}
	copied := C.malloc(C.size_t(total + 1))
	defer C.free(copied)
	table := C.malloc(C.size_t(len(entries)) * C.size_t(unsafe.Sizeof(C.logflux_slice{})))
	defer C.free(table)
	slices := unsafe.Slice((*C.logflux_slice)(table), len(entries))
	place := unsafe.Slice((*byte)(copied), total+1)
	for i, entry := range entries {
		slices[i] = C.logflux_slice{data: (*C.char)(unsafe.Pointer(&place[0])), length: length(entry)}
		place = place[copy(place, entry):]
	}
	var (
		opened  *C.logflux_opened
		details *C.logflux_error
	)
	status := C.logflux_opener_open_many(o.handle, &slices[0], C.size_t(len(entries)), &opened, &details)
	if err := fail(status, details); err != nil {
		return nil, err
	}
	defer C.logflux_opened_free(opened)
	results := make([]Opened, len(entries))
	for i := range results {
		var (
			data    *C.char
			size    C.size_t
			details *C.logflux_error
		)
		status := C.logflux_opened_message(opened, C.size_t(i), &data, &size, &details)
		if results[i].Err = fail(status, details); results[i].Err == nil {
			results[i].Message = text(data, size)
		}
	}
	return results, nil
}

// Free ends the opener.
func (o Opener) Free() { C.logflux_opener_free(o.handle) }

// ParseEntry reads an entry without a secret.
func ParseEntry(entry string) (Entry, error) {
	var (
		found   Entry
		handle  *C.logflux_entry
		details *C.logflux_error
	)
	if err := fail(C.logflux_entry_parse(chars(entry), length(entry), &handle, &details), details); err != nil {
		return found, err
	}
	defer C.logflux_entry_free(handle)
	var (
		data *C.char
		size C.size_t
		time C.logflux_timestamp
	)
	if err := fail(C.logflux_entry_node(handle, &data, &size, &details), details); err != nil {
		return found, err
	}
	if err := fail(C.logflux_entry_timestamp(handle, &time, &details), details); err != nil {
		return found, err
	}
	return Entry{
		Node:  text(data, size),
		Level: uint32(C.logflux_entry_level(handle)),
		Mode:  uint32(C.logflux_entry_mode(handle)),
		Time:  Time{Seconds: int64(time.seconds), Nanoseconds: uint32(time.nanoseconds)},
	}, nil
}
