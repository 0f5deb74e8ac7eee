#!/usr/bin/env bash
# Measures what a call from the guest to the host costs: `fd_write` of one byte, ten million times, less an equal
# loop without the call (guests/wat/hostcall.wat). Beside fuelbox, wasmtime and wazero are measured if they are
# there, in turns with it, so that whatever else the machine does is spread over all of them.
#
# What a call does is each engine's own: fuelbox charges fuel for it, checks the output cap and gathers a kilobyte
# before it writes; wasmtime's WASI writes each byte at once.
set -euo pipefail

# shellcheck source=scripts/lib/common.sh
. "$(dirname "$0")/lib/common.sh"

usage() {
    cat <<'EOF'
Usage: scripts/bench-hostcall.sh [ROUNDS]

Prints the median of ROUNDS (default 5) runs each, in nanoseconds for each call.

Needs bash 5 and target/release/fuelbox (cargo build --release) or another in $FUELBOX. Peers, each optional:
  wasmtime  on the PATH, or the module of python3 (pip install wasmtime)
  wazero    on the PATH, or go, which then builds it into target/bench
EOF
}

calls=10000000
wazero_version=v1.9.0

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
guest=$root/guests/prebuilt/hostcall.wasm
folder=$root/target/bench
fuelbox=${FUELBOX:-$root/target/release/fuelbox}
engines=(fuelbox)

run_fuelbox() {
    "$fuelbox" run --timeout none --fuel 100000000000 --max-output 16MiB "$guest" -- "$@"
}

run_wasmtime() {
    wasmtime run "$guest" "$@"
}

run_wasmtime_python() {
    python3 -c 'import sys, wasmtime
config = wasmtime.WasiConfig()
config.argv = sys.argv[1:]
config.inherit_stdout()
engine = wasmtime.Engine()
linker, store = wasmtime.Linker(engine), wasmtime.Store(engine)
linker.define_wasi()
store.set_wasi(config)
linker.instantiate(store, wasmtime.Module.from_file(engine, sys.argv[1])).exports(store)["_start"](store)' \
        "$guest" "$@"
}

run_wazero() {
    "$wazero" run "$guest" "$@"
}

find_peers() {
    if command -v wasmtime >/dev/null; then
        engines+=(wasmtime)
    elif python3 -c 'import wasmtime' 2>/dev/null; then
        engines+=(wasmtime_python)
    else
        echo "missing: wasmtime (neither on the PATH nor a module of python3)"
    fi
    if wazero=$(command -v wazero); then
        engines+=(wazero)
    elif command -v go >/dev/null &&
        GOBIN=$folder go install "github.com/tetratelabs/wazero/cmd/wazero@$wazero_version" 2>"$folder/go.log"; then
        wazero=$folder/wazero
        engines+=(wazero)
    else
        echo "missing: wazero (not on the PATH, and go is missing or cannot fetch it)"
    fi
}

# Sets $took to the microseconds that the engine $1 needs, with the arguments that follow.
measure() {
    local engine=$1 from to
    shift
    from=${EPOCHREALTIME//[!0-9]/}
    "run_$engine" "$@" >/dev/null || fail "$engine failed"
    to=${EPOCHREALTIME//[!0-9]/}
    took=$((to - from))
}

median() {
    printf '%s\n' "$@" | sort -n | sed -n "$((($# + 1) / 2))p"
}

bench() {
    local engine bytes round called looped base=
    local -A with=() without=()
    for engine in "${engines[@]}"; do
        # One byte for each call must come out, or something else is measured.
        bytes=$("run_$engine" | wc -c)
        ((bytes == calls)) || fail "$engine wrote $bytes bytes instead of $calls"
    done
    for ((round = 0; round < rounds; round++)); do
        for engine in "${engines[@]}"; do
            measure "$engine"
            with[$engine]+=" $took"
            measure "$engine" count
            without[$engine]+=" $took"
        done
    done
    printf '%-16s %10s %10s %10s %10s\n' engine "calls, ms" "loop, ms" "ns/call" "/ fuelbox"
    for engine in "${engines[@]}"; do
        # Each list is a string of numbers.
        # shellcheck disable=SC2086
        called=$(median ${with[$engine]}) looped=$(median ${without[$engine]})
        base=${base:-$((called - looped))}
        awk -v name="$engine" -v called="$called" -v looped="$looped" -v calls="$calls" -v base="$base" 'BEGIN {
            ns = (called - looped) * 1000 / calls
            printf "%-16s %10.1f %10.1f %10.1f %10.2f\n", name, called / 1000, looped / 1000, ns, (called - looped) / base
        }'
    done
}

rounds=5
case ${1-} in
'') ;;
--help | -h)
    usage
    exit 0
    ;;
*[!0-9]* | 0)
    printf "bench-hostcall.sh: ROUNDS is a number from 1, not '%s'; see --help\n" "$1" >&2
    exit 2
    ;;
*) rounds=$1 ;;
esac
[[ -n ${EPOCHREALTIME-} ]] || fail "bash is older than 5"
[[ -x $fuelbox ]] || fail "$fuelbox is missing: cargo build --release"
mkdir -p "$folder"
find_peers
bench
