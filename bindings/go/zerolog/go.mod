module github.com/logflux/logflux/bindings/go/zerolog

go 1.24

require (
	github.com/logflux/logflux/bindings/go v0.1.0
	github.com/rs/zerolog v1.35.1
)

require (
	github.com/logflux/logflux/bindings/go/lib/linux-amd64 v0.1.0 // indirect
	github.com/mattn/go-colorable v0.1.14 // indirect
	github.com/mattn/go-isatty v0.0.20 // indirect
	golang.org/x/sys v0.29.0 // indirect
)
