#!/usr/bin/env bash
# Builds the source distribution and from it, in a folder that holds nothing else, the wheel; installs
# that into a new virtual environment, and tests it there. Arguments are pytest's.
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
LOGFLUX_WHEEL=$(echo "$target"/wheels/*.whl)
export LOGFLUX_WHEEL
"$build/bin/auditwheel" show "$LOGFLUX_WHEEL" | grep manylinux_

rm -rf "$venv"
python3 -m venv "$venv"
"$venv/bin/pip" install "$LOGFLUX_WHEEL" -r tests/requirements.txt

# In a folder from which the source of the package cannot be seen.
settings=$PWD/pyproject.toml tests=$PWD/tests
cd "$venv"
bin/mypy --config-file "$settings" --cache-dir .mypy -p logflux
MYPYPATH=$tests bin/mypy --config-file "$settings" --cache-dir .mypy "$tests"/*.py
bin/python -m mypy.stubtest logflux
exec bin/pytest --config-file "$settings" --rootdir "$venv" -p no:cacheprovider --numprocesses 2 \
  --dist loadgroup --quiet "$tests" "$@"
