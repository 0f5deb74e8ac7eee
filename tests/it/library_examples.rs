//! The programs in `examples/`, which cargo builds with the tests.

use std::path::Path;
use std::process::Command;

/// What the example prints.
fn run(name: &str, args: &[&str]) -> String {
    let program = Path::new(env!("CARGO_BIN_EXE_fuelbox")).with_file_name("examples").join(name);
    // `cargo test --test it` alone does not build them.
    assert!(program.exists(), "{} is missing: cargo build --examples", program.display());
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let output = Command::new(&program).args(args).current_dir(root).output();
    let output = output.unwrap_or_else(|error| panic!("{}: {error}", program.display()));
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_embedder_counts_and_stops_what_takes_too_long() {
    assert_eq!(run("embedder", &[]), "requests: 40\ndeadline of 100ms passed (--timeout raises it)\n");
}

#[test]
fn the_plugin_host_runs_what_is_in_its_folder() {
    let text = run("plugin_host", &["guests/prebuilt", "World"]);
    for line in [
        "greet.greet: Hello, World\n",
        "shapes.upper: WORLD\n",
        "infinite-loop.greet: deadline of 200ms passed (--timeout raises it)\n",
        "0 plug-ins are new, 0 are gone\n",
    ] {
        assert!(text.contains(line), "{text}");
    }
}

#[test]
fn the_policy_engine_decides() {
    let text = run("policy_engine", &[]);
    let decisions: Vec<&str> = text.lines().filter_map(|line| line.split(" (").next()).collect();
    assert_eq!(decisions, ["admin may write: true", "guest may read: true", "guest may write: false"]);
}
