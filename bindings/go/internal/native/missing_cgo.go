//go:build !cgo

package native

const missing = "logflux: this program was built without cgo, so that it has no native half and logs nothing: build it with CGO_ENABLED=1 and a C compiler"
