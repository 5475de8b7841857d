module logflux.test

go 1.24

require (
	github.com/logflux/logflux/bindings/go v0.1.0
	github.com/logflux/logflux/bindings/go/zap v0.1.0
	github.com/logflux/logflux/bindings/go/zerolog v0.1.0
	github.com/rs/zerolog v1.35.1
	go.uber.org/zap v1.28.0
)
