#!/usr/bin/env bash
# Builds the C library and puts it into place; `make install` calls this.
#
#   bindings/c/install.sh PREFIX [--no-client]
#
# DESTDIR is put before PREFIX, as packagers want it. --no-client builds sealing and opening alone.
set -euo pipefail

usage() { echo 'usage: [DESTDIR=…] bindings/c/install.sh PREFIX [--no-client]' >&2; exit 2; }
[ $# -ge 1 ] && [[ $1 = /* ]] || { echo 'error: PREFIX must be an absolute path' >&2; usage; }
prefix=${1%/} features=()
case ${2-} in
  '') ;;
  --no-client) features=(--no-default-features) ;;
  *) usage ;;
esac

cd "$(dirname "$0")/../.."
cargo=${CARGO:-cargo} target=${CARGO_TARGET_DIR:-target}
out=${DESTDIR-}$prefix
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
IFS=. read -r major minor _ <<<"$version"

# What a program that links statically must name as well is asked of the compiler.
log=$("$cargo" rustc --locked --release -p logflux-ffi --lib ${features[@]+"${features[@]}"} \
  -- --print native-static-libs 2>&1) || { echo "$log" >&2; exit 1; }
static_libs=$(sed -n 's/^note: native-static-libs: //p' <<<"$log" | tail -n 1)
[ -n "$static_libs" ] || { echo "error: the compiler did not name the system's libraries" >&2; exit 1; }

install -d "$out/lib/pkgconfig" "$out/lib/cmake/logflux" "$out/include"
install -m 644 include/logflux.h include/logflux.hpp "$out/include/"
install -m 755 "$target/release/liblogflux_ffi.so" "$out/lib/liblogflux.so.$version"
ln -sf "liblogflux.so.$version" "$out/lib/liblogflux.so.$major"
ln -sf "liblogflux.so.$major" "$out/lib/liblogflux.so"

# One object in which all but the interface is local, so that another Rust library, or other parts
# of the program, can have what they like.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
ld -r --whole-archive "$target/release/liblogflux_ffi.a" -o "$work/all.o"
objcopy --wildcard --keep-global-symbol='logflux_*' --strip-unneeded \
  --remove-section=.llvmbc --remove-section=.llvmcmd "$work/all.o" "$work/logflux.o"
rm -f "$out/lib/liblogflux.a"
ar rcsD "$out/lib/liblogflux.a" "$work/logflux.o"
chmod 644 "$out/lib/liblogflux.a"

fill() {
  sed -e "s|@PREFIX@|$prefix|g" -e "s|@VERSION@|$version|g" -e "s|@MAJOR@|$major|g" \
    -e "s|@MINOR@|$minor|g" -e "s|@STATIC_LIBS@|$static_libs|g" "$1" >"$2"
  chmod 644 "$2"
}
fill bindings/c/logflux.pc.in "$out/lib/pkgconfig/logflux.pc"
fill bindings/c/logflux-static.pc.in "$out/lib/pkgconfig/logflux-static.pc"
for file in logflux-config logflux-config-version; do
  fill "bindings/c/cmake/$file.cmake.in" "$out/lib/cmake/logflux/$file.cmake"
done
echo "logflux $version is in $out"
