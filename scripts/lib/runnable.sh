# A build of fuelbox that runs on this machine. Sourced, not run, after common.sh, with $root set.
# shellcheck shell=bash

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
