#!/usr/bin/env bash
# Builds fuelbox as one static binary for each of several machines, on any of them and without a C compiler
# for any of them: musl's libc is linked in, and nothing is looked for at run time.
set -euo pipefail

# shellcheck source=scripts/lib/common.sh
. "$(dirname "$0")/lib/common.sh"

usage() {
    cat <<'TEXT'
Usage: scripts/cross.sh [--wat | --nats | --small] [TARGET...]

Builds release binaries into target/cross/TARGET/fuelbox, prints their sizes and checks that they are static. They
have the default features without `wat`: wat2wasm and `wasm-tools parse` turn text into modules, and the text format
would take 0.5 MB. On x86, and where rustup has no std, they have a std from Rust's sources without backtraces, which
could name nothing in a stripped binary and take 0.3 MB: RUSTC_BOOTSTRAP=1 makes the stable compiler build it. Without
the sources they have the usual std, and this says so. Without TARGET it builds for all of these:

  x86_64-unknown-linux-musl          PCs and servers
  aarch64-unknown-linux-musl         Raspberry Pi 3 and newer with a 64-bit system, most routers of today
  armv7-unknown-linux-musleabihf     Raspberry Pi 2 and newer with a 32-bit system
  i686-unknown-linux-musl            old PCs
  riscv64gc-unknown-linux-musl       64-bit RISC-V boards

  --wat     with the feature `wat`, so all default features, into target/cross/TARGET/fuelbox-with-wat
  --nats    with the feature `nats` as well, into target/cross/TARGET/fuelbox-nats. Its TLS (ring) has parts in C and
            assembly: zig compiles them, and links
  --small   the smallest build, into target/cross/TARGET/fuelbox-small: profile `small`, the feature `cli` alone,
            and a std built for size, which has no backtraces of its own panics (RUST_BACKTRACE); their messages
            name no line of the source. That needs unstable flags of the compiler, which RUSTC_BOOTSTRAP=1 makes
            the stable one accept, and Rust's sources for every target. Without the sources it takes the std that
            is there, which makes it 0.3 MB larger, and says so
  --help    print this

Needs cargo, and a linker for build scripts as every cargo build does (`cc`). For each target it takes one of:

  1. Rust's own std for it (rustup target add TARGET), linked with the `rust-lld` that comes with Rust.
  2. Where rustup has no std for it: Rust's sources (rustup component add rust-src), from which std is built, and
     zig as linker, which is installed from PyPI into target/cross/venv (cargo-zigbuild and ziglang) with the
     python3 that is there.

It tries to add what is missing; a target that cannot be built is named with the reason, and the others are built
all the same. The exit code is 0 if all were built, otherwise 1.

Not among them: ARMv6 (Raspberry Pi 1 and Zero) and 32-bit MIPS. The gateway's connections keep times in 64-bit
atomics. For ARMv6 Rust has them by help of the kernel (its kuser helpers, which a kernel may leave out); it should
build, but was not tried. For 32-bit MIPS Rust has none, so the crate does not compile.
TEXT
}

all=(x86_64-unknown-linux-musl aarch64-unknown-linux-musl armv7-unknown-linux-musleabihf
    i686-unknown-linux-musl riscv64gc-unknown-linux-musl)

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
out=$root/target/cross
build=${CARGO_TARGET_DIR:-$root/target}/cross-build
# The versions that were tried. zig brings the C library, so its version is part of what is built.
zig_packages=(ziglang==0.17.0 cargo-zigbuild)
name=fuelbox
profile=release
all_but_wat=(--no-default-features --features cli,component,examples,console,openapi,manual,dwarf)
features=("${all_but_wat[@]}")
# Without backtraces.
own_std=(-Zbuild-std=std,panic_unwind -Zbuild-std-features=)
small_std=(-Zbuild-std=std,panic_unwind -Zbuild-std-features=optimize_for_size)
# What the compiler and rust-lld are told more, for a small build alone.
compiler_flags=()
linker_flags=()


