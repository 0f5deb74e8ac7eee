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

# shellcheck source=scripts/lib/common.sh
. "$(dirname "$0")/lib/common.sh"
help_if_asked "$@"

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
guests=$root/guests/prebuilt
venv=$root/target/openapi
examples=${EXAMPLES:-50}

# shellcheck source=scripts/lib/gateway.sh
. "$root/scripts/lib/gateway.sh"

need curl python3
if [[ ! -x $venv/bin/schemathesis ]]; then
    note "installing schemathesis into target/openapi"
    python3 -m venv "$venv" || fail "python3 cannot make a venv (apt-get install python3-venv)"
    "$venv/bin/pip" install --quiet --disable-pip-version-check 'schemathesis>=4.32,<5' ||
        fail "pip cannot install schemathesis"
fi

program_to_try "${1:-}"

# Limits are such that a guest that spins takes no time.
limits=(--fuel 2000000 --timeout 2s)

# try ARG…: schemathesis against the gateway, which must outlive it.
try() {
    (cd "$work" && SCHEMATHESIS_HOOKS=openapi_checks PYTHONPATH=$root/scripts/lib PYTHONDONTWRITEBYTECODE=1 \
        "$venv/bin/schemathesis" --config-file "$root/scripts/lib/schemathesis.toml" run "$url/openapi.json" \
        --max-examples "$examples" --seed 1 --request-timeout 20 --max-redirects 0 --no-color "$@") ||
        fail "schemathesis found something, see above"
    kill -0 "$gateway" || fail "the gateway has ended"
    curl -sSf "$url/healthz" >/dev/null
}

serve "${limits[@]}"
try --phases examples,coverage,fuzzing
stop_gateways

mkdir "$work/plugins"
cp "$guests"/{greet,add,wordcount,cgi-rust,infinite-loop,memory-hog}.wasm "$work/plugins/"
printf 'access = "token"\n' >"$work/plugins/add.toml"
(umask 077 && printf 'deploy deploy-0123456789\n' >"$work/tokens")
serve "${limits[@]}" --plugins "$work/plugins" --token-file "$work/tokens"
try --phases examples,coverage,fuzzing --header 'Authorization: Bearer deploy-0123456789'
stop_gateways
note "no answer that the document does not name, and no 5xx that is not a guest's"
