#!/usr/bin/env bash
# Checks scripts/fuelbox.service and fuelbox.socket without installing them: systemd accepts them and finds them
# tight, and a gateway at work makes no system call and asks for no memory that the unit forbids. What the gateway
# and systemd tell each other is tested by tests/it/service.rs.
#
# Needs cargo, curl, python3, and systemd-analyze and strace (apt-get install systemd strace); without one of the latter two
# it says so and exits 3.
#
# usage: scripts/test-service.sh [FUELBOX]     FUELBOX: the program to try; default: a release build
set -euo pipefail

# shellcheck source=scripts/lib/common.sh
. "$(dirname "$0")/lib/common.sh"
help_if_asked "$@"

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
guests=$root/guests/prebuilt
# systemd's own measure, of 100: 0 is everything forbidden.
exposure_max=10

# shellcheck source=scripts/lib/gateway.sh
. "$root/scripts/lib/gateway.sh"

need cargo curl python3
for tool in systemd-analyze strace; do
    command -v "$tool" >/dev/null || skip "no $tool here (apt-get install systemd strace)"
done

traced=
# The first process in the trace is the one that becomes fuelbox; what waits for it ends with it.
stop_gateway() { kill -TERM "$(head -n 1 "$work/trace" | cut -d ' ' -f 1)"; }
finish() {
    if [[ -n $traced ]]; then
        stop_gateway || true
        wait "$traced" || true
    fi
    rm -rf "$work"
}
trap finish EXIT

program_to_try "${1:-}"

# The program need not be installed for that.
units() {
    cp "$root"/scripts/fuelbox.{service,socket} "$work/"
    sed -i "s|^ExecStart=[^ ]*|ExecStart=$program|" "$work/fuelbox.service"
    local said
    said=$(systemd-analyze verify "$work/fuelbox.service" "$work/fuelbox.socket" 2>&1) || fail "verify: $said"
    # It warns with exit code 0.
    ! grep -q 'fuelbox\.' <<<"$said" || fail "verify: $said"
    systemd-analyze security --offline=yes --no-pager --threshold=$exposure_max "$work/fuelbox.service" |
        tail -n 1 || fail "systemd finds the unit exposed"
}

# The system calls that `SystemCallFilter=` lets through, one on a line: its sets, taken apart.
expand() {
    local name
    for name in "$@"; do
        [[ $name == @* ]] || { echo "$name"; continue; }
        # The first line is the set itself.
        # shellcheck disable=SC2046
        expand $(systemd-analyze syscall-filter "$name" | sed '1d; /^ *#/d')
    done
}

allowed() {
    local line words
    : >"$work/allowed"
    while IFS= read -r line; do
        read -ra words <<<"${line#\~}"
        expand "${words[@]}" | LC_ALL=C sort -u >"$work/set"
        if [[ $line == \~* ]]; then
            LC_ALL=C comm -23 "$work/allowed" "$work/set" >"$work/next"
        else
            LC_ALL=C sort -u "$work/allowed" "$work/set" >"$work/next"
        fi
        mv "$work/next" "$work/allowed"
    done < <(sed -n 's/^SystemCallFilter=//p' "$root/scripts/fuelbox.service")
}

# A gateway that does all that it does: functions, programs, refusals, guests that spin, uploads, hot reload, stop.
work_hard() {
    local url=$1 plugins=$2 i
    curl -sS -m 30 -d World "$url/execute/greet"
    curl -sS -m 30 -d x "$url/execute/cgi-rust/a?b"
    curl -sS -m 30 -d '' "$url/execute/infinite-loop?func=spin"
    curl -sS -m 30 -d x "$url/execute/treehash"
    curl -sS -m 30 "$url/plugins" "$url/nothing"
    curl -sS -m 30 -H 'Expect: 100-continue' --data-binary "@$root/README.md" "$url/execute/greet"
    head -c 2000000 /dev/zero | curl -sS -m 30 --data-binary @- "$url/execute/greet" || true
    cp "$guests/wordcount.wasm" "$plugins/new.wasm"
    echo junk >"$plugins/junk.wasm"
    rm "$plugins/greet.wasm"
    for ((i = 0; i < 100; i++)); do
        [[ $(curl -sS -m 30 -d 'a b' "$url/execute/new") != '0 2 3' ]] || return 0
        sleep 0.1
    done
    return 1
}

