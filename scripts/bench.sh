#!/usr/bin/env bash
# Measures whole processes and the gateway: fuelbox beside every other engine that is there, in turns, so that
# whatever else the machine does is spread over all of them. Compare ratios of one run; the times are the machine's.
# What is measured and what came of it: benches/README.md. Calls inside a process: cargo bench --bench calls.
set -euo pipefail

# shellcheck source=scripts/lib/common.sh
. "$(dirname "$0")/lib/common.sh"

usage() {
    cat <<'EOF'
Usage: scripts/bench.sh [--rounds N] [--quick | --full] [--chart FILE] [CASE...]

Prints medians, ratios, and how they stand to the goals; writes target/bench/results.json and results.md.

  --rounds N    runs of each command (default 40; of a long one a quarter)
  --quick       5 rounds, and fewer requests
  --full        a million requests in the case memory, instead of a hundred thousand
  --chart FILE  draw the results as SVG, too (the repository has benches/chart.svg)
  --list        name the cases and the engines that are there

Cases, all by default:
  add                            fuelbox run add.wasm add 10 20, beside /bin/true
  hello-c hello-rust hello-go    a program that prints a line
  fib sieve sha256               programs that compute, under fuel and deadline
  load                           1,000 plug-ins of 20 KB, and a program of Go, until ready; its first calls
  gateway                        memory when idle; requests and CPU time for each, 16 and 256 connections, pipelined
                                 too, beside $FUELBOX_BEFORE and gowasmrunner where they are there
  growth                         CPU time for a request with 1, 100 and 1,000 plug-ins
  memory                         the gateway's memory before and after many requests

Needs python3, rustc and target/release/fuelbox (cargo build --release) or another in $FUELBOX; Linux for memory.
$FUELBOX_BEFORE names another build of fuelbox, which is then measured as a peer called before.
hello-go needs go: scripts/build-guests.sh hello-go. gateway, growth and memory need wrk.
Peers, each optional: wasmi (cargo install wasmi_cli), wasmtime, wazero, wasm3, iwasm and gowasmrunner on the PATH. Without
wasmtime on the PATH python3's module is taken (pip install wasmtime), timed within its process, so that Python's
own start does not count.
EOF
}

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
export FUELBOX=${FUELBOX:-$root/target/release/fuelbox}

for arg in "$@"; do
    case $arg in
    --help | -h)
        usage
        exit 0
        ;;
    esac
done
for tool in python3 rustc; do
    command -v "$tool" >/dev/null || fail "$tool is not installed"
done
[[ -x $FUELBOX ]] || fail "$FUELBOX is missing: cargo build --release"

mkdir -p "$root/target/bench"
measure=$root/target/bench/measure
source=$root/scripts/bench/measure.rs
if [[ ! $measure -nt $source ]]; then
    # Linked statically it takes less memory itself, which is the least that it can show of a child. Not every
    # system has what that needs.
    flags=(--edition 2024 -O -C panic=abort -o "$measure" "$source")
    rustc -C target-feature=+crt-static "${flags[@]}" 2>/dev/null || rustc "${flags[@]}"
fi
exec python3 "$root/scripts/bench/main.py" "$@"
