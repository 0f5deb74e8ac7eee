//! The documents keep what they say: links lead somewhere, flags exist, examples of files are read.

use crate::skip::skip;
use crate::support::{TempDir, fuelbox_in, prebuilt};
use fuelbox::cli::args::table::lookup;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The documents that are there: a package has no more than its own.
fn documents() -> Vec<(PathBuf, String)> {
    let folders = ["", "docs", "guests", "benches", "fuzz", "scripts", "tests/cases"];
    let mut documents = Vec::new();
    for folder in folders.map(|folder| root().join(folder)) {
        for entry in std::fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|ending| ending == "md") {
                documents.push((path.clone(), std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    assert!(documents.iter().any(|(path, _)| path.ends_with("README.md")));
    documents
}

/// The heading of which `anchor` is made, as web sites show Markdown.
fn has_heading(text: &str, anchor: &str) -> bool {
    let headings =
        text.lines().filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim());
    headings.into_iter().any(|heading| {
        let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        kept.collect::<String>().to_lowercase().replace(' ', "-") == anchor
    })
}

/// Whether a package leaves this file out (`exclude` in Cargo.toml).
fn left_out(path: &Path) -> bool {
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let excluded = manifest.lines().find_map(|line| line.strip_prefix("exclude = ")).unwrap_or("[]");
    let excluded: Vec<&str> = excluded.split('"').skip(1).step_by(2).collect();
    // A package's own manifest has no such line any more.
    let (real, root) = (path.canonicalize().unwrap(), root().canonicalize().unwrap());
    let inside = real.strip_prefix(&root).unwrap();
    // Nor does it have other packages.
    let is_in_other = inside
        .ancestors()
        .any(|above| above != Path::new("") && root.join(above).join("Cargo.toml").exists());
    is_in_other || excluded.iter().any(|excluded| inside.starts_with(excluded))
}

#[test]
fn links_lead_somewhere() {
    let mut looked_at = 0;
    for (path, text) in documents() {
        for target in
            text.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(target, _)| target)
        {
            if target.contains("://") || target.contains(' ') {
                continue;
            }
            let (file, anchor) = target.split_once('#').map_or((target, None), |(file, at)| (file, Some(at)));
            let to = if file.is_empty() { path.clone() } else { path.parent().unwrap().join(file) };
            assert!(to.exists(), "{}: {target}", path.display());
            assert!(!left_out(&to) || left_out(&path), "{}: a package has no {target}", path.display());
            if let (Some(anchor), true) = (anchor, to.exists()) {
                assert!(
                    has_heading(&std::fs::read_to_string(&to).unwrap(), anchor),
                    "{}: {target}",
                    path.display()
                );
            }
            looked_at += 1;
        }
    }
    assert!(looked_at > 50, "{looked_at}");
}

#[test]
fn flags_that_are_spoken_of_exist() {
    // Of other programs and of scripts, in examples of how to use them.
    const OTHERS: &[&str] = &[
        "--check",
        "--dec",
        "--edition",
        "--features",
        "--lib",
        "--list",
        "--model-gen",
        "--no-default-features",
        // asc's, of AssemblyScript.
        "--runtime",
        "--use",
        "--now",
        "--open",
        "--path",
        "--plug",
        "--profile",
        "--quick",
        "--release",
        "--resources-dir",
        "--small",
        "--smt2",
        "--stack",
        "--std",
        "--strip-all",
        "--target",
        "--wat",
        "--write",
    ];
    let mut unknown = std::collections::BTreeSet::new();
    let is_of_others = |path: &Path| ["benches", "fuzz"].iter().any(|dir| path.starts_with(root().join(dir)));
    for (path, text) in documents().into_iter().filter(|(path, _)| !is_of_others(path)) {
        let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'));
        for word in words.filter(|word| word.starts_with("--") && word.len() > 3 && !word.contains("---")) {
            if lookup::flag(word).is_none() && !OTHERS.contains(&word) {
                unknown.insert(format!("{}: {word}", path.display()));
            }
        }
    }
    assert!(unknown.is_empty(), "{unknown:#?}");
}

/// Names of source files in backquotes: `src/lib.rs`, `deadline.rs`.
fn source_files(text: &str) -> impl Iterator<Item = &str> {
    let is_name = |word: &&str| {
        word.ends_with(".rs") && word.chars().all(|c| c.is_ascii_alphanumeric() || "_./-".contains(c))
    };
    text.split('`').filter(is_name)
}

/// Paths of all files beneath `folder`.
fn files_beneath(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(files_beneath(&path)),
            false => found.push(path),
        }
    }
    found
}

