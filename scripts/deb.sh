#!/usr/bin/env bash
# Packs the static binaries of scripts/cross.sh as Debian packages, in target/deb/. They need nothing of the system they are
# installed on. The same commit and binary give the same bytes.
set -euo pipefail

# shellcheck source=scripts/lib/common.sh
. "$(dirname "$0")/lib/common.sh"
# shellcheck source=scripts/lib/packages.sh
. "$(dirname "$0")/lib/packages.sh"

usage() {
    cat <<'TEXT'
Usage: scripts/deb.sh [--no-build] [TARGET...]

Builds TARGETs with scripts/cross.sh, or x86_64-unknown-linux-musl, and packs each into
target/deb/fuelbox_VERSION_ARCHITECTURE.deb: the program, its manual page, completions for bash, zsh and fish, the units
for systemd, /etc/fuelbox/fuelbox.toml, and the folder /var/lib/fuelbox/plugins. When it is installed, systemd listens on
127.0.0.1:8080 and starts the service at the first request.

  --no-build   pack what is in target/cross
  --help       print this

Needs dpkg-deb and gzip, and what scripts/cross.sh needs. One of the targets, or a build of this machine, has to run here:
it prints the manual page and the completions. DEB_MAINTAINER, "NAME <ADDRESS>", goes into the package.
scripts/test-deb.sh tries the package.
TEXT
}

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
out=$root/target/deb

package_arguments "$@"
need dpkg-deb gzip
cd "$root"
((${#targets[@]} > 0)) || targets=(x86_64-unknown-linux-musl)
[[ $build == no ]] || scripts/cross.sh "${targets[@]}"

package_version

# Debian's name for the machine of a target.
architecture() {
    case $1 in
    x86_64-*) echo amd64 ;;
    aarch64-*) echo arm64 ;;
    armv7-*) echo armhf ;;
    i686-*) echo i386 ;;
    riscv64*) echo riscv64 ;;
    *) fail "Debian has no name for $1" ;;
    esac
}

# The files of the package, in $1; the program is $2.
lay_out() {
    local to=$1 here doc=$1/usr/share/doc/fuelbox
    here=$(runnable)
    install -D -m 755 "$2" "$to/usr/bin/fuelbox"
    mkdir -p "$to/usr/share/man/man1" "$to/usr/share/bash-completion/completions" \
        "$to/usr/share/zsh/vendor-completions" "$to/usr/share/fish/vendor_completions.d"
    "$here" help --man | gzip -n -9 >"$to/usr/share/man/man1/fuelbox.1.gz"
    "$here" help --completions bash >"$to/usr/share/bash-completion/completions/fuelbox"
    "$here" help --completions zsh >"$to/usr/share/zsh/vendor-completions/_fuelbox"
    "$here" help --completions fish >"$to/usr/share/fish/vendor_completions.d/fuelbox.fish"
    mkdir -p "$to/lib/systemd/system" "$doc" "$to/etc/fuelbox" "$to/usr/share/lintian/overrides"
    sed -e 's|^ExecStart=.*|ExecStart=/usr/bin/fuelbox serve --config /etc/fuelbox/fuelbox.toml|' \
        -e '/^# More flags in a file/d' scripts/fuelbox.service >"$to/lib/systemd/system/fuelbox.service"
    printf '\n[Install]\nAlso=fuelbox.socket\n' >>"$to/lib/systemd/system/fuelbox.service"
    cp scripts/fuelbox.socket "$to/lib/systemd/system/"
    install -d -m 755 "$to/var/lib/fuelbox/plugins"
    install -m 644 README.md SECURITY.md "$doc/"
    { echo "fuelbox ($version) unstable; urgency=medium"; echo; echo "  * See CHANGELOG.md."; echo
      echo " -- $maintainer  $(date -u -R -d "@$SOURCE_DATE_EPOCH")"; } | gzip -n -9 >"$doc/changelog.gz"
    install -m 644 CHANGELOG.md "$doc/"
    { echo 'Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/'; echo
      echo 'Files: *'; sed -n 's/^Copyright (c)/Copyright:/p' LICENSE; echo 'License: Expat'
      sed -e '1,/^Copyright/d' -e '/./!s/^/./' -e 's/^/ /' LICENSE | sed '1{/^ \.$/d}'; } >"$doc/copyright"
    cat >"$to/etc/fuelbox/fuelbox.toml" <<'TEXT'
# Flags of `fuelbox serve`, without their dashes: see fuelbox(1). The address is set in fuelbox.socket
# (systemctl edit fuelbox.socket).
plugins = "/var/lib/fuelbox/plugins"
#timeout = "5s"
#memory-pages = 320
#workers = 4
TEXT
    cat >"$to/usr/share/lintian/overrides/fuelbox" <<'TEXT'
# One static file for every system is what this is.
fuelbox: statically-linked-binary [usr/bin/fuelbox]
fuelbox: shared-library-lacks-prerequisites [usr/bin/fuelbox]
TEXT
}

