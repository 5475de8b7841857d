#!/usr/bin/env bash
# Makes a static library of one object in which all but the interface is local, so that another Rust library,
# or other parts of the program, can have what they like.
#
#   bindings/c/archive.sh LIBRARY ARCHIVE…
#
# LD, OBJCOPY and AR name the tools.
set -euo pipefail
library=$1
shift
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${LD:-ld}" -r --whole-archive "$@" -o "$work/all.o"
"${OBJCOPY:-objcopy}" --wildcard --keep-global-symbol='logflux_*' --strip-unneeded \
  --remove-section=.llvmbc --remove-section=.llvmcmd "$work/all.o" "$work/logflux.o"
rm -f "$library"
"${AR:-ar}" rcsD "$library" "$work/logflux.o"
chmod 644 "$library"
