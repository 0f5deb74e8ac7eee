#!/usr/bin/env bash
# Runs the binaries for ARM under qemu and compares them with the one for this machine: the same commands must give
# the same bytes, exit codes and fuel. Then the tests of the program run with the ARM binary instead of their own.
set -euo pipefail

# shellcheck source=scripts/lib/common.sh
. "$(dirname "$0")/lib/common.sh"

usage() {
    cat <<'TEXT'
Usage: scripts/test-arm.sh [TARGET...]

Without TARGET: aarch64-unknown-linux-musl armv7-unknown-linux-musleabihf

Needs qemu's user mode emulators (apt-get install qemu-user-static), curl, cargo, and what scripts/cross.sh needs
for the target. Exits 0 if every target passed, 1 if something differs or fails, and 3 if nothing failed but some
target could not be tried here, which is named with the reason.
TEXT
}

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
guests=$root/guests/prebuilt
# Modules of tests/it that start the program. The others test the library, inside the test itself.
program_tests=(cases:: cli:: cli_streams:: signals:: health:: service:: reload::a_served reload::a_stop
    wasi_again::the_pieces)


# Of what --report prints, only the times may differ.
without_times() { sed -E 's/instantiate [0-9.]+ ms, run [0-9.]+ ms/instantiate, run/'; }

# Runs `fuelbox ARGS` in a fresh folder; output, errors and exit code go to files called $1.*.
record() {
    local name=$1 program=$2 code=0
    shift 2
    rm -rf "$work/here" && mkdir "$work/here"
    cp -R "$root/guests/wat" "$work/here/data"
    (cd "$work/here" && "$program" "$@" <"$root/LICENSE" >"$work/$name.out" 2>"$work/$name.raw") || code=$?
    without_times <"$work/$name.raw" >"$work/$name.err"
    echo "$code" >"$work/$name.code"
    # What the guest left behind is an output too.
    (cd "$work/here" && find . -type f -exec sha256sum {} + | LC_ALL=C sort) >"$work/$name.files"
}

# Both binaries do the same with these arguments, and end with exit code $1.
same() {
    local expected=$1 part
    shift
    record native "$native" "$@"
    record arm "$arm" "$@"
    for part in code out err files; do
        if ! cmp -s "$work/native.$part" "$work/arm.$part"; then
            note "fuelbox $*: $part differs"
            diff "$work/native.$part" "$work/arm.$part" | head -n 20 >&2 || true
            return 1
        fi
    done
    if [[ $(<"$work/arm.code") != "$expected" ]]; then
        note "fuelbox $*: exit code $(<"$work/arm.code"), not $expected"
        return 1
    fi
    compared=$((compared + 1))
}

