#!/usr/bin/env bash
# Tries what the Dockerfiles make. With a Docker that works it builds and runs the images. Without one, and besides,
# it lays out the files that deploy/Dockerfile.prebuilt copies, and runs its command with them as a read-only root, as its user,
# without capabilities, in namespaces of its own.
#
# usage: scripts/test-image.sh
#
# Needs cargo (for scripts/cross.sh) and curl; for the second part root, and unshare, mount, chroot and setpriv
# (util-linux, coreutils). Exits 3 if neither part could be tried, and says why.
set -euo pipefail

# shellcheck source=scripts/lib/common.sh
. "$(dirname "$0")/lib/common.sh"
help_if_asked "$@"

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
target=x86_64-unknown-linux-musl
dockerfile=deploy/Dockerfile.prebuilt
port=18480

need cargo curl
[[ $(uname -m) == x86_64 ]] || skip "it tries the image for x86_64"

# The words of a line in JSON's form: CMD ["a", "b"].
words_of() { sed -n "s/^$1 \[\(.*\)\]\$/\1/p" "$root/$dockerfile" | tr -d '",'; }
value_of() { sed -n "s/^$1 //p" "$root/$dockerfile"; }

# Asks the gateway on $port, until it is there.
check_answers() {
    local i
    for ((i = 0; i < 100; i++)); do
        ! curl -fsS -m 2 "http://127.0.0.1:$port/healthz" >/dev/null 2>&1 || break
        sleep 0.1
    done
    [[ $(curl -sS -m 30 -d World "http://127.0.0.1:$port/execute/$1") == 'Hello, World' ]] ||
        fail "$2: the gateway does not answer"
}

with_docker() {
    command -v docker >/dev/null || { note "docker: skipped: it is not installed"; return 3; }
    docker info >/dev/null 2>&1 || { note "docker: skipped: no Docker daemon answers"; return 3; }
    # The one that is built from the sources, where what it begins with is there or can be had.
    local from
    from=$(sed -n 's/^ARG RUST=//p' "$root/Dockerfile")
    if docker image inspect "$from" >/dev/null 2>&1 || docker pull -q "$from" >/dev/null 2>&1; then
        docker build -q --network host -t fuelbox-test "$root" >/dev/null || fail "docker build"
        try_image "from the sources"
    else
        note "docker: $from cannot be had, so the image is not built from the sources"
    fi
    docker build -q -t fuelbox-test --build-arg "TARGET=$target" -f "$root/$dockerfile" "$root" >/dev/null ||
        fail "docker build -f $dockerfile"
    try_image "from the binary"
}

# Runs the image, with the host's network where the daemon has no other.
try_image() {
    local network=(-p "127.0.0.1:$port:8080") command=() address=()
    if ! docker network inspect bridge >/dev/null 2>&1; then
        network=(--network host)
        command=(serve --listen "127.0.0.1:$port")
        address=(--address "127.0.0.1:$port")
    fi
    container=$(docker run -d --rm --read-only --cap-drop ALL --security-opt no-new-privileges \
        "${network[@]}" -v "$work/plugins:/plugins:ro" fuelbox-test "${command[@]}") || fail "docker run"
    check_answers hello docker
    docker exec "$container" /fuelbox health "${address[@]}" >/dev/null || fail "docker: not healthy"
    docker stop "$container" >/dev/null
    container=
    note "docker: the image is built $1, serves and is healthy"
}

# What `COPY` lines name must be in the context, and is all that is in the image.
lay_out() {
    local words from to
    while read -ra words; do
        [[ ${words[0]} != --* ]] || words=("${words[@]:1}")
        from=${words[0]//\$\{TARGET\}/$target}
        to=${words[1]}
        [[ -f $root/$from ]] || fail "the Dockerfile copies $from, which is not there"
        grep -qxF "!${words[0]//\$\{TARGET\}/*}" "$root/.dockerignore" || fail ".dockerignore leaves $from out"
        install -m 755 "$root/$from" "$work/root$to"
    done < <(value_of COPY)
    # Folders that a container's runtime makes, to mount on.
    mkdir -p "$work/root/dev/shm" "$work/root/plugins"
}

without_docker() {
    local tool entry user health
    [[ $(id -u) == 0 ]] || { note "chroot: skipped: needs root"; return 3; }
    for tool in unshare mount chroot setpriv; do
        command -v "$tool" >/dev/null || { note "chroot: skipped: no $tool here"; return 3; }
    done
    unshare --mount true 2>/dev/null || { note "chroot: skipped: no mount namespaces here"; return 3; }
    lay_out
    entry="$(words_of ENTRYPOINT) $(words_of CMD)"
    entry=${entry/:8080/:$port}
    health=$(words_of 'HEALTHCHECK .*CMD')
    user=$(value_of USER)
    [[ $user =~ ^[1-9][0-9]*:[1-9][0-9]*$ ]] || fail "USER is not a number, or root: $user"
    cat >"$work/start" <<'SH'
set -eu
root=$1 plugins=$2 user=$3
shift 3
mount --bind "$root" "$root"
mount --bind "$plugins" "$root/plugins"
mount -o remount,bind,ro "$root/plugins"
mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
mount -o remount,bind,ro "$root"
# What the gateway may not do, as the proof that the root is read-only.
if touch "$root/written" 2>/dev/null; then echo "the root can be written" >&2; exit 1; fi
# chroot needs its right to do so until it becomes the user, which ends all rights.
exec setpriv --no-new-privs -- chroot --userspec="$user" "$root" "$@"
SH
    # shellcheck disable=SC2086
    unshare --mount --propagation private -- sh "$work/start" "$work/root" "$work/plugins" "$user" $entry \
        2>"$work/serve.log" &
    gateway=$!
    check_answers hello chroot
    local status=/proc/$gateway/status
    grep -qE "^Uid:\s+${user%:*}\s+${user%:*}\s+${user%:*}" "$status" || fail "chroot: not the user of the Dockerfile"
    grep -qE '^CapEff:\s+0+$' "$status" || fail "chroot: it has capabilities"
    [[ $(readlink "/proc/$gateway/root") == "$work/root" ]] || fail "chroot: not in its root"
    # shellcheck disable=SC2086
    chroot --userspec="$user" "$work/root" $health --address "127.0.0.1:$port" >/dev/null || fail "chroot: not healthy"
    kill -TERM "$gateway"
    wait "$gateway" || fail "chroot: the gateway ended with $?: $(<"$work/serve.log")"
    gateway=
    # shellcheck disable=SC2086
    ! chroot --userspec="$user" "$work/root" $health --address "127.0.0.1:$port" 2>/dev/null ||
        fail "chroot: healthy, although it is gone"
    note "chroot: the files of the image serve as user $user from a read-only root, and are healthy"
}

"$root/scripts/cross.sh" "$target"
work=$(mktemp -d)
container=
gateway=
finish() {
    [[ -z $container ]] || docker kill "$container" >/dev/null || true
    [[ -z $gateway ]] || kill "$gateway" || true
    rm -rf "$work"
}
trap finish EXIT
chmod 755 "$work"
mkdir "$work/root" "$work/plugins"
# Under another name than the built-in one, so that an answer shows where it came from.
install -m 644 "$root/guests/prebuilt/greet.wasm" "$work/plugins/hello.wasm"

try_parts with_docker without_docker
