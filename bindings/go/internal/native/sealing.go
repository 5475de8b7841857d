//go:build cgo && linux && amd64

package native

/*
#include "logflux.h"
*/
import "C"

import "unsafe"

// Sealer seals. Free ends it.
type Sealer struct{ handle *C.logflux_sealer }

// NewSealer makes a sealer.
func NewSealer(secret string, mode uint32, given Policy) (Sealer, error) {
	var sealer Sealer
	err := withSecret(secret, func(secret *C.logflux_secret) error {
		var details *C.logflux_error
		status := C.logflux_sealer_new(secret, C.uint32_t(mode), policy(given), &sealer.handle, &details)
		return fail(status, details)
	})
	return sealer, err
}

// Seal is the entry of a message.
func (s Sealer) Seal(node string, level uint32, time *Time, message string) (string, error) {
	return filled(func(out *C.logflux_buffer, details **C.logflux_error) C.logflux_status {
		return C.logflux_sealer_seal(s.handle, chars(node), length(node), C.uint32_t(level), timestamp(time),
			chars(message), length(message), out, details)
	})
}

// Stats are what the sealer has done.
func (s Sealer) Stats() (SealerStats, error) {
	var (
		found   C.logflux_sealer_stats
		details *C.logflux_error
	)
	status := C.logflux_sealer_get_stats(s.handle, &found, C.size_t(unsafe.Sizeof(found)), &details)
	if err := fail(status, details); err != nil {
		return SealerStats{}, err
	}
	return SealerStats{
		Unique:      uint64(found.unique),
		Shared:      uint64(found.shared),
		Derivations: uint64(found.derivations),
		Waits:       uint64(found.waits),
		PoolLevel:   uint64(found.pool_level),
	}, nil
}

// Free ends the sealer.
func (s Sealer) Free() { C.logflux_sealer_free(s.handle) }

// HazmatSeal seals with a salt and an iv that are given.
func HazmatSeal(secret string, mode uint32, salt, iv, node string, level uint32, time *Time, message string) (string, error) {
	var entry string
	err := withSecret(secret, func(secret *C.logflux_secret) error {
		var err error
		entry, err = filled(func(out *C.logflux_buffer, details **C.logflux_error) C.logflux_status {
			return C.logflux_hazmat_seal_with_salt_and_iv(secret, C.uint32_t(mode), bytes(salt), length(salt),
				bytes(iv), length(iv), chars(node), length(node), C.uint32_t(level), timestamp(time),
				chars(message), length(message), out, details)
		})
		return err
	})
	return entry, err
}

// HazmatDerive is the key of a salt.
func HazmatDerive(secret string, mode uint32, salt string) (string, error) {
	var key string
	err := withSecret(secret, func(secret *C.logflux_secret) error {
		var err error
		key, err = filled(func(out *C.logflux_buffer, details **C.logflux_error) C.logflux_status {
			return C.logflux_hazmat_derive_key(secret, C.uint32_t(mode), bytes(salt), length(salt), out, details)
		})
		return err
	})
	return key, err
}

func bytes(text string) *C.uint8_t { return (*C.uint8_t)(unsafe.Pointer(unsafe.StringData(text))) }
