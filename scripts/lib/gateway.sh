# For scripts that try a gateway, after common.sh: which program they try, and gateways on loopback ports that end with
# the script. Sourced, not run; needs $root. Sets $work, a folder that is removed at the end.
# shellcheck shell=bash disable=SC2034,SC2154

# program_to_try [FUELBOX]: sets $program to it, or to a release build.
program_to_try() {
    program=${1:-}
    if [[ -z $program ]]; then
        need cargo
        program=$(cd "$root" && cargo build --release --locked --message-format=json 2>/dev/null |
            sed -n 's/.*"executable":"\([^"]*\/fuelbox\)".*/\1/p' | tail -n 1)
    fi
    [[ -x $program ]] || fail "no program: '$program'"
}

# serve ARG…: starts a gateway, and sets $gateway to its process and $url to where it answers.
serve() {
    local log=$work/serve-${#gateways[@]}.log address=
    : >"$log"
    "$program" serve --listen 127.0.0.1:0 "$@" 2>"$log" &
    gateway=$!
    gateways+=("$gateway")
    for _ in {1..100}; do
        address=$(sed -n 's/.*on http:\/\///p' "$log")
        [[ -n $address ]] && break
        kill -0 "$gateway" 2>/dev/null || fail "the gateway ended: $(cat "$log")"
        sleep 0.1
    done
    [[ -n $address ]] || fail "the gateway does not say where it listens"
    url=http://$address
}

# stop_gateways: ends those that were started.
stop_gateways() {
    local each
    for each in "${gateways[@]}"; do
        kill -TERM "$each" 2>/dev/null || true
        wait "$each" || true
    done
    gateways=()
}

gateways=()
work=$(mktemp -d)
trap 'stop_gateways; rm -rf "$work"' EXIT
