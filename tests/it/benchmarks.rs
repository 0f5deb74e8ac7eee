//! The benchmark pages are what the kept results make (`scripts/bench/pages.py`), and the parts of `scripts/bench.sh` that
//! measure nothing do what they say. Without python3 both say so.

use crate::skip::skip;
use crate::support::TempDir;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The results and the pages that they make, and an edit of each.
const EDITS: [(&str, &str, &str); 3] = [
    ("benches/README.md", "| goal met |", "| goal missed |"),
    ("docs/benchmarks.md", "## Versions", "## The versions"),
    ("benches/results.json", "\"commit\": \"", "\"commit\": \"0"),
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// What `python3` answers to `args` in the scripts' folder; nothing where it, or a checkout, is missing.
fn python(args: &[&str]) -> Option<Output> {
    let folder = root().join("scripts/bench");
    if !folder.exists() {
        skip("scripts/bench is not in a package");
        return None;
    }
    let mut command = Command::new("python3");
    match command.args(args).current_dir(folder).env("PYTHONDONTWRITEBYTECODE", "1").output() {
        Ok(output) => Some(output),
        Err(error) => {
            skip(&format!("python3 does not start: {error}"));
            None
        }
    }
}

fn check(root: &Path) -> Option<Output> {
    python(&["pages.py", "--check", root.to_str().unwrap()])
}

#[test]
fn the_pages_are_what_the_results_make() {
    if let Some(output) = check(&root()) {
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn a_page_that_was_edited_is_seen() {
    for (edited, old, new) in EDITS {
        let dir = TempDir::new();
        for folder in ["benches", "docs/charts"] {
            std::fs::create_dir_all(dir.0.join(folder)).unwrap();
        }
        let charts = std::fs::read_dir(root().join("docs/charts")).into_iter().flatten();
        let charts =
            charts.map(|entry| format!("docs/charts/{}", entry.unwrap().file_name().to_str().unwrap()));
        for file in EDITS.map(|(file, ..)| file.to_string()).into_iter().chain(charts) {
            match std::fs::copy(root().join(&file), dir.0.join(&file)) {
                Ok(_) => {}
                Err(error) => return skip(&format!("{file}: {error}")),
            }
        }
        let Some(output) = check(&dir.0) else { return };
        assert!(output.status.success(), "the copy is as it was: {output:?}");
        let path = dir.0.join(edited);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(old), "{edited} has no {old}");
        std::fs::write(&path, text.replacen(old, new, 1)).unwrap();
        let output = check(&dir.0).unwrap();
        assert_eq!(output.status.code(), Some(1), "{edited}: {output:?}");
    }
}

#[test]
fn what_needs_no_measurement_is_tested() {
    if let Some(output) = python(&["-m", "unittest", "--quiet", "test_bench"]) {
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}
