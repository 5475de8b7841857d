#!/usr/bin/env bash
# What gofmt and `go vet` find is an error. Without the native half, which `build.sh` builds, it vets the package
# that is built without cgo.
set -euo pipefail
cd "$(dirname "$0")"
unformatted=$(gofmt -l . ../../tests/subjects/go_sdk)
[ -z "$unformatted" ] || { echo "error: not formatted (gofmt -w): $unformatted" >&2; exit 1; }
CGO_ENABLED=0 GOWORK=off GOFLAGS=-mod=mod GOPROXY=off go vet . ./internal/... ./hazmat
