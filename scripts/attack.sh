#!/bin/sh
# Attacks a release build of `fuelbox serve` with the sizes and times of a real attack, one attack at a time,
# and prints what a well-behaved client saw meanwhile and what the process took before and after.
#
# Needs cargo, about six minutes and a quarter of an hour for the matrix, 4,000 descriptors and a machine that does nothing else: the well-behaved
# client's 99th percentile must stay below 100 ms. Limiting threads needs root, setpriv and prlimit; without
# them that attack is skipped, and says so.
#
# usage: scripts/attack.sh [NAME]     NAME: a part of a test's name, such as flood; default: all
set -eu

# shellcheck source=scripts/lib/common.sh
. "$(dirname "$0")/lib/common.sh"
help_if_asked "$@"

cd "$(dirname "$0")/.."
ulimit -n 4096 2>/dev/null || ulimit -n "$(ulimit -H -n)"
log=$(mktemp)
trap 'rm -f "$log"' EXIT

# Not through a pipe: its status would be that of the pipe's end.
status=0
FUELBOX_ATTACK=full RUST_BACKTRACE=0 cargo test --release --test it "attack::${1:-}" -- \
    --nocapture --test-threads=1 >"$log" 2>&1 || status=$?

echo "| attack | time | 200s | 503s | reopened | p50 ms | p99 ms | max ms | memory kB before -> after (most) | threads | descriptors |"
echo "|---|---|---|---|---|---|---|---|---|---|---|"
sed -n 's/^.*attack | \(.*\)$/| \1/p' "$log"
echo
sed -n 's/^.*\(attack \(note\|cost\|fair\) | .*\)$/\1/p' "$log"
grep '^skipped' "$log" || true
if [ "$status" -ne 0 ]; then
    echo
    grep -v ' as asked$' "$log" | tail -n 60
fi
grep '^test result' "$log" || true
exit "$status"
