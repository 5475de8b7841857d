#!/usr/bin/env bash
# The long form of the fault tests: `tests/soak.sh [COUNT]`, 1,000 of each by default. Writes
# docs/soak.md with what was tried, how often, and what came of it.
set -uo pipefail
cd "$(dirname "$0")/.."
count=${1:-1000}
export LOGFLUX_TEST_KILLS=$count LOGFLUX_TEST_FORKS=$count LOGFLUX_TEST_LOST_ANSWERS=$count
export LOGFLUX_TEST_SERVER_KILLS=$((count / 10 > 25 ? count / 10 : 25))
report=docs/soak.md
failed=0

{
  echo '# The last long run'
  echo
  echo "Written by \`make soak\` on $(date -u +%Y-%m-%d), at commit $(git rev-parse --short HEAD), on"
  echo "$(nproc) cores of $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1), Linux $(uname -r)."
  echo
  echo '| tried | how often | came of it | seconds |'
  echo '|---|---:|---|---:|'
} > "$report.new"

try() {
  local what=$1 often=$2 started=$SECONDS result='0 lost, 0 twice, 0 hung'
  shift 2
  echo "soak: $what, $often times" >&2
  if ! cargo test --locked --quiet "$@" >&2; then
    result='**failed**'
    failed=1
  fi
  echo "| $what | $often | $result | $((SECONDS - started)) |" >> "$report.new"
}

try '`logflux pipe --durable` killed with SIGKILL while the server goes down and up' "$LOGFLUX_TEST_KILLS" \
  -p logflux-cli --test program what_was_durable
try 'a process that logs and flushes killed with SIGKILL while the server goes down and up' "$LOGFLUX_TEST_KILLS" \
  -p logflux-tests --test client_kill
try 'a fork while other threads seal' "$LOGFLUX_TEST_FORKS" \
  -p logflux-tests --test fork a_fork_while
try 'a fork of a host with a running client while other threads log' "$LOGFLUX_TEST_FORKS" \
  -p logflux-tests --test client_fork
try 'an answer lost after the server had committed' "$LOGFLUX_TEST_LOST_ANSWERS" \
  -p logflux-tests --test client_lost_answers
try 'the server stopped, continued, killed and restarted under a running client' "$LOGFLUX_TEST_SERVER_KILLS" \
  -p logflux-tests --test client_server_process

export LOGFLUX_TEST_STEADY=$((count >= 100 ? 600 : 60))
try '8 processes on one host, 10 lines a second each, at the default limits' "$LOGFLUX_TEST_STEADY s, 1" \
  -p logflux-tests --test client_default_limits

mv "$report.new" "$report"
cat "$report"
exit $failed
