#!/usr/bin/env bash
# Tests the jars that `build.sh` has laid into target/maven, on this machine's Java. Arguments name tests by a
# part of their names. LOGFLUX_TEST_LONG=1 runs the long forms; LOGFLUX_TEST_JAVA_HOME names another Java.
set -euo pipefail
cd "$(dirname "$0")"
root=$(cd ../.. && pwd)
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$root/target} CARGO_TERM_QUIET=true
place=$CARGO_TARGET_DIR/java/test

if [ -z "${LOGFLUX_PROGRAM:-}" ]; then
  "${CARGO:-cargo}" build --locked -p logflux-cli
  export LOGFLUX_PROGRAM=$CARGO_TARGET_DIR/debug/logflux
fi
./tools.sh
java=${LOGFLUX_TEST_JAVA_HOME:-$(java -XshowSettings:properties -version 2>&1 | sed -n 's/ *java.home = //p')}
# The newest Java of this machine.
export LOGFLUX_TEST_NEWEST_JDK=$java
for home in /usr/lib/jvm/*; do
  version() { "$1/bin/java" -XshowSettings:properties -version 2>&1 | sed -n 's/ *java.specification.version = //p'; }
  if [ -x "$home/bin/java" ] && [ "$(version "$home")" -gt "$(version "$LOGFLUX_TEST_NEWEST_JDK")" ]; then
    LOGFLUX_TEST_NEWEST_JDK=$home
  fi
done
rm -rf "$place"/tmp-* "$place/classes"
mkdir -p "$place/classes"
jars=$(find "$CARGO_TARGET_DIR/maven" "$place/libraries" -name '*.jar' -printf '%p:')
javac --release 17 -proc:none -d "$place/classes" -cp "$jars" $(find test -name '*.java')
cp test/logback.xml test/log4j2.xml "$place/classes"
# An application that has no logback.xml.
rm -rf "$place/spring"
mkdir -p "$place/spring/io/logflux"
mv "$place"/classes/io/logflux/SpringProgram*.class "$place/spring/io/logflux"
cp test/logback-spring.xml "$place/spring"
export LOGFLUX_TEST_ROOT=$root LOGFLUX_TEST_PLACE=$place
LOGFLUX_TEST_LIBRARY=$(find "$CARGO_TARGET_DIR/java/native" -type f)
export LOGFLUX_TEST_LIBRARY
"$java/bin/java" -XX:-UsePerfData -cp "$place/classes:$jars" io.logflux.Runner "$@"
