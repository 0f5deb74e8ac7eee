#!/usr/bin/env bash
# Rebuilds the example guests in guests/prebuilt/, or checks that they are newer than their sources.
# The prebuilt modules are in the repository so that building and testing fuelbox needs none of these tools.
# Staleness goes by content, not by time: guests/prebuilt/SOURCES.sha256 holds a hash of each guest's sources.
set -euo pipefail

usage() {
    cat <<'EOF'
Usage: scripts/build-guests.sh [--check] [NAME...]

Rebuilds the named guests, or all of them, and records the hash of their sources.

  --check   build nothing: exit 1 naming every guest whose sources changed since its build
  --help    print this

Guests: add fibonacci greet infinite-loop memory-hog (WAT)
        greet-rust wordcount json-transform (Rust)
        hello-c (C)

Tools, each needed only for the guests of its language:
  WAT   wat2wasm: apt-get install wabt
  Rust  cargo, with: rustup target add wasm32-wasip1 wasm32-unknown-unknown
  C     clang for wasm32-wasi: apt-get install clang lld wasi-libc libclang-rt-14-dev-wasm32
        (the 14 is the version of Debian 12's clang; take the one that `clang --version` names)

The same versions of the tools give the same bytes, wherever the repository lies.
EOF
}

all_guests=(add fibonacci greet infinite-loop memory-hog greet-rust wordcount json-transform hello-c)

# A guest is an example to read and a file in the repository: bytes, a bound on accidents.
max_wasm_bytes=100000

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
guests=$root/guests
prebuilt=$guests/prebuilt
record=$prebuilt/SOURCES.sha256
target_dir=$root/target/guests

fail() {
    printf 'build-guests.sh: %s\n' "$*" >&2
    exit 1
}

# What follows from a guest's name: $language, and for Rust $crate (a folder of guests/rust), $target and
# $artifact (the file that cargo makes).
describe() {
    case $1 in
    add | fibonacci | greet | infinite-loop | memory-hog) language=wat ;;
    greet-rust) language=rust crate=greet target=wasm32-unknown-unknown artifact=greet.wasm ;;
    json-transform) language=rust crate=json-transform target=wasm32-unknown-unknown artifact=json_transform.wasm ;;
    wordcount) language=rust crate=wordcount target=wasm32-wasip1 artifact=wordcount.wasm ;;
    hello-c) language=c ;;
    *)
        printf "build-guests.sh: no guest is called '%s'; there are: %s\n" "$1" "${all_guests[*]}" >&2
        exit 2
        ;;
    esac
}

# The sources of a guest, one a line, relative to guests/.
sources() {
    describe "$1"
    case $language in
    wat) echo "wat/$1.wat" ;;
    c) echo c/hello.c ;;
    rust)
        printf '%s\n' "rust/$crate/Cargo.toml" "rust/$crate/Cargo.lock"
        [[ $1 == wordcount ]] || echo rust/packed.rs
        (cd "$guests" && find "rust/$crate/src" -name '*.rs' -type f | LC_ALL=C sort)
        ;;
    esac
}

sha256() {
    if command -v sha256sum >/dev/null; then sha256sum; else shasum -a 256; fi | cut -d ' ' -f 1
}

# The line of SOURCES.sha256 that says: this guest was built from these bytes.
record_line() {
    local files=() file hash
    while IFS= read -r file; do files+=("$file"); done < <(sources "$1")
    hash=$(cd "$guests" && cat -- "${files[@]}" | sha256)
    printf '%s  %s.wasm  %s\n' "$hash" "$1" "${files[*]}"
}

