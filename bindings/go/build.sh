#!/usr/bin/env bash
# Builds the native half, and lays the modules into target/goproxy, a file:// proxy of Go modules. A workspace of
# the sources with the native half is in target/go, for tools.
set -euo pipefail
cd "$(dirname "$0")"
root=$(cd ../.. && pwd)
target=${CARGO_TARGET_DIR:-$root/target}
CARGO_TERM_QUIET=true "${CARGO:-cargo}" build --locked --profile wheel -p logflux-ffi

lib=$target/go/lib/linux-amd64
rm -rf "$target/goproxy" "$target/go/lib"
mkdir -p "$lib"
cp lib/linux-amd64/* "$lib"
../c/archive.sh "$lib/liblogflux.a" "$target/wheel/liblogflux_ffi.a"
# The workspace of the subject that `logflux certify` judges.
printf 'go 1.24.0\n\nuse (\n\t%s\n\t%s\n\t%s\n)\n' "$root/bindings/go" "$root/tests/subjects/go_sdk" "$lib" > "$target/go/subject.work"
printf 'go 1.24.0\n\nuse (\n\t%s\n\t%s\n\t%s\n\t%s\n)\n' "$root/bindings/go" "$root/bindings/go/zap" "$root/bindings/go/zerolog" "$lib" > "$target/go/go.work"

python3 - "$root" "$target" <<'PYTHON'
"""Packs every module as https://go.dev/ref/mod#zip-files has it."""

import sys
import zipfile
from pathlib import Path

root, target = map(Path, sys.argv[1:])
VERSION = "v0.1.0"
bindings = root / "bindings/go"
folders = [bindings, bindings / "zap", bindings / "zerolog", target / "go/lib/linux-amd64"]
for folder in folders:
    go_mod = (folder / "go.mod").read_text()
    module = go_mod.split()[1]
    place = target / "goproxy" / module / "@v"
    place.mkdir(parents=True)
    (place / "list").write_text(VERSION + "\n")
    (place / f"{VERSION}.info").write_text(f'{{"Version":"{VERSION}","Time":"2026-11-01T00:00:00Z"}}\n')
    (place / f"{VERSION}.mod").write_text(go_mod)
    others = {path.parent for path in folder.rglob("go.mod")} - {folder}
    with zipfile.ZipFile(place / f"{VERSION}.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and path.suffix != ".sh" and others.isdisjoint(path.parents):
                archive.write(path, f"{module}@{VERSION}/{path.relative_to(folder)}")
        for name in ["LICENSE-APACHE", "LICENSE-MIT"]:
            archive.write(root / name, f"{module}@{VERSION}/{name}")
    print(place / f"{VERSION}.zip")
PYTHON
