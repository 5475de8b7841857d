module logflux.example/subject
go 1.24
require github.com/logflux/logflux/bindings/go v0.1.0
