#!/usr/bin/env bash
# Tries the Debian package of scripts/deb.sh: lintian finds nothing wrong, and in a system of its own it is installed, runs,
# keeps a changed configuration when it is installed again, and is removed without a trace.
#
# usage: scripts/test-deb.sh [DEB]     DEB: the package to try; default: one is made for x86_64
#
# Needs lintian and debootstrap (apt-get install lintian debootstrap), root, and a mirror of Debian, whose address debootstrap
# takes from DEBIAN_MIRROR, or its own default. Exits 3 without one of them.
set -euo pipefail

# shellcheck source=scripts/lib/common.sh
. "$(dirname "$0")/lib/common.sh"
help_if_asked "$@"

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
suite=${DEBIAN_SUITE:-bookworm}
for tool in lintian debootstrap chroot; do
    command -v "$tool" >/dev/null || skip "no $tool here (apt-get install lintian debootstrap)"
done
[[ $(id -u) == 0 ]] || skip "a system of its own takes root"

deb=${1:-}
if [[ -z $deb ]]; then
    "$root/scripts/deb.sh" x86_64-unknown-linux-musl >&2
    deb=$(echo "$root"/target/deb/fuelbox_*_amd64.deb)
fi

said=$(lintian --allow-root --fail-on error,warning "$deb") || fail "lintian: $said"
note "lintian: nothing is wrong"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
system=$work/system
debootstrap --variant=minbase "$suite" "$system" ${DEBIAN_MIRROR:+"$DEBIAN_MIRROR"} >"$work/log" 2>&1 ||
    skip "debootstrap: $(tail -n 1 "$work/log")"
cp "$deb" "$system/fuelbox.deb"
inside() { chroot "$system" "$@" 2>&1; }

inside dpkg -i /fuelbox.deb >"$work/log" || fail "dpkg -i: $(cat "$work/log")"
[[ $(inside fuelbox --version) == fuelbox\ * ]] || fail "the program does not run"
said=$(inside fuelbox call --confine off greet greet --data World)
[[ $said == *"Hello, World"* ]] || fail "it greets nobody: $said"
for file in usr/share/man/man1/fuelbox.1.gz usr/share/bash-completion/completions/fuelbox \
    usr/share/zsh/vendor-completions/_fuelbox usr/share/fish/vendor_completions.d/fuelbox.fish \
    lib/systemd/system/fuelbox.service lib/systemd/system/fuelbox.socket; do
    [[ -s $system/$file ]] || fail "$file is missing"
done
[[ -d $system/var/lib/fuelbox/plugins ]] || fail "there is no folder for plug-ins"
inside fuelbox check /var/lib/fuelbox/plugins >/dev/null || fail "the folder cannot be checked"
echo 'workers = 7' >>"$system/etc/fuelbox/fuelbox.toml"
inside dpkg -i /fuelbox.deb >"$work/log" || fail "dpkg -i, again: $(cat "$work/log")"
grep -qx 'workers = 7' "$system/etc/fuelbox/fuelbox.toml" || fail "a changed configuration is lost"
inside dpkg --purge fuelbox >"$work/log" || fail "dpkg --purge: $(cat "$work/log")"
left=$(find "$system" -xdev -name '*fuelbox*' ! -name fuelbox.deb ! -path '*/var/lib/dpkg/*' ! -path '*/proc/*')
[[ -z $left ]] || fail "left behind: $left"
note "in $suite: installed, run, installed again, removed"
