#!/usr/bin/env bash
# Checks the types of the JavaScript, by its comments, and of the declarations.
set -euo pipefail
cd "$(dirname "$0")"
./tools.sh
place=${CARGO_TARGET_DIR:-$(cd ../.. && pwd)/target}/node-test
exec node "$place/node_modules/typescript/bin/tsc" --project tsconfig.json --typeRoots "$place/node_modules/@types"
