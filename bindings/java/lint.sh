#!/usr/bin/env bash
# Compiles everything with the warnings of javac and of javadoc as errors.
set -euo pipefail
cd "$(dirname "$0")"
target=${CARGO_TARGET_DIR:-$(cd ../.. && pwd)/target}
./tools.sh
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
jars=$(find "$target/java/test/libraries" -name '*.jar' -printf '%p:')
sources=$(find . -path '*/src/main/java/*' -name '*.java' ! -name module-info.java)
javac --release 17 -proc:none -Xlint:all,-classfile,-processing -Werror -d "$out" -cp "$jars" $sources
javadoc -quiet -Xdoclint:all -Werror --release 17 -d "$out/doc" -cp "$jars" $(find logflux/src/main/java/io -name '*.java')
