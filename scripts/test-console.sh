#!/usr/bin/env bash
# Drives the console in a real Chromium: starts gateways on loopback ports with a folder of good, bad and hostile
# plug-ins, and does with the page what a person would, by mouse and by keyboard. With --screenshots it also makes
# the screenshots in docs/
#
# Needs cargo, node 20 or newer, npm and Chromium (apt-get install chromium; CHROMIUM names another one). Installs
# playwright-core and axe-core from npm into target/console, and nothing else. Without Chromium or node it says so
# and exits 3.
#
# usage: scripts/test-console.sh [--screenshots] [FUELBOX]     FUELBOX: the program to try; default: a release build
set -euo pipefail

# shellcheck source=scripts/lib/common.sh
. "$(dirname "$0")/lib/common.sh"
help_if_asked "$@"

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
guests=$root/guests/prebuilt
modules=$root/target/console

# shellcheck source=scripts/lib/gateway.sh
. "$root/scripts/lib/gateway.sh"

screenshots=
if [[ ${1:-} == --screenshots ]]; then
    screenshots=$root/docs
    mkdir -p "$screenshots"
    shift
fi
browser=$(command -v "${CHROMIUM:-chromium}") ||
    skip "no ${CHROMIUM:-chromium} here (apt-get install chromium)"
for tool in node npm; do command -v "$tool" >/dev/null || skip "no $tool here"; done

if [[ ! -d $modules/node_modules/playwright-core || ! -d $modules/node_modules/axe-core ]]; then
    note "installing playwright-core and axe-core into target/console"
    mkdir -p "$modules"
    npm install --silent --no-audit --no-fund --no-save --prefix "$modules" playwright-core@1 axe-core@4 ||
        fail "npm cannot install playwright-core and axe-core"
fi

program_to_try "${1:-}"

mkdir "$work/plugins"
cp "$guests"/{greet,add,infinite-loop,wordcount,cgi-rust}.wasm "$work/plugins/"
cp "$guests/greet.wasm" "$work/plugins/<img src=x onerror=alert(1)>.wasm"
printf rubbish >"$work/plugins/<b>bad.wasm"
printf '(module (func (export "<img src=x onerror=alert(1)>") (result i32) (i32.const 7)))' >"$work/plugins/hostile.wat"
printf '(module (func (export "f") (unreachable)))' >"$work/plugins/trap.wat"
# Says something hostile on stderr, and fails.
cat >"$work/plugins/talker.wat" <<'EOF'
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "\10\00\00\00\31\00\00\00")
  (data (i32.const 16) "<img src=x onerror=alert(2)> cannot see a sensor\0a")
  (func (export "f") (drop (call $write (i32.const 2) (i32.const 0) (i32.const 1) (i32.const 8))) unreachable))
EOF
# Has functions that a compiler or a convention needs.
printf '%s' '(module (memory (export "memory") 1) (func (export "_initialize")) (func (export "__wasm_call_ctors"))
  (func (export "cabi_post") (param i32)) (func (export "allocate") (param i32) (result i32) (i32.const 8))
  (func (export "deallocate") (param i32 i32)) (func (export "own") (param i32 i32) (result i64) (i64.const 0)))' \
    >"$work/plugins/plumbing.wat"
# Answers with what is no UTF-8, and a page.
cat >"$work/plugins/bytes.wat" <<'EOF'
(module (memory (export "memory") 1) (data (i32.const 8) "\ff\00fuel\fe")
  (data (i32.const 32) "<script>alert(1)</script><img src=x onerror=alert(1)>")
  (func (export "allocate") (param i32) (result i32) (i32.const 1024))
  (func (export "raw") (param i32 i32) (result i64) (i64.const 0x800000007))
  (func (export "page") (param i32 i32) (result i64) (i64.const 0x2000000035)))
EOF
# Sends whoever follows it, with method and token, to where greet is changed.
cat >"$work/plugins/redirect.wat" <<'EOF'
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "\10\00\00\00\28\00\00\00")
  (data (i32.const 16) "Status: 307\0aLocation: /plugins/greet\0a\0ax\0a")
  (func (export "_start") (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))
EOF
printf 'access = "token"\n' >"$work/plugins/redirect.toml"
# Give their visitor 24 kB of cookies for all paths, and a page whose script tries for one more.
long=$(printf 'x%.0s' {1..4000})
for name in baker butcher; do
    answer='Content-Type: text/html\0a'
    for number in 1 2 3; do answer+="Set-Cookie: $name$number=$long; Path=/\0a"; done
    answer+='\0a<script>try { document.cookie = \27script=x; path=/\27 } catch (e) { document.title = e.name }</script>'
    bytes=$(sed 's/\\[0-9a-f][0-9a-f]/?/g' <<<"$answer" | tr -d '\n' | wc -c)
    cat >"$work/plugins/$name.wat" <<EOF
(module
  (import "wasi_snapshot_preview1" "fd_write" (func \$write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 16) "$answer")
  (func (export "_start")
    (i32.store (i32.const 0) (i32.const 16)) (i32.store (i32.const 4) (i32.const $bytes))
    (drop (call \$write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))
EOF
done
(umask 077 && printf 'deploy deploy-0123456789\ncall call-0123456789abc\n' >"$work/tokens")

serve --plugins "$work/plugins" --timeout 500ms --token-file "$work/tokens"
site=$url
serve
plain=$url
mkdir "$work/empty"
serve --plugins "$work/empty" --token-file "$work/tokens"
empty=$url

export NODE_PATH=$modules/node_modules
node "$root/scripts/lib/console.cjs" "$browser" "$site" "$plain" "$empty" "$guests/fibonacci.wasm" "$screenshots"
for each in "${gateways[@]}"; do kill -0 "$each" || fail "a gateway has ended"; done
if [[ -n $screenshots ]]; then
    for picture in "$screenshots"/console-*.png; do
        (($(stat -c %s "$picture") < 150000)) || fail "$picture has 150 kB or more"
    done
fi
