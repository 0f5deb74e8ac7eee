//! The tree keeps its shape: the order of the rooms, no circle of files, the length of files and functions, and the
//! list of rooms in `lib.rs`. What a file uses is read from its syntax tree.

mod checker;
mod face;
mod graph;
mod lengths;
mod uses;

use graph::{circles, upward};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The folders of `src`. Each uses only those before it.
const ROOMS: [&str; 11] =
    ["base", "module", "host", "sandbox", "abi", "isolation", "plugins", "runner", "gateway", "fleet", "cli"];

/// What is in the gateway's room, in the same order.
const GATEWAY_ROOMS: [&str; 6] = [
    "gateway/http",
    "gateway/scheduling",
    "gateway/routes",
    "gateway/connection",
    "gateway/workers",
    "gateway/server",
];

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

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}

/// `src/host/wasi/mod.rs` is `host/wasi`, `src/host/wasi/fd.rs` is `host/wasi/fd`, `src/lib.rs` is `lib`.
fn module_of(path: &Path) -> String {
    let relative = path.strip_prefix(root().join("src")).unwrap().with_extension("");
    let name = relative.to_str().unwrap().to_string();
    name.strip_suffix("/mod").unwrap_or(&name).to_string()
}

/// The files of the library by the names of their modules, with what each uses.
fn library() -> BTreeMap<String, BTreeSet<String>> {
    let main = root().join("src/main.rs");
    let paths: Vec<PathBuf> = rust_files(&root().join("src")).into_iter().filter(|p| *p != main).collect();
    let names: BTreeSet<String> = paths.iter().map(|path| module_of(path)).collect();
    paths
        .iter()
        .map(|path| {
            let own = module_of(path);
            let used = uses::used_files(&read(path), &own, &names);
            (own, used)
        })
        .collect()
}

#[test]
fn rooms_use_only_those_before_them() {
    let library = library();
    let wrong = upward(&library, &ROOMS);
    assert!(wrong.is_empty(), "{wrong:#?}");
    let gateway = library.into_iter().filter(|(file, _)| file.starts_with("gateway/"));
    let gateway = gateway
        .map(|(file, used)| (file, used.into_iter().filter(|used| used.starts_with("gateway/")).collect()));
    let wrong = upward(&gateway.collect(), &GATEWAY_ROOMS);
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn no_file_uses_itself_by_way_of_others() {
    let wrong: Vec<String> = circles(&library()).iter().map(ToString::to_string).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn lib_rs_lists_the_rooms_from_top_to_bottom() {
    let lib = read(&root().join("src/lib.rs"));
    let listed: Vec<&str> = listed_rooms(&lib);
    let expected: Vec<&str> = ROOMS.into_iter().rev().collect();
    assert_eq!(listed, expected);
    let folders: BTreeSet<String> = std::fs::read_dir(root().join("src"))
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    assert_eq!(folders, ROOMS.map(str::to_string).into(), "ROOMS names every folder of src");
}

/// The names in the first column of the list: `//! base/      what it is for`.
fn listed_rooms(lib: &str) -> Vec<&str> {
    lib.lines()
        .filter_map(|line| line.strip_prefix("//! ")?.split_once('/'))
        .filter(|(name, rest)| {
            let is_name = !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase());
            is_name && rest.starts_with("  ") && !rest.trim().is_empty()
        })
        .map(|(name, _)| name)
        .collect()
}

#[test]
fn files_and_functions_stay_short() {
    let mut wrong = Vec::new();
    let files = rust_files(&root().join("src")).into_iter().chain(rust_files(&root().join("tests")));
    for path in files {
        let source = read(&path);
        let lines = source.lines().count();
        if lines > FILE_LINES_MAX {
            wrong.push(format!("{}: {lines} lines", path.display()));
        }
        for function in lengths::functions(&source) {
            if function.lines > FUNCTION_LINES_MAX {
                wrong.push(format!("{}:{}: {} lines", path.display(), function.line, function.lines));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_file_says_why_it_exists() {
    for path in rust_files(&root().join("src")).into_iter().chain(rust_files(&root().join("tests"))) {
        assert!(read(&path).starts_with("//! "), "{} has no //! line", path.display());
    }
}