check() {
    local name stale=()
    for name in "$@"; do
        if [[ ! -f $prebuilt/$name.wasm ]]; then
            echo "$name: guests/prebuilt/$name.wasm is missing" >&2
        elif ! grep -qxF -- "$(record_line "$name")" "$record" 2>/dev/null; then
            echo "$name: its sources changed since guests/prebuilt/$name.wasm was built" >&2
        else
            continue
        fi
        stale+=("$name")
    done
    if ((${#stale[@]} > 0)); then
        fail "${#stale[@]} stale; rebuild with: scripts/build-guests.sh ${stale[*]}"
    fi
}

# Collects what is missing for the named guests, so that one run names all of it, before anything is built.
require_tools() {
    local name missing=() wat=0 c=0 targets=() one
    for name in "$@"; do
        describe "$name"
        case $language in
        wat) wat=1 ;;
        c) c=1 ;;
        rust) [[ " ${targets[*]-} " == *" $target "* ]] || targets+=("$target") ;;
        esac
    done

    if ((wat)) && ! command -v wat2wasm >/dev/null; then
        missing+=("wat2wasm: apt-get install wabt")
    fi
    if ((${#targets[@]} > 0)); then
        if ! command -v cargo >/dev/null || ! command -v rustc >/dev/null; then
            missing+=("cargo: curl -sSf https://sh.rustup.rs | sh, then: rustup target add ${targets[*]}")
        else
            for one in "${targets[@]}"; do
                [[ -d $(cd "$guests" && rustc --print target-libdir --target "$one") ]] ||
                    missing+=("Rust's standard library for $one: rustup target add $one")
            done
        fi
    fi
    if ((c)); then
        command -v wasm-ld >/dev/null || missing+=("wasm-ld: apt-get install lld")
        if ! command -v clang >/dev/null; then
            missing+=("clang: apt-get install clang wasi-libc libclang-rt-14-dev-wasm32")
        else
            echo '#include <stdio.h>' | clang --target=wasm32-wasi -E -x c - >/dev/null 2>&1 ||
                missing+=("the C library for wasm32-wasi: apt-get install wasi-libc")
            [[ -f $(clang --target=wasm32-wasi -rtlib=compiler-rt --print-libgcc-file-name) ]] ||
                missing+=("clang's runtime for wasm32: apt-get install libclang-rt-$(clang -dumpversion | cut -d . -f 1)-dev-wasm32")
        fi
    fi

    if ((${#missing[@]} > 0)); then
        printf 'missing %s\n' "${missing[@]}" >&2
        fail "nothing was built"
    fi
}

build_wat() {
    wat2wasm "$guests/wat/$1.wat" -o "$2"
}

build_c() {
    clang --target=wasm32-wasi -std=c99 -Os -Wall -Wextra -Wl,--strip-all "$guests/c/hello.c" -o "$2"
}

# Panic messages hold the paths of source files. They are remapped, so that a module neither names the machine
# that built it nor depends on it.
build_rust() {
    describe "$1"
    local flags=() folder
    cd "$guests/rust/$crate"
    cargo fetch --quiet --locked --target "$target"

    local sysroot commit separator=$'\x1f'
    sysroot=$(rustc --print sysroot)
    commit=$(rustc --version --verbose | sed -n 's/^commit-hash: //p')
    flags+=("--remap-path-prefix=$root=/fuelbox")
    flags+=("--remap-path-prefix=$sysroot/lib/rustlib/src/rust=/rustc/$commit")
    # One folder for each registry or mirror in use; its name must not show either.
    for folder in "${CARGO_HOME:-$HOME/.cargo}"/registry/src/*/; do
        if [[ -d $folder ]]; then flags+=("--remap-path-prefix=${folder%/}=/crates"); fi
    done

    # Encoded flags survive blanks in paths, and keep any other RUSTFLAGS out.
    CARGO_ENCODED_RUSTFLAGS=$(IFS=$separator && printf '%s' "${flags[*]}") \
        cargo build --quiet --locked --release --target "$target" --target-dir "$target_dir"
    cp "$target_dir/$target/release/$artifact" "$2"
}

# A path in a module would name the machine that built it, and make the bytes depend on it.
inspect() {
    local size prefix
    size=$(wc -c <"$2" | tr -d ' ')
    ((size <= max_wasm_bytes)) || fail "$1.wasm has $size bytes; a guest may have $max_wasm_bytes"
    for prefix in "$root" "$HOME" "${CARGO_HOME:-}" "${RUSTUP_HOME:-}"; do
        [[ ${#prefix} -gt 1 ]] || continue
        ! LC_ALL=C grep -aqF -- "$prefix" "$2" || fail "$1.wasm contains the path $prefix of this machine"
    done
    printf '%-20s %6d bytes\n' "$1.wasm" "$size"
}

build() {
    local name out=$target_dir/wasm kept
    require_tools "$@"
    mkdir -p "$out" "$prebuilt"
    for name in "$@"; do
        describe "$name"
        # A subshell each, for the folder it changes to.
        ("build_$language" "$name" "$out/$name.wasm")
        inspect "$name" "$out/$name.wasm"
    done

    # Only now, with every build done, does anything in guests/prebuilt/ change.
    for name in "$@"; do
        install -m 644 "$out/$name.wasm" "$prebuilt/$name.wasm"
    done
    for name in "${all_guests[@]}"; do
        if [[ " $* " == *" $name "* ]]; then
            record_line "$name"
        elif kept=$(grep -F -- "  $name.wasm  " "$record" 2>/dev/null); then
            printf '%s\n' "$kept"
        fi
    done >"$out/SOURCES.sha256"
    cp "$out/SOURCES.sha256" "$record"
}

action=build
names=()
for arg in "$@"; do
    case $arg in
    --help | -h)
        usage
        exit 0
        ;;
    --check) action=check ;;
    -*)
        printf "build-guests.sh: unknown option '%s'; see --help\n" "$arg" >&2
        exit 2
        ;;
    *)
        describe "$arg"
        names+=("$arg")
        ;;
    esac
done
((${#names[@]} > 0)) || names=("${all_guests[@]}")
"$action" "${names[@]}"
