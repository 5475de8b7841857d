#!/usr/bin/env bash
# Measures a logging call beside Logback's AsyncAppender, with JMH, against a server of its own.
set -euo pipefail
cd "$(dirname "$0")"
root=$(cd ../.. && pwd)
target=${CARGO_TARGET_DIR:-$root/target}
[ -n "${LOGFLUX_PROGRAM:-}" ] || { CARGO_TERM_QUIET=true "${CARGO:-cargo}" build --locked --release -p logflux-cli; LOGFLUX_PROGRAM=$target/release/logflux; }
./tools.sh
work=$(mktemp -d)
"$LOGFLUX_PROGRAM" serve --dev --listen 127.0.0.1:0 --data "$work/data" --requests-per-key 0 --requests-per-address 0 --log error 2> "$work/log" &
server=$!
trap 'kill "$server"; rm -rf "$work"' EXIT
until grep -q '^listening on ' "$work/log"; do sleep 0.1; done
LOGFLUX_SERVER_URL=$(sed -n '1s/.* //p' "$work/log")
LOGFLUX_API_KEY=$("$LOGFLUX_PROGRAM" keys create --data "$work/data" --scope ingest)
export LOGFLUX_SERVER_URL LOGFLUX_API_KEY LOGFLUX_CA_FILE=$work/data/ca.pem LOGFLUX_SECRET=secret LOGFLUX_NODE=bench
jars=$(find "$target/maven" "$target/java/test/libraries" -name '*.jar' -printf '%p:')
javac --release 17 -d "$work/classes" -cp "$jars" bench/io/logflux/bench/*.java
java -cp "$work/classes:$jars" org.openjdk.jmh.Main -f 1 -v SILENT -rf json -rff "$work/result.json" "$@"
python3 - "$work/result.json" <<'PY'
import json, sys
for row in json.load(open(sys.argv[1])):
    at = row["primaryMetric"]["scorePercentiles"]
    print(f'{row["benchmark"].split(".")[-1]}: p50 {at["50.0"]:.0f} ns, p95 {at["95.0"]:.0f} ns')
PY