compare_commands() {
    local guest ty bits
    compared=0
    same 0 --version
    same 0 help serve
    same 0 list --plugins "$guests"
    for guest in "$guests"/*.wasm; do same 0 inspect "$guest"; done
    local slow=(--report --timeout 120s)
    local exact=("${slow[@]}" --deterministic)
    same 0 run "${slow[@]}" "$guests/add.wasm" add 10 20
    same 0 run "${slow[@]}" "$guests/fibonacci.wasm" fibonacci 90
    same 0 run "${slow[@]}" "$guests/fibonacci.wasm" fibonacci_recursive 22
    same 0 call "${slow[@]}" "$guests/greet.wasm" greet --data World
    same 0 call "${slow[@]}" "$guests/greet-rust.wasm" greet --data-file "$root/README.md"
    same 0 call "${slow[@]}" "$guests/json-transform.wasm" transform --data '{"a": ["b", 1.5e-7, "ß"]}'
    same 0 run "${slow[@]}" "$guests/wordcount.wasm" -- -w
    same 0 run "${exact[@]}" "$guests/wordcount.wasm"
    same 0 run "${exact[@]}" --env GREETING=Hallo "$guests/hello-c.wasm" -- Ada Grace
    same 0 run "${exact[@]}" "$guests/rot.wasm" -- 13
    same 0 run "${exact[@]}" --dir data::/data:ro "$guests/treehash.wasm" -- /data
    same 0 run "${exact[@]}" --seed 7 --dir data::/data "$guests/dirinfo.wasm" -- /data
    same 0 run "${exact[@]}" --dir data::. "$guests/unseen.wasm" -- greet.wat
    # The bits of NaNs, of which processors make different ones.
    for ty in f32 f64; do
        same 0 run "${slow[@]}" "$root/tests/it/nan.wat" "${ty}_made"
        for bits in -1 2139095041 9218868437227405313; do
            [[ $ty = f64 || $bits -lt 4294967296 ]] || continue
            same 0 run "${slow[@]}" "$root/tests/it/nan.wat" "${ty}_given" -- "$bits"
        done
    done
    # Each way to end.
    same 2 run "$guests/add.wasm" add 1
    same 120 run no-such.wasm f
    same 120 run "$guests/add.wasm" subtract 1 2
    same 121 run "${slow[@]}" --max-recursion 10 "$guests/fibonacci.wasm" fibonacci_recursive 22
    same 122 run "${slow[@]}" --fuel 1234567 "$guests/infinite-loop.wasm" spin
    same 123 run "${slow[@]}" --memory-pages 20 "$guests/memory-hog.wasm" hog
    same 124 run --timeout 100ms "$guests/infinite-loop.wasm" spin
    same 126 call --max-output 5 "$guests/greet.wasm" greet --data World
    note "$target: $compared commands give the same output, files, exit code and fuel"
}

# The answer of the gateway at $url.
ask() { curl -sS -m 30 "$@"; }

expect() {
    [[ $2 == "$3" ]] || { note "$target: the gateway: $1 is '$2', not '$3'"; return 1; }
}

stop_gateway() {
    [[ -n ${gateway:-} ]] || return 0
    kill -TERM "$gateway" 2>/dev/null || true
    local code=0
    wait "$gateway" || code=$?
    gateway=
    return "$code"
}

try_gateway() {
    local plugins=$work/plugins url= answer
    rm -rf "$plugins" && mkdir "$plugins"
    cp "$guests"/{add,greet,infinite-loop,cgi-c}.wasm "$plugins"
    "$arm" serve --listen 127.0.0.1:0 --plugins "$plugins" --timeout 1s 2>"$work/serve.log" &
    gateway=$!
    for _ in $(seq 100); do
        url=$(sed -n 's/^.* on \(http:.*\)$/\1/p' "$work/serve.log")
        [[ -z $url ]] || break
        sleep 0.1
    done
    [[ -n $url ]] || { note "$target: the gateway does not start: $(<"$work/serve.log")"; return 1; }
    expect health "$("$arm" health --address "${url#http://}")" ok
    expect greet "$(ask -d World "$url/execute/greet")" 'Hello, World'
    expect add "$(ask -d '10 20' "$url/execute/add?func=add")" 30
    answer=$(ask -o "$work/body" -D - -d World "$url/execute/greet" | tr -d '\r' | sed -n 's/^Fuel-Used: //p')
    expect 'the fuel of greet' "$answer" "$("$native" call --report "$guests/greet.wasm" greet --data World 2>&1 \
        >/dev/null | sed -n 's/^fuelbox: \([0-9]*\) fuel.*/\1/p')"
    answer=$(ask -d body "$url/execute/cgi-c/some/path?x=1")
    [[ $answer == *'POST /some/path?x=1'* ]] || { note "$target: cgi-c answered: $answer"; return 1; }
    expect 'a guest that spins' "$(ask -o "$work/body" -w '%{http_code}' -d '' "$url/execute/infinite-loop?func=spin")" 504
    # A new plug-in, and one that is no more.
    cp "$guests/fibonacci.wasm" "$work/new" && mv "$work/new" "$plugins/fibonacci.wasm" && rm "$plugins/add.wasm"
    for _ in $(seq 100); do
        answer=$(ask -d 20 "$url/execute/fibonacci?func=fibonacci")
        [[ $answer != 6765 ]] || break
        sleep 0.1
    done
    expect 'a new plug-in' "$answer" 6765
    expect 'a removed plug-in' "$(ask -o "$work/body" -w '%{http_code}' -d '1 2' "$url/execute/add?func=add")" 404
    stop_gateway || { note "$target: the gateway ended with $?"; return 1; }
    note "$target: the gateway answers, limits, follows its folder and stops"
}

run_tests() {
    (cd "$root" && FUELBOX_TEST_PROGRAM=$arm cargo test --locked --test it -- "${program_tests[@]}" 2>"$work/cargo.log") ||
        { tail -n 40 "$work/cargo.log" >&2; return 1; }
}

# All for one target; 3 if it cannot be tried.
try() {
    local emulator
    target=$1
    case $target in
    aarch64-*) emulator=qemu-aarch64-static ;;
    armv7-*) emulator=qemu-arm-static ;;
    esac
    command -v "$emulator" >/dev/null ||
        { note "$target: skipped: no $emulator here (apt-get install qemu-user-static)"; return 3; }
    "$root/scripts/cross.sh" --wat "$target" || { note "$target: skipped: it cannot be built here"; return 3; }
    work=$(mktemp -d)
    trap 'stop_gateway || true; rm -rf "$work"' EXIT
    arm=$work/fuelbox
    printf '#!/bin/sh\nexec %s "%s" "$@"\n' "$(command -v "$emulator")" "$root/target/cross/$target/fuelbox-with-wat" >"$arm"
    chmod +x "$arm"
    native=$work/native
    # Wherever cargo put it: it says so.
    cp "$(cd "$root" && cargo build --release --locked --message-format=json 2>/dev/null |
        sed -n 's/.*"executable":"\([^"]*\/fuelbox\)".*/\1/p' | tail -n 1)" "$native"
    compare_commands
    try_gateway
    run_tests
}

targets=()
for arg in "$@"; do
    case $arg in
    --help | -h)
        usage
        exit 0
        ;;
    aarch64-unknown-linux-musl | armv7-unknown-linux-musleabihf) targets+=("$arg") ;;
    *)
        printf "test-arm.sh: not a target of this: '%s'; see --help\n" "$arg" >&2
        exit 2
        ;;
    esac
done
((${#targets[@]} > 0)) || targets=(aarch64-unknown-linux-musl armv7-unknown-linux-musleabihf)
for tool in cargo curl sha256sum cmp; do
    command -v "$tool" >/dev/null || { note "missing $tool"; exit 1; }
done

worst=0
for one in "${targets[@]}"; do
    code=0
    # By itself, so that `set -e` holds inside; in a condition it would not.
    set +e
    (
        set -e
        try "$one"
    )
    code=$?
    set -e
    case $code in
    0) note "$one: passed" ;;
    3) ((worst == 1)) || worst=3 ;;
    *)
        note "$one: failed"
        worst=1
        ;;
    esac
done
exit "$worst"
