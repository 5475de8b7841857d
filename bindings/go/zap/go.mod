module github.com/logflux/logflux/bindings/go/zap

go 1.24

require (
	github.com/logflux/logflux/bindings/go v0.1.0
	go.uber.org/zap v1.28.0
)

require (
	github.com/logflux/logflux/bindings/go/lib/linux-amd64 v0.1.0 // indirect
	go.uber.org/multierr v1.10.0 // indirect
)
