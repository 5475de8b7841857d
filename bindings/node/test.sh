#!/usr/bin/env bash
# Installs what `build.sh` has packed into a folder that holds nothing else of this repository, and tests
# it there. Arguments name test files by a part of their names.
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
./tools.sh
# As npm would unpack them; `package.test.js` has npm itself install them into an empty folder.
rm -rf "$place/node_modules/@logflux" "$place"/tmp-*
for archive in "$CARGO_TARGET_DIR"/npm/*.tgz; do
  name=$(tar --extract --to-stdout --gzip --file "$archive" package/package.json | node -p 'JSON.parse(fs.readFileSync(0)).name')
  mkdir -p "$place/node_modules/$name"
  tar --extract --gzip --strip-components 1 --file "$archive" --directory "$place/node_modules/$name"
done
rm -rf "$place/test"
cp -r test "$place/test"
cd "$place"
export LOGFLUX_TEST_ROOT=$root LOGFLUX_TEST_PACKED=$CARGO_TARGET_DIR/npm
exec node test/run.js "$@"
