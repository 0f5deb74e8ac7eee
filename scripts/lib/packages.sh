# What the scripts that pack releases have in common. Sourced, not run, after common.sh, with $root set and a function `usage`.
# shellcheck shell=bash

# package_arguments "$@": sets $build to yes or no, and $targets.
package_arguments() {
    local arg
    build=yes
    targets=()
    for arg in "$@"; do
        case $arg in
        --help | -h)
            usage
            exit 0
            ;;
        --no-build) build=no ;;
        -*)
            note "unknown flag $arg; see --help"
            exit 2
            ;;
        *) targets+=("$arg") ;;
        esac
    done
}

# package_version: sets $version, and SOURCE_DATE_EPOCH to the time of the commit if it is not set. In $root.
package_version() {
    version=$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -n 1)
    SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || true)}
    [[ $SOURCE_DATE_EPOCH =~ ^[0-9]+$ ]] || fail "no commit here to take the time from; set SOURCE_DATE_EPOCH"
    export SOURCE_DATE_EPOCH
}

# runnable: prints the path of a build that runs here, which can print the manual page.
runnable() {
    local program
    for program in "$root"/target/cross/*/fuelbox "$root/target/release/fuelbox" "$root/target/debug/fuelbox"; do
        if [[ -x $program ]] && "$program" help --man >/dev/null 2>&1; then
            echo "$program"
            return
        fi
    done
    fail "no build of fuelbox runs on this machine (cargo build makes one)"
}
