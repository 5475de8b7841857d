//go:build cgo && linux && amd64

package native

const missing = ""
