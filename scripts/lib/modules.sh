# For scripts that build modules into the repository: what they are made of, and that they are fit to be there.
# Sourced, not run; needs $root.
# shellcheck shell=bash

sha256() {
    if command -v sha256sum >/dev/null; then sha256sum; else shasum -a 256; fi | cut -d ' ' -f 1
}

# line_of FOLDER NAME FILE...: the line of SOURCES.sha256 that says that NAME was built from these bytes.
line_of() {
    local folder=$1 name=$2 hash
    shift 2
    hash=$(cd "$folder" && cat -- "$@" | sha256)
    printf '%s  %s.wasm  %s\n' "$hash" "$name" "$*"
}

# check_built NAME FOLDER LINE: says what is wrong with the module NAME in FOLDER, whose record must have LINE.
check_built() {
    local shown=${2#"$root/"}/$1.wasm
    if [[ ! -f $2/$1.wasm ]]; then
        echo "$1: $shown is missing" >&2
    elif ! grep -qxF -- "$3" "$2/SOURCES.sha256" 2>/dev/null; then
        echo "$1: its sources changed since $shown was built" >&2
    else
        return 0
    fi
    return 1
}

# fail_if_stale NAME...: fails if there is any.
fail_if_stale() {
    (($# == 0)) || fail "$# stale; rebuild with: scripts/${0##*/} $*"
}

# kept_line FOLDER NAME: the line that its record has for a module that is not built now.
kept_line() {
    grep -F -- "  $2.wasm  " "$1/SOURCES.sha256" 2>/dev/null || true
}

# inspect NAME FILE MAX: a path in a module would name the machine that built it, and make the bytes depend on it.
inspect() {
    local size prefix
    size=$(wc -c <"$2" | tr -d ' ')
    ((size <= $3)) || fail "$1.wasm has $size bytes; it may have $3"
    for prefix in "$root" "$HOME" "${CARGO_HOME:-}" "${RUSTUP_HOME:-}"; do
        [[ ${#prefix} -gt 1 ]] || continue
        ! LC_ALL=C grep -aqF -- "$prefix" "$2" || fail "$1.wasm contains the path $prefix of this machine"
    done
    printf '%-28s %7d bytes\n' "$1.wasm" "$size"
}
