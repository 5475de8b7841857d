//go:build cgo && linux && amd64

// Package linux_amd64 holds the native half of LogFlux for Linux on amd64 with glibc. Import
// github.com/logflux/logflux/bindings/go, which imports this one.
package linux_amd64

// #cgo LDFLAGS: ${SRCDIR}/liblogflux.a -lm -ldl -lpthread
import "C"
