#!/usr/bin/env bash
# Builds the C library and puts it into place; `make install` calls this.
#
#   bindings/c/install.sh PREFIX [--no-client] [--target TRIPLE]
#
# DESTDIR is put before PREFIX, as packagers want it. --no-client builds sealing and opening alone.
# --target, or CARGO_BUILD_TARGET, builds for another machine; LD, OBJCOPY and AR then name its tools,
# by default those whose names begin with the triple.
set -euo pipefail

usage() {
  echo 'usage: [DESTDIR=…] bindings/c/install.sh PREFIX [--no-client] [--target TRIPLE]' >&2
  exit 2
}
fail() { echo "error: $1" >&2; exit 1; }

[ $# -ge 1 ] && [[ $1 = /* ]] || { echo 'error: PREFIX must be an absolute path' >&2; usage; }
prefix=${1%/} options=() triple=${CARGO_BUILD_TARGET-}
shift
while [ $# -gt 0 ]; do
  case $1 in
    --no-client) options+=(--no-default-features) ;;
    --target) [ -n "${2-}" ] || usage; triple=$2; options+=(--target "$2"); shift ;;
    *) usage ;;
  esac
  shift
done

cd "$(dirname "$0")/../.."
cargo=${CARGO:-cargo} rustc=${RUSTC:-rustc}
out=${DESTDIR-}$prefix
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
IFS=. read -r major minor _ <<<"$version"

# The tools of another machine: aarch64-linux-gnu-ld for aarch64-unknown-linux-gnu.
host=$("$rustc" -vV | sed -n 's/^host: //p')
tools=
if [ -n "$triple" ] && [ "$triple" != "$host" ] && command -v "${triple/-unknown/}-ld" >/dev/null; then
  tools=${triple/-unknown/}-
  linker=CARGO_TARGET_$(tr 'a-z-' 'A-Z_' <<<"$triple")_LINKER
  [ -n "${!linker-}" ] || export "$linker=${tools}gcc"
fi
ld=${LD:-${tools}ld} objcopy=${OBJCOPY:-${tools}objcopy} ar=${AR:-${tools}ar}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Cargo says where it has put what it built, and the compiler what a program that links statically
# must name as well.
"$cargo" rustc --locked --release -p logflux-ffi --lib ${options[@]+"${options[@]}"} \
  --message-format=json-render-diagnostics -- --print native-static-libs \
  >"$work/messages" 2>"$work/log" || { cat "$work/log" >&2; exit 1; }
artefact() {
  sed -n '/"reason":"compiler-artifact"/s|.*"\([^"]*/liblogflux_ffi\.'"$1"'\)".*|\1|p' \
    "$work/messages" | tail -n 1
}
archive=$(artefact a) shared=$(artefact so)
[ -f "$archive" ] || fail 'cargo did not say where the static library is'
grep -q '^note: native-static-libs: ' "$work/log" \
  || fail "the compiler did not name the system's libraries"
# The compiler driver names libgcc by itself, the shared one or for -static the other.
static_libs=$(sed -n 's/^note: native-static-libs: //p' "$work/log" | tail -n 1 \
  | tr ' ' '\n' | grep -v -x -e -lgcc_s -e -lgcc_eh -e -lunwind | uniq | paste -s -d ' ' || true)

# A target that links the C library statically, as those of musl do, has no shared libraries, and
# Rust brings the unwinder for it.
archives=("$archive")
if [ -z "$shared" ]; then
  unwind=$("$rustc" --print sysroot)/lib/rustlib/$triple/lib/self-contained/libunwind.a
  [ ! -f "$unwind" ] || archives+=("$unwind")
fi

install -d "$out/lib/pkgconfig" "$out/lib/cmake/logflux" "$out/include/logflux"
install -m 644 include/logflux.h include/logflux.hpp "$out/include/"
install -m 644 include/logflux/spdlog_sink.hpp "$out/include/logflux/"
rm -f "$out"/lib/liblogflux.so* "$out/lib/liblogflux.a"
if [ -n "$shared" ]; then
  install -m 755 "$shared" "$out/lib/liblogflux.so.$version"
  ln -sf "liblogflux.so.$version" "$out/lib/liblogflux.so.$major"
  ln -sf "liblogflux.so.$major" "$out/lib/liblogflux.so"
fi

LD=$ld OBJCOPY=$objcopy AR=$ar bindings/c/archive.sh "$out/lib/liblogflux.a" "${archives[@]}"

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
echo "logflux $version${triple:+ for $triple} is in $out"
[ -n "$shared" ] || echo "note: $triple has no shared libraries; the static one is there"
