#!/usr/bin/env bash
# Measures what a call costs, beside log/slog and zap, on a real server.
set -euo pipefail
cd "$(dirname "$0")"
LOGFLUX_TEST_BENCH=1 LOGFLUX_GO_RACE=no ./test.sh -v -run TestCost | grep -E ' ns |FAIL'