# What dpkg has to know, in $1/DEBIAN, for the architecture $2.
control() {
    local to=$1/DEBIAN size
    mkdir -m 755 "$to"
    size=$(du -sk --apparent-size --exclude=DEBIAN "$1" | cut -f 1)
    cat >"$to/control" <<TEXT
Package: fuelbox
Version: $version
Architecture: $2
Maintainer: $maintainer
Installed-Size: $size
Section: utils
Priority: optional
Homepage: https://docs.rs/fuelbox
Description: run untrusted WebAssembly under hard limits
 fuelbox interprets WebAssembly modules and components under limits on
 instructions, time, memory and output. It runs programs for WASI, calls
 functions, and serves plug-ins over HTTP. It needs no JIT, and a few megabytes
 of memory.
TEXT
    echo /etc/fuelbox/fuelbox.toml >"$to/conffiles"
    cat >"$to/postinst" <<'TEXT'
#!/bin/sh
set -e
if [ "$1" = configure ] && command -v deb-systemd-helper >/dev/null; then
    deb-systemd-helper unmask fuelbox.socket >/dev/null || true
    if deb-systemd-helper --quiet was-enabled fuelbox.socket; then
        deb-systemd-helper enable fuelbox.socket >/dev/null || true
    else
        deb-systemd-helper update-state fuelbox.socket >/dev/null || true
    fi
fi
if [ "$1" = configure ] && [ -d /run/systemd/system ]; then
    systemctl --system daemon-reload >/dev/null || true
    deb-systemd-invoke start fuelbox.socket >/dev/null || true
    deb-systemd-invoke try-restart fuelbox.service >/dev/null || true
fi
TEXT
    cat >"$to/prerm" <<'TEXT'
#!/bin/sh
set -e
if [ "$1" = remove ] && [ -d /run/systemd/system ]; then
    deb-systemd-invoke stop fuelbox.socket fuelbox.service >/dev/null || true
fi
TEXT
    cat >"$to/postrm" <<'TEXT'
#!/bin/sh
set -e
if [ "$1" = remove ] && [ -d /run/systemd/system ]; then
    systemctl --system daemon-reload >/dev/null || true
fi
if [ "$1" = purge ] && command -v deb-systemd-helper >/dev/null; then
    deb-systemd-helper purge fuelbox.socket >/dev/null || true
    deb-systemd-helper unmask fuelbox.socket >/dev/null || true
fi
TEXT
    chmod 755 "$to/postinst" "$to/prerm" "$to/postrm"
    (cd "$1" && find . -path ./DEBIAN -prune -o -type f -print | LC_ALL=C sort | sed 's|^\./||' | xargs -d '\n' md5sum) \
        >"$to/md5sums"
}

maintainer=${DEB_MAINTAINER:-The fuelbox authors <fuelbox@example.org>}
umask 022
rm -rf "$out" && mkdir -p "$out"
for target in "${targets[@]}"; do
    binary=target/cross/$target/fuelbox
    [[ -f $binary ]] || fail "$binary is not built"
    name=fuelbox_${version}_$(architecture "$target")
    lay_out "$out/$name" "$binary"
    control "$out/$name" "$(architecture "$target")"
    find "$out/$name" -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +
    dpkg-deb --root-owner-group -Zxz --build "$out/$name" "$out/$name.deb" >/dev/null
    rm -r "${out:?}/$name"
    echo "$out/$name.deb: $(stat -c %s "$out/$name.deb") bytes"
done
