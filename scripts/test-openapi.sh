#!/usr/bin/env bash
# Holds the gateway against its own OpenAPI document: schemathesis reads `/openapi.json`, makes requests that fit it
# and requests that do not, and looks whether each answer is one that the document names: status, content type,
# headers, schema. First the built-in guests; then a folder with a token, whose plug-ins it changes as it likes.
# A 5xx is a failure unless a guest made it: it trapped, ran out of its limits, or said so itself.
#
# Needs cargo, curl and python3 (3.10 or newer). Makes a venv in target/openapi and installs schemathesis from PyPI
# into it, and nothing else.
#
# usage: scripts/test-openapi.sh [FUELBOX]     FUELBOX: the program to try; default: a release build
#        EXAMPLES=50   requests that fuzzing makes for each operation, about
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
guests=$root/guests/prebuilt
venv=$root/target/openapi
examples=${EXAMPLES:-50}

note() { printf 'test-openapi.sh: %s\n' "$*" >&2; }
fail() {
    note "$*"
    exit 1
}

for tool in curl python3; do command -v "$tool" >/dev/null || fail "missing $tool"; done
if [[ ! -x $venv/bin/schemathesis ]]; then
    note "installing schemathesis into target/openapi"
    python3 -m venv "$venv" || fail "python3 cannot make a venv (apt-get install python3-venv)"
    "$venv/bin/pip" install --quiet --disable-pip-version-check 'schemathesis>=4.32,<5' ||
        fail "pip cannot install schemathesis"
fi

program=${1:-}
if [[ -z $program ]]; then
    command -v cargo >/dev/null || fail "missing cargo"
    program=$(cd "$root" && cargo build --release --locked --message-format=json 2>/dev/null |
        sed -n 's/.*"executable":"\([^"]*\/fuelbox\)".*/\1/p' | tail -n 1)
fi
[[ -x $program ]] || fail "no program: '$program'"

work=$(mktemp -d)
gateway=
stop() {
    if [[ -n $gateway ]]; then
        kill -TERM "$gateway" 2>/dev/null || true
        wait "$gateway" || true
    fi
    gateway=
}
finish() {
    stop
    rm -rf "$work"
}
trap finish EXIT

# serve ARG…: starts a gateway, and sets `url`. Limits are such that a guest that spins takes no time.
serve() {
    local address=
    : >"$work/log"
    "$program" serve --listen 127.0.0.1:0 --fuel 2000000 --timeout 2s "$@" 2>"$work/log" &
    gateway=$!
    for _ in {1..100}; do
        address=$(sed -n 's/.*on http:\/\///p' "$work/log")
        [[ -n $address ]] && break
        kill -0 "$gateway" 2>/dev/null || fail "the gateway ended: $(cat "$work/log")"
        sleep 0.1
    done
    [[ -n $address ]] || fail "the gateway does not say where it listens"
    url=http://$address
}

# try ARG…: schemathesis against the gateway, which must outlive it.
try() {
    (cd "$work" && SCHEMATHESIS_HOOKS=openapi_checks PYTHONPATH=$root/scripts/lib PYTHONDONTWRITEBYTECODE=1 \
        "$venv/bin/schemathesis" --config-file "$root/scripts/lib/schemathesis.toml" run "$url/openapi.json" \
        --max-examples "$examples" --seed 1 --request-timeout 20 --max-redirects 0 --no-color "$@") ||
        fail "schemathesis found something, see above"
    kill -0 "$gateway" || fail "the gateway has ended: $(cat "$work/log")"
    curl -sSf "$url/healthz" >/dev/null
}

serve
try --phases examples,coverage,fuzzing
stop

mkdir "$work/plugins"
cp "$guests"/{greet,add,wordcount,cgi-rust,infinite-loop,memory-hog}.wasm "$work/plugins/"
printf 'access = "token"\n' >"$work/plugins/add.toml"
(umask 077 && printf 'deploy deploy-0123456789\n' >"$work/tokens")
serve --plugins "$work/plugins" --token-file "$work/tokens"
try --phases examples,coverage,fuzzing --header 'Authorization: Bearer deploy-0123456789'
stop
note "no answer that the document does not name, and no 5xx that is not a guest's"
