#!/usr/bin/env bash
# Rebuilds the conformance cases in tests/cases/, or checks that they are newer than their sources.
# The built modules are in the repository so that testing fuelbox needs no compiler for wasm.
# Staleness goes by content, not by time: tests/cases/SOURCES.sha256 holds a hash of each case's sources.
set -euo pipefail

# shellcheck source=scripts/lib/common.sh
. "$(dirname "$0")/lib/common.sh"

usage() {
    cat <<'TEXT'
Usage: scripts/build-cases.sh [--check] [NAME...]

Rebuilds the named cases, or all of them, and records the hash of their sources. A case is called after its
file in tests/cases/src/, without the ending.

  --check   build nothing: exit 1 naming every case whose sources changed since its build
  --help    print this

Tools: rustc, with: rustup target add wasm32-unknown-unknown

The same rustc gives the same bytes, wherever the repository lies.
TEXT
}

target=wasm32-unknown-unknown
# What every case is made of, besides its own file.
shared=(src/wasi.rs src/wasi/abi.rs src/wasi/calls.rs)
# A case is a file in the repository: bytes, a bound on accidents.
max_wasm_bytes=32768

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
cases=$root/tests/cases
record=$cases/SOURCES.sha256
out=$root/target/cases
. "$root/scripts/lib/modules.sh"

all_cases() {
    (cd "$cases/src" && find . -maxdepth 1 -name '*.rs' ! -name wasi.rs -type f) | sed 's|^\./||; s|\.rs$||' |
        LC_ALL=C sort
}

record_line() {
    line_of "$cases" "$1" "src/$1.rs" "${shared[@]}"
}

check() {
    local name stale=()
    for name in "$@"; do
        check_built "$name" "$cases" "$(record_line "$name")" || stale+=("$name")
    done
    fail_if_stale ${stale[@]+"${stale[@]}"}
}

require_tools() {
    command -v rustc >/dev/null ||
        fail "missing rustc: curl -sSf https://sh.rustup.rs | sh, then: rustup target add $target"
    [[ -d $(rustc --print target-libdir --target "$target") ]] ||
        fail "missing Rust's core library for $target: rustup target add $target"
}

# Panics hold the paths of source files. They are remapped, so that a module neither names the machine that
# built it nor depends on it.
compile() {
    local sysroot commit
    sysroot=$(rustc --print sysroot)
    commit=$(rustc --version --verbose | sed -n 's/^commit-hash: //p')
    cd "$cases/src"
    rustc --edition 2024 --crate-type cdylib --crate-name "$1" --target "$target" -D warnings \
        -C opt-level=z -C lto=fat -C codegen-units=1 -C panic=abort -C strip=symbols \
        -C link-arg=-zstack-size=65536 \
        "--remap-path-prefix=$cases/src=/cases" \
        "--remap-path-prefix=$sysroot/lib/rustlib/src/rust=/rustc/$commit" \
        -o "$2" "$1.rs"
}

build() {
    local name
    require_tools
    mkdir -p "$out"
    for name in "$@"; do
        # A subshell each, for the folder it changes to.
        (compile "$name" "$out/$name.wasm")
        inspect "$name" "$out/$name.wasm" "$max_wasm_bytes"
    done

    # Only now, with every build done, does anything in tests/cases/ change.
    for name in "$@"; do
        install -m 644 "$out/$name.wasm" "$cases/$name.wasm"
    done
    for name in "${all[@]}"; do
        if [[ " $* " == *" $name "* ]]; then
            record_line "$name"
        else
            kept_line "$cases" "$name"
        fi
    done >"$out/SOURCES.sha256"
    cp "$out/SOURCES.sha256" "$record"
}

all=()
while IFS= read -r name; do all+=("$name"); done < <(all_cases)
action=build
names=()
for arg in "$@"; do
    case $arg in
    --help | -h)
        usage
        exit 0
        ;;
    --check) action=check ;;
    *)
        if [[ " ${all[*]} " != *" $arg "* ]]; then
            printf "build-cases.sh: no case is called '%s'; see --help\n" "$arg" >&2
            exit 2
        fi
        names+=("$arg")
        ;;
    esac
done
((${#names[@]} > 0)) || names=("${all[@]}")
"$action" "${names[@]}"
