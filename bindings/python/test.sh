#!/usr/bin/env bash
# Tests the wheel that `build.sh` has built and installed. Arguments are pytest's.
set -euo pipefail
cd "$(dirname "$0")"
target=${CARGO_TARGET_DIR:-$(cd ../.. && pwd)/target}
venv=$target/python-wheel
LOGFLUX_WHEEL=$(echo "$target"/wheels/*.whl)
export LOGFLUX_WHEEL

# In a folder from which the source of the package cannot be seen.
settings=$PWD/pyproject.toml tests=$PWD/tests
cd "$venv"
bin/mypy --config-file "$settings" --cache-dir .mypy -p logflux
MYPYPATH=$tests bin/mypy --config-file "$settings" --cache-dir .mypy "$tests"/*.py
bin/python -m mypy.stubtest logflux
exec bin/pytest --config-file "$settings" --rootdir "$venv" -p no:cacheprovider --numprocesses 2 \
  --dist loadgroup --quiet "$tests" "$@"