#[test]
fn source_files_that_are_named_exist() {
    // What a reader is to write, and sources of the interpreter.
    const OTHERS: &[&str] = &["src/NAME.rs", "wasmi_ir/src/decode/op.rs"];
    let mut looked_at = 0;
    for (path, text) in documents() {
        for name in source_files(&text).filter(|name| name.contains("src/") && !OTHERS.contains(name)) {
            let beside = path.parent().unwrap().join(name);
            assert!(root().join(name).exists() || beside.exists(), "{}: {name}", path.display());
            looked_at += 1;
        }
    }
    assert!(looked_at > 5, "{looked_at}");
}

#[test]
fn the_map_of_the_code_names_files_that_exist() {
    let text = std::fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let mut files = files_beneath(&root().join("src"));
    files.extend(files_beneath(&root().join("tests")));
    let mut looked_at = 0;
    for name in source_files(&text) {
        assert!(files.iter().any(|file| file.ends_with(name)), "{name}");
        looked_at += 1;
    }
    assert!(looked_at > 40, "{looked_at}");
}

#[test]
fn tests_that_are_promised_exist() {
    let text = std::fs::read_to_string(root().join("SECURITY.md")).unwrap();
    let names: Vec<_> = source_files(&text).filter(|name| !name.contains('/')).collect();
    assert!(names.len() > 50, "{}", names.len());
    for name in names {
        assert!(root().join("tests/it").join(name).exists(), "SECURITY.md: {name}");
    }
}

/// Blocks of TOML whose first line names the file that they are.
fn examples(name: &str) -> Vec<(PathBuf, String)> {
    let begin = format!("```toml\n# {name}\n");
    let blocks = documents().into_iter().flat_map(|(path, text)| {
        let of_text = text.split(&begin).skip(1).filter_map(|rest| rest.split_once("```"));
        of_text.map(|(block, _)| (path.clone(), block.to_string())).collect::<Vec<_>>()
    });
    blocks.collect()
}

#[test]
fn examples_of_policies_serve() {
    let found = examples("greet.toml");
    assert!(!found.is_empty());
    for (path, text) in found {
        let dir = TempDir::new();
        std::fs::copy(prebuilt("greet.wasm"), dir.0.join("greet.wasm")).unwrap();
        dir.write("greet.toml", &text);
        let ran = fuelbox_in(&dir.0, &["check", "."], b"");
        assert_eq!(ran.code, Some(0), "{}: {ran:?}", path.display());
    }
}

#[test]
fn examples_of_configuration_are_understood() {
    let found = examples("fuelbox.toml");
    assert!(!found.is_empty() || !Path::new(&root().join("docs")).exists());
    for (path, text) in found {
        let dir = TempDir::new();
        dir.write("fuelbox.toml", &text);
        // Everything is parsed before the first file is looked at, of which none is there.
        let ran = fuelbox_in(&dir.0, &["serve", "--config", "fuelbox.toml"], b"");
        assert_eq!(ran.code, Some(120), "{}: {ran:?}", path.display());
        assert!(ran.stderr.contains("--token-file /etc/fuelbox.tokens"), "{ran:?}");
    }
}

#[test]
fn scripts_have_an_index_and_help() {
    // A package has none.
    let Ok(entries) = std::fs::read_dir(root().join("scripts")) else {
        return skip("a package has no scripts");
    };
    let index = std::fs::read_to_string(root().join("scripts/README.md")).unwrap();
    let is_script = |path: &PathBuf| path.extension().is_some_and(|ending| ending == "sh" || ending == "py");
    let scripts: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).filter(is_script).collect();
    assert!(scripts.len() > 15, "{scripts:?}");
    for path in scripts {
        let name = path.file_name().unwrap().to_str().unwrap();
        assert!(index.contains(&format!("| `{name}` |")), "scripts/README.md does not list {name}");
        if name.ends_with(".sh") {
            let help = std::process::Command::new(&path).arg("--help").output().unwrap();
            let text = String::from_utf8(help.stdout).unwrap();
            assert!(
                help.status.success() && text.to_lowercase().contains("usage: scripts/"),
                "{name}: {text}"
            );
        }
    }
    for line in index.lines().filter_map(|line| line.strip_prefix("| `")) {
        let name = line.split('`').next().unwrap();
        assert!(root().join("scripts").join(name).exists(), "scripts/README.md lists {name}");
    }
}
