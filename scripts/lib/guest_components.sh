# How guests are built that are components, in languages other than Rust. As guest_builders.sh, which see. Bindings are
# generated, and are not in the repository.
# shellcheck shell=bash disable=SC2154

wit_bindgen_version=0.63.0
wasm_tools_version=1.263.0
wac_version=0.12.0
# Makes a component of a module that imports preview1. Go's modules need 49 or newer.
adapter_version=49.0.3
componentize_py_version=0.25.1
# Of the crate `wasip2`, which has the texts of WASI's interfaces.
wasi_crate_version=1.0.4
wasi_version=0.2.12
# The one that componentize-js 0.23 has built in.
wasi_version_js=0.2.10

# require_tool NAME VERSION INSTALL...: a program, and how it is installed.
require_tool() {
    [[ $("$1" --version 2>/dev/null) == *" $2"* ]] || missing+=("$1 $2: ${*:3}")
}

require_c_component() {
    require_c
    require_tool wit-bindgen "$wit_bindgen_version" cargo install --locked "wit-bindgen-cli@$wit_bindgen_version"
    require_tool wasm-tools "$wasm_tools_version" cargo install --locked "wasm-tools@$wasm_tools_version"
}

require_c_program() {
    require_c
    require_crates
    require_tool wasm-tools "$wasm_tools_version" cargo install --locked "wasm-tools@$wasm_tools_version"
}

require_go_component() {
    require_go
    require_crates
    require_tool wit-bindgen "$wit_bindgen_version" cargo install --locked "wit-bindgen-cli@$wit_bindgen_version"
    require_tool wasm-tools "$wasm_tools_version" cargo install --locked "wasm-tools@$wasm_tools_version"
}

require_javascript() {
    require_assemblyscript
    require_crates
}

require_python() {
    require_crates
    require_tool componentize-py "$componentize_py_version" pip install "componentize-py==$componentize_py_version"
}

require_composed() {
    require_rust "$@"
    require_tool wac "$wac_version" cargo install --locked "wac-cli@$wac_version"
}

require_crates() {
    command -v cargo >/dev/null || missing+=("cargo: curl -sSf https://sh.rustup.rs | sh")
}

# crate_folder NAME VERSION: where cargo has put the files of a crate of crates.io.
crate_folder() {
    local folder=$target_dir/crates/$1 found
    mkdir -p "$folder/src"
    : >"$folder/src/lib.rs"
    printf '[package]\nname = "one"\nedition = "2021"\n[dependencies]\n%s = "=%s"\n[workspace]\n' "$1" "$2" \
        >"$folder/Cargo.toml"
    found=$(cargo metadata --quiet --format-version 1 --manifest-path "$folder/Cargo.toml" |
        grep -o "\"manifest_path\":\"[^\"]*/$1-$2[^\"]*/Cargo.toml\"" | head -n 1)
    found=${found#*:\"}
    [[ -n $found ]] || fail "cargo does not find $1 $2"
    echo "${found%/Cargo.toml\"}"
}

# adapt KIND MODULE INTO: a component of a module that imports preview1. KIND is `command` or `reactor`.
adapt() {
    local adapters
    adapters=$(crate_folder wasi-preview1-component-adapter-provider "$adapter_version")/artefacts
    wasm-tools component new "$2" --adapt "wasi_snapshot_preview1=$adapters/wasi_snapshot_preview1.$1.wasm" -o "$3"
}

# bind LANGUAGE FOLDER: generates what stands between a world and a program.
bind() {
    rm -rf "$2"
    mkdir -p "$2"
    wit-bindgen "$1" "$guests/wit" --world "$world" --out-dir "$2" >"$2.log" 2>&1 || fail "$(cat "$2.log")"
}

# Without WASI, no adapter is needed.
build_c_component() {
    local bindings=$target_dir/bindings/$1
    bind c "$bindings"
    clang --target=wasm32-wasi -mexec-model=reactor -std=c99 -Os -Wall -Wextra -Wl,--strip-all -I "$bindings" \
        "$guests/$source" "$bindings/texts.c" "$bindings/texts_component_type.o" -o "$2.core"
    wasm-tools component new "$2.core" -o "$2"
}

build_c_program() {
    build_c "$1" "$2.core"
    adapt command "$2.core" "$2"
}

build_go_component() {
    local module=$target_dir/bindings/$1 package
    package=$(crate_folder wit-bindgen-go "$wit_bindgen_version")/src/pkg
    bind go "$module"
    mkdir "$module/export_demo_text_text"
    cp "$guests/$source" "$module/export_demo_text_text/"
    cd "$module"
    # Beside it, as the module's information has the path. The version is the one that the package asks for.
    cp -R "$package" pkg
    go mod edit -go=1.27.1 -replace go.bytecodealliance.org/pkg=./pkg
    # The package allocates with `runtime.sbrk`, which has no name outside of the runtime since Go 1.23.
    GOPROXY=off compile_go "$2.core" -buildmode=c-shared -ldflags='-s -w -buildid= -checklinkname=0' .
    wasm-tools component embed "$guests/wit" --world "$world" "$2.core" -o "$2.embedded"
    adapt reactor "$2.embedded" "$2"
}

# wit_of VERSION: the folder with the interfaces of $world, in whose texts WASI is of this version.
wit_of() {
    local folder=$target_dir/wit/$world-$1 crate file
    [[ $world == handler ]] || {
        echo "$guests/wit"
        return
    }
    crate=$(crate_folder wasip2 "$wasi_crate_version")
    rm -rf "$folder"
    mkdir -p "$folder/deps"
    for file in "$crate"/wit/deps/*.wit; do
        sed "s/${wasi_version//./\\.}/$1/" "$file" >"$folder/deps/${file##*/}"
    done
    printf 'package demo:handler;\nworld handler { include wasi:http/proxy@%s; }\n' "$1" >"$folder/handler.wit"
    echo "$folder"
}

build_javascript() {
    local wit without=()
    wit=$(wit_of "$wasi_version_js")
    # What answers no requests needs no WASI.
    [[ $world == handler ]] || without=(stdio random clocks http fetch-event)
    copy_npm javascript js
    cp "$guests/javascript/build.mjs" .
    node build.mjs "${source##*/}" "$wit" "$world" "$2" ${without[@]+"${without[@]}"} >&2
}

build_python() {
    local copy=$target_dir/python/$1
    rm -rf "$copy"
    mkdir -p "$copy"
    cp "$guests/$source" "$copy/"
    cd "$copy"
    componentize-py --quiet --wit-path "$(wit_of "$wasi_version")" --world "$world" \
        componentize "$(basename "$source" .py)" --output "$2"
}

# The component that imports an interface, with one plugged in that exports it.
build_composed() {
    local part=$plug
    (build_rust "$1" "$2.outer")
    (describe "$part" && "build_$language" "$part" "$2.plug")
    wac plug --plug "$2.plug" "$2.outer" -o "$2"
}
