//! The tree keeps its shape: layers, file and function length, and the picture of it in `lib.rs`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Where a file ought to be split. `STYLE` asks for 300; a table or a façade of documentation may pass it.
const FILE_LINES_MAX: usize = 400;
const FUNCTION_LINES_MAX: usize = 70;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn rust_files(dir: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut dirs = vec![dir.to_path_buf()];
    while let Some(dir) = dirs.pop() {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                dirs.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

/// `src/host/wasi/mod.rs` is `wasi`, `src/host/wasi/fd.rs` is `wasi/fd`.
fn module_of(path: &Path) -> String {
    let relative = path.strip_prefix(root().join("src")).unwrap().with_extension("");
    let name = relative.to_str().unwrap().to_string();
    name.strip_suffix("/mod").unwrap_or(&name).to_string()
}

/// The layers drawn in `lib.rs`: module name to layer number.
fn drawn_layers() -> BTreeMap<String, usize> {
    let lib = std::fs::read_to_string(root().join("src/lib.rs")).unwrap();
    let mut layers = BTreeMap::new();
    for line in lib.lines() {
        let Some(line) = line.strip_prefix("//! L") else { continue };
        let mut words = line.split_whitespace();
        let layer = words.next().unwrap().parse().unwrap();
        for module in words {
            assert!(layers.insert(module.to_string(), layer).is_none(), "{module} is drawn twice");
        }
    }
    layers
}

#[test]
fn the_picture_in_lib_rs_shows_every_file_and_no_other() {
    let drawn: BTreeSet<String> = drawn_layers().into_keys().collect();
    let files = rust_files(&root().join("src")).iter().map(|path| module_of(path)).collect::<BTreeSet<_>>();
    let expected: BTreeSet<String> =
        files.into_iter().filter(|name| !matches!(name.as_str(), "lib" | "main")).collect();
    assert_eq!(drawn, expected);
}

/// The modules of this crate that `source` uses, as far as `use` lines and paths show them.
fn used_modules(source: &str, own: &str, known: &BTreeMap<String, usize>) -> BTreeSet<String> {
    let parent = own.rsplit_once('/').map_or(own, |(parent, _)| parent);
    let flat = source.replace(['\n', ' '], "");
    let mut used = BTreeSet::new();
    for (prefix, base) in [("crate::", ""), ("super::", parent)] {
        for (at, _) in flat.match_indices(prefix) {
            let rest = &flat[at + prefix.len()..];
            // A group is looked at name by name: `crate::abi::{command,numeric}`.
            for tail in expand(rest) {
                let words: Vec<&str> =
                    base.split('/').filter(|w| !w.is_empty()).chain(tail.iter().copied()).collect();
                let name = (1..=words.len())
                    .rev()
                    .map(|n| words[..n].join("/"))
                    .find(|name| known.contains_key(name));
                used.extend(name);
            }
        }
    }
    used.remove(own);
    used
}

/// The module paths that begin at `rest`, one group deep.
fn expand(rest: &str) -> Vec<Vec<&str>> {
    let mut words = Vec::new();
    let mut rest = rest;
    loop {
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        words.push(&rest[..end]);
        rest = &rest[end..];
        match rest.strip_prefix("::") {
            Some(after) if after.starts_with('{') => {
                let inner = &after[1..after.find('}').unwrap_or(after.len())];
                let names = inner.split(',').map(|name| name.split("::").next().unwrap());
                return names.map(|name| words.iter().copied().chain([name]).collect()).collect();
            }
            Some(after) => rest = after,
            None => return vec![words],
        }
    }
}

#[test]
fn files_use_only_lower_layers() {
    let layers = drawn_layers();
    let mut wrong = Vec::new();
    for path in rust_files(&root().join("src")) {
        let own = module_of(&path);
        let Some(layer) = layers.get(&own) else { continue };
        let source = std::fs::read_to_string(&path).unwrap();
        let code: String =
            source.lines().filter(|l| !l.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
        for used in used_modules(&code, &own, &layers) {
            // A folder's mod.rs and its files are one layer's matter. Those of `cli` have no circle among them.
            let same_folder = own.split('/').next() == used.split('/').next() && !own.starts_with("cli");
            if layers[&used] > *layer || (layers[&used] == *layer && !same_folder) {
                wrong.push(format!("{own} (L{layer}) uses {used} (L{})", layers[&used]));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_layer_check_sees_through_groups_and_super() {
    let known: BTreeMap<String, usize> =
        [("abi", 1), ("abi/command", 1), ("abi/numeric", 1), ("limits", 0), ("wasi/fd", 2)]
            .map(|(name, layer)| (name.to_string(), layer))
            .into();
    let used = |source, own| used_modules(source, own, &known).into_iter().collect::<Vec<_>>();
    assert_eq!(used("use crate::abi::{command, numeric};", "cli"), ["abi/command", "abi/numeric"]);
    assert_eq!(used("use crate::limits::Limits;", "cli"), ["limits"]);
    assert_eq!(used("use super::fd::fd_read;", "wasi/mod2"), ["wasi/fd"]);
    assert_eq!(used("let x = crate::abi::Job;", "cli"), ["abi"]);
}

#[test]
fn files_and_functions_stay_short() {
    let mut wrong = Vec::new();
    let files = rust_files(&root().join("src")).into_iter().chain(rust_files(&root().join("tests")));
    for path in files {
        let source = std::fs::read_to_string(&path).unwrap();
        let lines: Vec<&str> = source.lines().collect();
        if lines.len() > FILE_LINES_MAX {
            wrong.push(format!("{}: {} lines", path.display(), lines.len()));
        }
        let mut begin = None;
        for (number, line) in lines.iter().enumerate() {
            let text = line.trim_start();
            let is_fn = ["fn ", "pub fn ", "pub(crate) fn ", "const fn "].iter().any(|s| text.starts_with(s));
            if is_fn && !text.ends_with(';') {
                begin = Some((number, line.len() - text.len()));
            }
            let ends = |indent: usize| text == "}" && line.len() - 1 == indent;
            let Some((first, _)) = begin.filter(|(_, indent)| ends(*indent)) else { continue };
            begin = None;
            if number - first + 1 > FUNCTION_LINES_MAX {
                wrong.push(format!("{}:{}: {} lines", path.display(), first + 1, number - first + 1));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_file_says_why_it_exists() {
    for path in rust_files(&root().join("src")).into_iter().chain(rust_files(&root().join("tests"))) {
        let source = std::fs::read_to_string(&path).unwrap();
        assert!(source.starts_with("//! "), "{} has no //! line", path.display());
    }
}
