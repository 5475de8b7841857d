module github.com/logflux/logflux/bindings/go

go 1.24

require github.com/logflux/logflux/bindings/go/lib/linux-amd64 v0.1.0