trace() {
    local plugins=$work/plugins url i
    mkdir "$plugins" "$work/run"
    cp "$guests"/{greet,cgi-rust,infinite-loop,treehash}.wasm "$plugins"
    # As systemd passes it: descriptor 3 listens, and somebody is to be told. strace puts itself between them, so
    # the process that fuelbox becomes sets LISTEN_PID.
    python3 - "$work" "$program" >"$work/serve.out" 2>"$work/serve.log" <<'PY' &
import os, socket, subprocess, sys
work, program = sys.argv[1:]
listener = socket.socket()
listener.bind(("127.0.0.1", 0))
listener.listen(16)
# Before anything else is opened, which could be 3.
os.dup2(listener.fileno(), 3)
manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
manager.bind(f"{work}/notify")
script = 'LISTEN_PID=$$ LISTEN_FDS=1 exec "$0" serve --plugins "$1" --timeout 500ms'
child = subprocess.Popen(
    ["strace", "-f", "-qq", "-o", f"{work}/trace", "sh", "-c", script, program, f"{work}/plugins"],
    pass_fds=[3], env={**os.environ, "NOTIFY_SOCKET": f"{work}/notify", "RUNTIME_DIRECTORY": f"{work}/run"},
)
manager.settimeout(60)
print(manager.recv(4096).decode().split("\n")[0], listener.getsockname()[1], flush=True)
print(manager.recv(4096).decode().split("\n")[0], flush=True)
sys.exit(child.wait())
PY
    traced=$!
    for ((i = 0; i < 300; i++)); do
        ! grep -qs READY "$work/serve.out" || break
        sleep 0.1
    done
    grep -qs '^READY=1 ' "$work/serve.out" || fail "no READY=1: $(<"$work/serve.log")"
    url=http://127.0.0.1:$(cut -d ' ' -f 2 "$work/serve.out")
    work_hard "$url" "$plugins" >"$work/answers" || fail "the gateway does not work: $(<"$work/serve.log")"
    stop_gateway
    wait "$traced" || fail "the gateway ended with $?: $(<"$work/serve.log")"
    traced=
    grep -q '^STOPPING=1' "$work/serve.out" || fail "no STOPPING=1: $(<"$work/serve.out")"
}

units
allowed
trace
# From the moment that the shell has become fuelbox on.
sed -n '/execve(.*"serve"/,$p' "$work/trace" >"$work/own"
sed -E 's/^[0-9]+ +(<\.\.\. )?//' "$work/own" | grep -oE '^[a-z_0-9]+[( ]' | tr -d '( ' | LC_ALL=C sort -u >"$work/used"
[[ -s $work/used ]] || fail "nothing was traced"
forbidden=$(LC_ALL=C comm -23 "$work/used" "$work/allowed" | tr '\n' ' ')
[[ -z $forbidden ]] || fail "SystemCallFilter forbids what serve uses: $forbidden"
# The dynamic loader maps code, which is not written to; a page for both, or one that becomes code, is refused.
if grep -E 'PROT_WRITE\|PROT_EXEC|mprotect\(.*PROT_EXEC' "$work/own"; then
    fail "MemoryDenyWriteExecute forbids that"
fi
sockets=$(grep -oE 'socket\(AF_[A-Z0-9]+' "$work/own" | sort -u | sed 's/.*(//' | tr '\n' ' ')
[[ $sockets == 'AF_UNIX ' ]] || fail "RestrictAddressFamilies forbids: $sockets"
if outside=$(grep -E 'O_CREAT|O_WRONLY|O_RDWR' "$work/own" | grep -v "$work/run"); then
    fail "ProtectSystem forbids: $outside"
fi
note "$(wc -l <"$work/used") different system calls, all allowed: $(tr '\n' ' ' <"$work/used")"
note "passed"
