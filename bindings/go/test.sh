#!/usr/bin/env bash
# Tests the modules that `build.sh` has laid into target/goproxy. Arguments are those of `go test`.
# LOGFLUX_TEST_LONG=1 runs the long forms.
set -euo pipefail
cd "$(dirname "$0")"
root=$(cd ../.. && pwd)
target=${CARGO_TARGET_DIR:-$root/target}
place=$target/go/test

if [ -z "${LOGFLUX_PROGRAM:-}" ]; then
  CARGO_TERM_QUIET=true "${CARGO:-cargo}" build --locked -p logflux-cli
  export LOGFLUX_PROGRAM=$target/debug/logflux
fi
# A cache of its own, in which a module of the same version can be another one.
export GOMODCACHE=$target/go/mod GOFLAGS=-modcacherw GONOSUMDB='github.com/logflux/*' GOWORK=off
GOPROXY=file://$target/goproxy,$(go env GOPROXY)
export GOPROXY LOGFLUX_TEST_ROOT=$root
rm -rf "$place" "$GOMODCACHE/github.com/logflux" "$GOMODCACHE/cache/download/github.com/logflux"
cp -r test "$place"
cd "$place"
go mod tidy
go vet ./...
race=-race
[ "${LOGFLUX_GO_RACE:-}" != no ] || race=
exec go test $race -count=1 -timeout 20m "$@" .
