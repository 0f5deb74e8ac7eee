# For all scripts: their help, what they say, and what they need. Sourced, not run, with the script's arguments:
#   . "$(dirname "$0")/lib/common.sh"
# Plain POSIX sh. Help is the comment at the beginning of the script.
# shellcheck shell=sh

# note TEXT: says something on standard error.
note() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }

# fail TEXT: says why, and ends with 1.
fail() {
    note "$*"
    exit 1
}

# skip TEXT: says why nothing could be tried here, and ends with 3.
skip() {
    note "skipped: $*"
    exit 3
}

# need TOOL...: fails unless all of them are on the PATH.
need() {
    for tool in "$@"; do command -v "$tool" >/dev/null || fail "$tool is not installed"; done
}

# show_help: prints the comment at the beginning of the script.
show_help() { sed -n '2,/^[^#]/{/^#/s/^# \{0,1\}//p;}' "$0"; }

# help_if_asked "$@": prints help and ends, if the first argument asks for it.
help_if_asked() {
    case ${1:-} in
    --help | -h)
        show_help
        exit 0
        ;;
    esac
}

# try_parts PART...: calls each, and ends the script: with 0 if one could be tried, with 3 if each returned 3, which says that it
# could not be. Each runs in this shell, for what a trap must know, and says itself what went wrong.
try_parts() {
    tried=3
    for part in "$@"; do
        set +e
        "$part"
        code=$?
        set -e
        case $code in
        0) tried=0 ;;
        3) ;;
        *) fail "$part failed" ;;
        esac
    done
    exit "$tried"
}
