#!/usr/bin/env bash
# Has Maven lay what the tests need into target/java/test/libraries. The SDK itself needs nothing.
set -euo pipefail
cd "$(dirname "$0")"
place=${CARGO_TARGET_DIR:-$(cd ../.. && pwd)/target}/java/test
if ! cmp -s test/pom.xml "$place/installed-pom.xml"; then
  rm -rf "$place/libraries"
  mkdir -p "$place/libraries"
  mvn --batch-mode --quiet -f test/pom.xml org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies \
    "-DoutputDirectory=$place/libraries"
  cp test/pom.xml "$place/installed-pom.xml"
fi
