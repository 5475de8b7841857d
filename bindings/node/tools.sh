#!/usr/bin/env bash
# Installs what the tests and the checks need into target/node-test. The package itself needs nothing.
set -euo pipefail
cd "$(dirname "$0")"
place=${CARGO_TARGET_DIR:-$(cd ../.. && pwd)/target}/node-test
mkdir -p "$place"
if ! cmp -s test/package-lock.json "$place/installed-lock.json"; then
  cp test/package.json test/package-lock.json "$place"
  (cd "$place" && npm ci --ignore-scripts --no-audit --no-fund --loglevel error)
  cp test/package-lock.json "$place/installed-lock.json"
fi
