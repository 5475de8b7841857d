#!/usr/bin/env bash
# Builds the source distribution and from it, in a folder that holds nothing else, the wheel, and installs
# that with what the tests need into a new virtual environment, target/python-wheel.
set -euo pipefail
cd "$(dirname "$0")"
target=${CARGO_TARGET_DIR:-$(cd ../.. && pwd)/target}
build=$target/python-build
venv=$target/python-wheel
export CARGO_TARGET_DIR=$target CARGO_TERM_QUIET=true PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_QUIET=1

if ! cmp -s requirements-build.txt "$build/installed.txt"; then
  python3 -m venv --clear "$build"
  "$build/bin/pip" install -r requirements-build.txt
  cp requirements-build.txt "$build/installed.txt"
fi

rm -rf "$target/sdist" "$target/wheels"
"$build/bin/maturin" sdist --out "$target/sdist" 2>&1 | tail -n 1
# The times in the archive are all the same: by them Cargo would not see what has changed.
tar --extract --touch --gzip --file "$target"/sdist/*.tar.gz --directory "$target/sdist"
(cd "$target"/sdist/*/ && "$build/bin/maturin" build --out "$target/wheels")
wheel=$(echo "$target"/wheels/*.whl)
"$build/bin/auditwheel" show "$wheel" | grep manylinux_

rm -rf "$venv"
python3 -m venv "$venv"
"$venv/bin/pip" install "$wheel" -r tests/requirements.txt
