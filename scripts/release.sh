#!/usr/bin/env bash
# Packs the binaries of scripts/cross.sh: one tar.gz for each target and SHA256SUMS, in target/release-files/. The
# same commit, compiler and targets give the same bytes, wherever and whenever it runs.
set -euo pipefail

# shellcheck source=scripts/lib/common.sh
. "$(dirname "$0")/lib/common.sh"
# shellcheck source=scripts/lib/packages.sh
. "$(dirname "$0")/lib/packages.sh"

usage() {
    cat <<'TEXT'
Usage: scripts/release.sh [--no-build] [TARGET...]

Builds TARGETs, or all of scripts/cross.sh, and packs each into target/release-files/fuelbox-VERSION-TARGET.tar.gz:
the binary, its manual page, completions for bash, zsh and fish, the documents, and the units for systemd. Lists them in
SHA256SUMS. With MINISIGN_KEY, a secret key's file, minisign signs that list.

  --no-build   pack what is in target/cross, and nothing that is not
  --help       print this

The files' time is that of the commit (or SOURCE_DATE_EPOCH), their owner is 0, their order that of their names.
Needs GNU tar, gzip and sha256sum, and what scripts/cross.sh needs. Without TARGET, a target that cannot be built is
left out, is named, and the exit code is 1.
TEXT
}

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
out=$root/target/release-files


package_arguments "$@"
need tar gzip sha256sum
tar --version | grep -q 'GNU tar' || fail "needs GNU tar, for --sort and --mtime"
cd "$root"

package_version

status=0
if [[ $build == yes ]]; then
    scripts/cross.sh "${targets[@]}" || status=1
fi
if ((${#targets[@]} == 0)); then
    for binary in target/cross/*/fuelbox; do
        [[ ! -f $binary ]] || targets+=("$(basename "$(dirname "$binary")")")
    done
fi
((${#targets[@]} > 0)) || fail "nothing is built"

rm -rf "$out" && mkdir -p "$out"
here=$(runnable)
for target in "${targets[@]}"; do
    [[ -f target/cross/$target/fuelbox ]] || { note "$target: not built, so not packed"; status=1; continue; }
    name=fuelbox-$version-$target
    mkdir "$out/$name"
    install -m 755 "target/cross/$target/fuelbox" "$out/$name/"
    install -m 644 README.md LICENSE CHANGELOG.md scripts/fuelbox.service scripts/fuelbox.socket "$out/$name/"
    mkdir "$out/$name/man" "$out/$name/completions" "$out/$name/docs"
    "$here" help --man >"$out/$name/man/fuelbox.1"
    "$here" help --completions bash >"$out/$name/completions/fuelbox.bash"
    "$here" help --completions zsh >"$out/$name/completions/_fuelbox"
    "$here" help --completions fish >"$out/$name/completions/fuelbox.fish"
    install -m 644 SECURITY.md "$out/$name/"
    install -m 644 docs/*.md "$out/$name/docs/"
    # gzip without the name and the time that it would put in.
    tar --create --directory "$out" --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner \
        --format=ustar --mode=go=rX,u+rw "$name" | gzip -n -9 >"$out/$name.tar.gz"
    rm -r "${out:?}/$name"
done
cd "$out"
compgen -G '*.tar.gz' >/dev/null || fail "nothing is packed"
LC_ALL=C sha256sum -- *.tar.gz | tee SHA256SUMS
if [[ -n ${MINISIGN_KEY:-} ]]; then
    need minisign
    minisign -S -s "$MINISIGN_KEY" -m SHA256SUMS
fi
exit "$status"
