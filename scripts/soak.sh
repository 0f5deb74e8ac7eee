#!/bin/sh
# Keeps a release build of `fuelbox serve` under a mixed load for some minutes: calls whose every answer is checked,
# deployments twenty times a second, bad modules and policies, guests that spin and that take all memory, clients
# that are slow or vanish. Then the process must have as many threads and descriptors as before, and no more memory
# than after a tenth of the time. Prints what was counted.
#
# Needs cargo and a Linux /proc.
#
# usage: scripts/soak.sh [MINUTES]     default: 5
set -eu

# shellcheck source=scripts/lib/common.sh
. "$(dirname "$0")/lib/common.sh"
help_if_asked "$@"

cd "$(dirname "$0")/.."
minutes=${1:-5}
case $minutes in
    '' | *[!0-9.]*)
        echo "soak.sh: MINUTES is a number, not \`$minutes\`" >&2
        exit 2
        ;;
esac
if [ ! -r /proc/self/status ]; then
    echo "soak.sh: there is no /proc here, which is needed to see what the process holds" >&2
    exit 1
fi
ulimit -n 4096 2>/dev/null || ulimit -n "$(ulimit -H -n)"
FUELBOX_SOAK_SECONDS=$(awk "BEGIN { print $minutes * 60 }") RUST_BACKTRACE=0 \
    cargo test --release --test it soak:: -- --nocapture
