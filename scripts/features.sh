#!/usr/bin/env bash
# Builds each set of features for what it is there for, and prints a table: crates, and the size of what was built.
set -euo pipefail

# shellcheck source=scripts/lib/common.sh
. "$(dirname "$0")/lib/common.sh"

usage() {
    cat <<'EOT'
Usage: scripts/features.sh [--crates]

For each set of features, prints how many crates it needs and how large a program with it is, in MB: one that embeds the
library, or `fuelbox` itself. All are built as `cargo build --release` builds, in target/features/, which takes some minutes.

  --crates  only count crates, and check that the library needs nothing of the gateway or the command line

Needs cargo, and the crates that Cargo.lock names (cargo fetch).
EOT
}

only_crates=false
case ${1:-} in
--help | -h)
    usage
    exit 0
    ;;
--crates) only_crates=true ;;
"") ;;
*)
    usage >&2
    exit 2
    ;;
esac
need cargo
cd "$(dirname "${BASH_SOURCE[0]}")/.."
root=$PWD
target=$root/target/features

# The flags of cargo for a set of features.
flags() {
    case $1 in
    none) echo "--no-default-features" ;;
    default) ;;
    all) echo "--all-features" ;;
    *) echo "--no-default-features --features $1" ;;
    esac
}

# The names of the crates that a set needs, fuelbox left out.
crates() {
    # shellcheck disable=SC2046
    cargo tree --locked -e normal --prefix none --format '{p}' $(flags "$1") | sed 's/ (\*)$//' | sort -u | grep -v '^fuelbox '
}

# A program that runs a module with the library, and what else the features are for.
embedder() {
    local folder=$target/embed-$1 features=""
    [ "$1" = none ] || features="\"$1\""
    mkdir -p "$folder/src"
    cp "$root/Cargo.lock" "$folder/Cargo.lock"
    {
        printf '[package]\nname = "embed-%s"\nversion = "0.0.0"\nedition = "2024"\n\n[workspace]\n\n' "$1"
        printf '[dependencies]\nfuelbox = { path = "%s", default-features = false, features = [%s] }\n\n' "$root" "$features"
        sed -n '/^\[profile.release\]/,/^# Smallest/p' "$root/Cargo.toml" | grep -v '^#' | grep -v 'wast\|^wat\.'
    } >"$folder/Cargo.toml"
    {
        echo 'use fuelbox::{Call, Runner, RunnerConfig};'
        echo 'fn main() -> Result<(), Box<dyn std::error::Error>> {'
        echo '    let path = std::env::args().nth(1).ok_or("a path")?;'
        echo '    let runner = Runner::new(RunnerConfig::default())?;'
        [ "$1" = none ] || echo '    runner.load_plugins(&path)?;'
        echo '    println!("{:?}", runner.run(std::path::Path::new(&path), Call::bytes("greet", "World"))?);'
        if [ "$1" = gateway ]; then
            echo '    let config = fuelbox::GatewayConfig::default();'
            echo '    fuelbox::Gateway::start(&config, runner.into())?.stop();'
        fi
        echo '    Ok(())'
        echo '}'
    } >"$folder/src/main.rs"
    (cd "$folder" && cargo build -q --release --offline --target-dir "$target" 2>&1 | grep -v '^warning' >&2 || true)
    stat -c %s "$target/release/embed-$1"
}

# `fuelbox` itself.
program() {
    # shellcheck disable=SC2046
    cargo build -q --release --locked --bin fuelbox --target-dir "$target" $(flags "$1") >&2
    stat -c %s "$target/release/fuelbox"
}

wrong=$(crates plugins | grep -E '^(tiny_http|mio|httparse|httpdate|pico-args|env_logger|signal-hook|sd-notify|listenfd) ' || true)
[ -z "$wrong" ] || { echo "features.sh: the library needs $wrong" >&2; exit 1; }
wrong=$(crates none | grep -E '^(toml|sha2|minisign-verify|syn|wat) ' || true)
[ -z "$wrong" ] || { echo "features.sh: without features the library needs $wrong" >&2; exit 1; }

echo "| features | crates | what was built | MB |"
echo "| --- | --- | --- | --- |"
for set in none plugins gateway cli default all; do
    count=$(crates "$set" | wc -l)
    if $only_crates; then
        echo "| $set | $count | | |"
        continue
    fi
    case $set in
    none | plugins | gateway) what="a program with the library" size=$(embedder "$set") ;;
    *) what="\`fuelbox\`" size=$(program "$set") ;;
    esac
    echo "| $set | $count | $what | $(awk "BEGIN { printf \"%.2f\", $size / 1e6 }") |"
done