# Is Rust's std for $1 here, or can it be had?
std_is_there() {
    [[ -d $(rustc --print target-libdir --target "$1" 2>/dev/null) ]] && return
    command -v rustup >/dev/null && rustup target add "$1" >/dev/null 2>&1
}

source_is_there() {
    [[ -d $(rustc --print sysroot)/lib/rustlib/src/rust/library ]] && return
    command -v rustup >/dev/null && rustup component add rust-src >/dev/null 2>&1
}

zig_is_there() {
    [[ -x $out/venv/bin/cargo-zigbuild && -x $out/venv/bin/python-zig ]] && return
    command -v python3 >/dev/null || return 1
    mkdir -p "$out"
    python3 -m venv "$out/venv" >/dev/null 2>&1 &&
        "$out/venv/bin/pip" --quiet --disable-pip-version-check install "${zig_packages[@]}" >/dev/null 2>&1
}

# Panics hold the paths of source files. They are remapped, so that a binary neither names the machine that built
# it nor depends on it. Cargo takes flags with unit separators between them, so paths may hold spaces.
encoded_flags() {
    local sysroot commit flags
    sysroot=$(rustc --print sysroot)
    commit=$(rustc --version --verbose | sed -n 's/^commit-hash: //p')
    flags=("--remap-path-prefix=$root=/fuelbox"
        "--remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=/cargo"
        "--remap-path-prefix=$sysroot/lib/rustlib/src/rust=/rustc/$commit"
        "$@")
    local IFS=$'\x1f'
    printf '%s' "${flags[*]}"
}

# Flags of a small build whose compiler takes unstable ones. Panics name no lines: 60 KB. On x86_64, frame pointers make
# unwinding tables 70 KB smaller; in functions that call nothing they would slow the interpreter.
use_small_flags() {
    compiler_flags=(-Zlocation-detail=none)
    [[ $1 != x86_64-* ]] || compiler_flags+=(-Zunstable-options -C force-frame-pointers=non-leaf)
    # Functions that are the same are there once: 30 KB.
    linker_flags=(-C link-arg=--icf=all)
}

# Building std is not yet part of stable Rust; RUSTC_BOOTSTRAP makes the same compiler allow it.
compile() {
    local target=$1 common
    common=(--profile "$profile" --locked --target "$target" --target-dir "$build" "${features[@]}")
    cd "$root"
    if [[ $profile == small ]]; then
        # musl's printf wants arithmetic of 128-bit floats but on x86, and a std built here has none; zig has it.
        if [[ $target == x86_64-* || $target == i686-* ]] && std_is_there "$target" && source_is_there; then
            note "$target: with rust-lld, and a small std from its sources"
            use_small_flags "$target"
            RUSTC_BOOTSTRAP=1 with_lld "${small_std[@]}"
            return
        elif source_is_there && zig_is_there; then
            note "$target: a small std from its sources, with zig"
            use_small_flags "$target"
            with_zig "${small_std[@]}"
            return
        fi
        note "$target: Rust's sources, or zig, are not to be had, so std is the usual one"
    elif [[ $name != fuelbox-nats ]] && [[ $target == x86_64-* || $target == i686-* ]] && std_is_there "$target"; then
        if source_is_there; then
            note "$target: with rust-lld, and std from its sources"
            RUSTC_BOOTSTRAP=1 with_lld "${own_std[@]}"
            return
        fi
        note "$target: Rust's sources are not to be had, so std is the usual one, with backtraces"
    fi
    if [[ $name == fuelbox-nats ]]; then
        if ! source_is_there || ! zig_is_there; then
            note "$target: the feature nats needs Rust's sources, and zig from PyPI (${zig_packages[*]})"
            return 1
        fi
        note "$target: std from its sources, with zig"
        with_zig "${own_std[@]}"
        return
    fi
    if std_is_there "$target"; then
        note "$target: with rust-lld"
        with_lld
    elif ! source_is_there; then
        note "$target: neither Rust's std for it nor Rust's sources are to be had (rustup target add $target," \
            "or rustup component add rust-src)"
        return 1
    elif ! zig_is_there; then
        note "$target: rustup has no std for it, and building one needs zig from PyPI: python3 with venv, and" \
            "pip install ${zig_packages[*]} into target/cross/venv, did not work"
        return 1
    else
        note "$target: std from its sources, with zig"
        with_zig "${own_std[@]}"
    fi
}

