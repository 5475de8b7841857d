#!/usr/bin/env bash
# Tests what `build.sh` has packed and installed. Arguments name test files by a part of their names.
#
# LOGFLUX_TEST_LONG=1 runs the long forms.
set -euo pipefail
cd "$(dirname "$0")"
root=$(cd ../.. && pwd)
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$root/target} CARGO_TERM_QUIET=true
place=$CARGO_TARGET_DIR/node-test

if [ -z "${LOGFLUX_PROGRAM:-}" ]; then
  "${CARGO:-cargo}" build --locked -p logflux-cli
  export LOGFLUX_PROGRAM=$CARGO_TARGET_DIR/debug/logflux
fi
rm -rf "$place/test" "$place"/tmp-*
cp -r test "$place/test"
cd "$place"
export LOGFLUX_TEST_ROOT=$root LOGFLUX_TEST_PACKED=$CARGO_TARGET_DIR/npm
exec node test/run.js "$@"
