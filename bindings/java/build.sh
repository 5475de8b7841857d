#!/usr/bin/env bash
# Builds the native library, and installs the artifacts into target/maven, a file:// repository of Maven.
set -euo pipefail
cd "$(dirname "$0")"
root=$(cd ../.. && pwd)
target=${CARGO_TARGET_DIR:-$root/target}
CARGO_TERM_QUIET=true "${CARGO:-cargo}" build --locked --profile wheel -p logflux-jni

case $(uname -s) in
  Darwin) system=macos library=liblogflux_jni.dylib ;;
  *) system=linux library=liblogflux_jni.so ;;
esac
rm -rf "$target/java/native" "$target/maven"
mkdir -p "$target/java/native/$system-$(uname -m | sed s/arm64/aarch64/)"
cp "$target/wheel/$library" "$target/java/native/$system-$(uname -m | sed s/arm64/aarch64/)/"

# What Maven has fetched once it need not ask for again.
maven() { mvn --batch-mode --quiet "-Dlogflux.target=$target" "-DaltDeploymentRepository=target::file://$target/maven" "$@"; }
goals=(deploy -Dmaven.test.skip=true -Dmaven.install.skip=true)
maven --offline "${goals[@]}" > "$target/java/offline.log" 2>&1 || maven "${goals[@]}"
find "$target/maven" -name '*.jar' | sort
