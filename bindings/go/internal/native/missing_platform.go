//go:build cgo && !(linux && amd64)

package native

import "runtime"

const missing = "logflux: there is no native half for " + runtime.GOOS + "/" + runtime.GOARCH + " yet, so that nothing is logged: only linux/amd64 is supported"
