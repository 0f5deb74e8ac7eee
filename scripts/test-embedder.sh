#!/usr/bin/env bash
# Builds a program that embeds fuelbox with a profile under which the interpreter's instructions leave frames on the stack
# (optimised, with debug assertions), and runs a long loop in it: an error must come, not the end of the process.
# Then the same with the feature that the error names: it must run.
set -euo pipefail

# shellcheck source=scripts/lib/common.sh
. "$(dirname "$0")/lib/common.sh"

usage() {
    cat <<'EOT'
Usage: scripts/test-embedder.sh

Builds in target/embedder/, which takes some minutes the first time, and runs what it built.

Needs cargo, and the crates that Cargo.lock names (cargo fetch).
EOT
}

case ${1:-} in
--help | -h)
    usage
    exit 0
    ;;
esac
need cargo

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
folder=$root/target/embedder
mkdir -p "$folder/src"
cp "$root/Cargo.lock" "$folder/Cargo.lock"
cat >"$folder/Cargo.toml" <<EOT
[package]
name = "embedder"
version = "0.0.0"
edition = "2024"

[workspace]

[features]
portable = ["fuelbox/portable-dispatch"]

[dependencies]
fuelbox = { path = "../..", default-features = false }

[profile.dev.package.wasmi]
opt-level = 3
EOT
cat >"$folder/src/main.rs" <<'EOT'
use fuelbox::{Call, Error, Runner, RunnerConfig};

/// A loop of a hundred million rounds: `(func (export "f") (loop (br_if 0 (local.tee 0 (i32.add ...)))))`.
const LOOP: &[u8] = b"\0asm\x01\0\0\0\x01\x05\x01\x60\0\x01\x7f\x03\x02\x01\0\x07\x05\x01\x01f\0\0\
    \x0a\x1a\x01\x18\x01\x01\x7f\x03\x40\x20\0\x41\x01\x6a\x22\0\x41\x80\xad\xe2\x04\x49\x0d\0\x0b\x20\0\x0b";

fn main() {
    let path = std::env::args().nth(1).expect("a path to write to");
    std::fs::write(&path, LOOP).expect("the module is written");
    let ran = std::thread::spawn(move || -> Result<String, Error> {
        let runner = Runner::new(RunnerConfig::default())?;
        Ok(format!("{:?}", runner.run(path.as_ref() as &std::path::Path, Call::values("f", &[]))?.result?))
    });
    match ran.join().expect("the thread ends") {
        Ok(results) => println!("ran: {results}"),
        Err(error) => println!("error: {error}"),
    }
}
EOT
cd "$folder"

run() { # features
    cargo build --offline -q --features "$1"
    target/debug/embedder "$folder/loop.wasm"
}

answer=$(run "")
case $answer in
"error: the interpreter was built so that"*) ;;
*)
    echo "test-embedder.sh: expected an error that says how the interpreter was built, but: $answer" >&2
    exit 1
    ;;
esac
answer=$(run portable)
case $answer in
"ran: [I32("*) ;;
*)
    echo "test-embedder.sh: expected that it runs with portable-dispatch, but: $answer" >&2
    exit 1
    ;;
esac
echo "passed: an unsafe build is an error, and portable-dispatch runs"
