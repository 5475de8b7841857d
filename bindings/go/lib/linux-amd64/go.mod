module github.com/logflux/logflux/bindings/go/lib/linux-amd64

go 1.24