# These two are parts of `compile`. Relative relocations go in the packed form, which the musl that comes with Rust
# reads: 0.08 MB less on x86_64.
with_lld() {
    CARGO_ENCODED_RUSTFLAGS=$(encoded_flags -C link-arg=--pack-dyn-relocs=relr "${compiler_flags[@]}" "${linker_flags[@]}") \
        cargo build "${common[@]}" --config "target.$target.linker=\"rust-lld\"" "$@"
}

# zig has the start files and libunwind that rustc would look for in the std that is not there.
with_zig() {
    CARGO_ENCODED_RUSTFLAGS=$(encoded_flags -C link-self-contained=no "${compiler_flags[@]}") RUSTC_BOOTSTRAP=1 \
        PATH="$out/venv/bin:$PATH" cargo zigbuild "${common[@]}" "$@"
}

# Static: no interpreter (the dynamic loader) is asked for and no library is needed. A static PIE has a
# dynamic section all the same, so that alone says nothing.
check_static() {
    if command -v readelf >/dev/null; then
        ! readelf --wide --program-headers "$1" | grep -q INTERP || return 1
        ! readelf --wide --dynamic "$1" 2>/dev/null | grep -q NEEDED
    elif command -v file >/dev/null; then
        file -b "$1" | grep -q 'static'
    else
        note "neither readelf nor file is here: not checked whether $1 is static"
    fi
}

# Some ways to compile the interpreter make it refuse all but short runs (src/sandbox/tail_calls.rs).
check_runs() {
    local code=0
    [[ $1 == "$(uname -m)"-* ]] || return 0
    "$2" run --timeout 200ms "$root/guests/prebuilt/infinite-loop.wasm" spin 2>/dev/null || code=$?
    ((code == 124))
}

targets=()
for arg in "$@"; do
    case $arg in
    --help | -h)
        usage
        exit 0
        ;;
    --wat)
        name=fuelbox-with-wat
        features=()
        ;;
    --nats)
        name=fuelbox-nats
        features=("${all_but_wat[@]:0:2}" "${all_but_wat[2]},nats")
        ;;
    --small)
        name=fuelbox-small
        profile=small
        features=(--no-default-features --features cli)
        ;;
    *)
        if [[ " ${all[*]} " != *" $arg "* ]]; then
            printf "cross.sh: no target is called '%s'; see --help\n" "$arg" >&2
            exit 2
        fi
        targets+=("$arg")
        ;;
    esac
done
((${#targets[@]} > 0)) || targets=("${all[@]}")
command -v cargo >/dev/null && command -v rustc >/dev/null || { note "missing cargo: https://rustup.rs"; exit 1; }

missing=()
for target in "${targets[@]}"; do
    # A subshell, for the folder and what it sets.
    if ! (compile "$target"); then
        missing+=("$target")
        continue
    fi
    mkdir -p "$out/$target"
    install -m 755 "$build/$target/$profile/fuelbox" "$out/$target/$name"
    if ! check_runs "$target" "$out/$target/$name"; then
        note "$target: the binary does not run a guest until its deadline"
        missing+=("$target")
    elif check_static "$out/$target/$name"; then
        printf '%-32s %8d bytes, static\n' "$target/$name" "$(wc -c <"$out/$target/$name")"
    else
        note "$target: the binary is not static"
        missing+=("$target")
    fi
done
if ((${#missing[@]} > 0)); then
    note "not built: ${missing[*]}"
    exit 1
fi
