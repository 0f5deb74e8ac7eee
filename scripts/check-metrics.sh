#!/usr/bin/env bash
# Holds what `/metrics` says against Prometheus' own tools: starts a gateway on a loopback port, makes traffic of all
# sorts, scrapes in both formats, has `promtool check metrics` lint the classic one and its parser read OpenMetrics.
#
# Needs cargo, curl and promtool (apt-get install prometheus); without promtool it says so and exits 3.
#
# usage: scripts/check-metrics.sh [FUELBOX]     FUELBOX: the program to try; default: a release build
set -euo pipefail

# shellcheck source=scripts/lib/common.sh
. "$(dirname "$0")/lib/common.sh"
help_if_asked "$@"

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
guests=$root/guests/prebuilt

# shellcheck source=scripts/lib/gateway.sh
. "$root/scripts/lib/gateway.sh"

need cargo curl
command -v promtool >/dev/null || skip "no promtool here (apt-get install prometheus)"

program_to_try "${1:-}"

# A name that would end its label and begin a series of its own, and a module that does not load.
mkdir "$work/plugins"
cp "$guests"/{greet,add,wordcount,infinite-loop,memory-hog}.wasm "$work/plugins/"
cp "$guests/greet.wasm" "$work/plugins/"$'a"} 9\nforged_total{x="\\.wasm'
printf rubbish >"$work/plugins/bad.wasm"

serve --plugins "$work/plugins" --timeout 200ms --warm 2 --body-timeout 300ms

ask() { curl -sS -o "$work/answer" -w '%{http_code}\n' "$@"; }
expect() {
    local status=$1 got
    shift
    got=$(ask "$@")
    [[ $got == "$status" ]] || fail "$* gave $got instead of $status"
}
for _ in {1..20}; do expect 200 -d World "$url/execute/greet"; done
expect 200 -d '10 20' "$url/execute/add?func=add"
expect 200 -d 'a b' "$url/execute/wordcount"
expect 200 -d x "$url/execute/a%22%7D%209%0Aforged_total%7Bx%3D%22%5C"
expect 200 "$url/plugins"
expect 200 "$url/readyz"
expect 400 -d '1 2 3' "$url/execute/add?func=add"
expect 400 --request-target /a#b "$url/"
expect 404 -d x "$url/execute/nope"
expect 404 -d x "$url/execute/greet?func=nope"
expect 404 "$url/nope"
expect 405 "$url/execute/greet"
expect 408 -H 'Content-Length: 5' --max-time 60 -d '' "$url/execute/greet"
expect 413 -H 'Content-Length: 99999999' -d x "$url/execute/greet"
expect 500 -d '' "$url/execute/memory-hog?func=hog"
expect 504 -d World "$url/execute/infinite-loop"

curl -sSf "$url/metrics" >"$work/classic"
curl -sSf -H 'Accept: application/openmetrics-text' "$url/metrics" >"$work/open"

promtool check metrics <"$work/classic" || fail "promtool check metrics found something in the classic format"
note "classic format: $(grep -vc '^#' "$work/classic") samples, promtool check metrics finds nothing"

# Reading OpenMetrics into a block wants a time at each sample.
sed '/^#/!s/$/ 1700000000/' "$work/open" >"$work/timed"
promtool tsdb create-blocks-from openmetrics "$work/timed" "$work/blocks" >"$work/said" 2>&1 ||
    fail "Prometheus cannot read the OpenMetrics format: $(cat "$work/said")"
note "OpenMetrics: $(grep -vc '^#' "$work/open") samples, Prometheus reads them"
! grep -q '^forged_total' "$work/classic" "$work/open" || fail "a file name made a series"
