//! The documents keep what they say: links lead somewhere, flags exist, examples of files are read.

use crate::support::{TempDir, fuelbox_in, prebuilt};
use fuelbox::cli::args::table::lookup;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The documents that are there: a package has no more than its own.
fn documents() -> Vec<(PathBuf, String)> {
    let folders = ["", "docs", "guests", "benches", "tests/cases"];
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
            // What only a checkout has is not in a package.
            let is_packaged = root().join("scripts").exists();
            assert!(to.exists() || !is_packaged, "{}: {target}", path.display());
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
        "--model-gen",
        "--no-default-features",
        "--open",
        "--path",
        "--profile",
        "--release",
        "--resources-dir",
        "--small",
        "--smt2",
        "--stack",
        "--std",
        "--strip-all",
        "--target",
    ];
    let mut unknown = std::collections::BTreeSet::new();
    for (path, text) in documents().into_iter().filter(|(path, _)| !path.starts_with(root().join("benches")))
    {
        let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'));
        for word in words.filter(|word| word.starts_with("--") && word.len() > 3 && !word.contains("---")) {
            if lookup::flag(word).is_none() && !OTHERS.contains(&word) {
                unknown.insert(format!("{}: {word}", path.display()));
            }
        }
    }
    assert!(unknown.is_empty(), "{unknown:#?}");
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
