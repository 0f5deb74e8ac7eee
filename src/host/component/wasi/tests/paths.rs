//! Paths, directories, links and metadata.

use super::folder::{Folder, READ, WRITE, code, failed, file};
use super::{World, ok, rep};
use crate::base::limits::{LISTING_STEP, Limits};
use crate::host::component::function::Fail;
use crate::host::component::value::Value;
use std::os::unix::ffi::OsStrExt;
use std::time::{Duration, SystemTime};

fn text(text: &str) -> Value {
    Value::String(text.into())
}

fn done() -> Value {
    Value::ok(None)
}

/// Calls a method of the folder's descriptor.
#[track_caller]
fn at(folder: &Folder, world: &mut World, name: &str, args: &[Value]) -> Value {
    let root = folder.root(world);
    let args: Vec<Value> = std::iter::once(root).chain(args.iter().cloned()).collect();
    file(world, name, &args)
}

#[test]
fn directories_are_made_and_removed() {
    let folder = Folder::new();
    let mut world = folder.world();
    assert_eq!(at(&folder, &mut world, "create-directory-at", &[text("d")]), done());
    assert_eq!(at(&folder, &mut world, "create-directory-at", &[text("d")]), failed(code::EXIST));
    assert_eq!(at(&folder, &mut world, "unlink-file-at", &[text("d")]), failed(code::IS_DIRECTORY));
    std::fs::write(folder.path("d/f"), "").unwrap();
    assert_eq!(at(&folder, &mut world, "remove-directory-at", &[text("d")]), failed(code::NOT_EMPTY));
    assert_eq!(at(&folder, &mut world, "remove-directory-at", &[text("d/f")]), failed(code::NOT_DIRECTORY));
    assert_eq!(at(&folder, &mut world, "unlink-file-at", &[text("d/f")]), done());
    assert_eq!(at(&folder, &mut world, "remove-directory-at", &[text("d")]), done());
    for name in ["create-directory-at", "remove-directory-at", "unlink-file-at", "readlink-at"] {
        assert_eq!(at(&folder, &mut world, name, &[text("../x")]), failed(code::NOT_PERMITTED), "{name}");
        assert_eq!(at(&folder, &mut world, name, &[text("a\0")]), failed(code::INVALID), "{name}");
        let long = "a".repeat(4096);
        assert_eq!(at(&folder, &mut world, name, &[text(&long)]), failed(code::NAME_TOO_LONG), "{name}");
    }
}

#[test]
fn links_are_made_and_read() {
    let folder = Folder::new();
    std::fs::write(folder.path("f"), "text").unwrap();
    let mut world = folder.world();
    let root = folder.root(&mut world);
    assert_eq!(at(&folder, &mut world, "symlink-at", &[text("f"), text("s")]), done());
    assert_eq!(at(&folder, &mut world, "symlink-at", &[text("/f"), text("t")]), failed(code::NOT_PERMITTED));
    assert_eq!(at(&folder, &mut world, "readlink-at", &[text("s")]), Value::ok(text("f")));
    assert_eq!(at(&folder, &mut world, "readlink-at", &[text("f")]), failed(code::INVALID));
    let other = std::ffi::OsStr::from_bytes(b"\xff");
    std::os::unix::fs::symlink(other, folder.path("odd")).unwrap();
    assert_eq!(at(&folder, &mut world, "readlink-at", &[text("odd")]), failed(code::ILLEGAL_BYTE_SEQUENCE));
    let link = |flags, old, new| [Value::Flags(flags), text(old), root.clone(), text(new)];
    assert_eq!(at(&folder, &mut world, "link-at", &link(0, "f", "h")), done());
    assert_eq!(at(&folder, &mut world, "link-at", &link(0, "f", "h")), failed(code::EXIST));
    assert_eq!(at(&folder, &mut world, "link-at", &link(1, "s", "i")), failed(code::INVALID));
    assert_eq!(at(&folder, &mut world, "link-at", &link(0, "none", "i")), failed(code::NO_ENTRY));
    assert_eq!(std::fs::read(folder.path("h")).unwrap(), b"text");
}

#[test]
fn a_file_gets_another_name() {
    let folder = Folder::new();
    std::fs::write(folder.path("f"), "text").unwrap();
    std::fs::create_dir(folder.path("d")).unwrap();
    let mut world = folder.world();
    let inner = folder.open(&mut world, "d", 2, READ);
    assert_eq!(at(&folder, &mut world, "rename-at", &[text("f"), inner.clone(), text("g")]), done());
    assert_eq!(std::fs::read(folder.path("d/g")).unwrap(), b"text");
    let gone = at(&folder, &mut world, "rename-at", &[text("f"), inner, text("g")]);
    assert_eq!(gone, failed(code::NO_ENTRY));
}

fn field(stat: &Value, at: usize) -> Value {
    match stat {
        Value::Variant(0, Some(stat)) => match &**stat {
            Value::Record(fields) => fields[at].clone(),
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

fn time(seconds: u64, ns: u32) -> Value {
    Value::Record(vec![Value::U64(seconds), Value::U32(ns)])
}

#[test]
fn stat_tells_type_size_links_and_times() {
    let folder = Folder::new();
    std::fs::write(folder.path("f"), "text").unwrap();
    std::os::unix::fs::symlink("f", folder.path("s")).unwrap();
    let mut world = folder.world();
    let at_path = |flags, path| [Value::Flags(flags), text(path)];
    for (flags, path, kind, size) in [(0, "f", 6, 4), (1, "s", 6, 4), (0, "s", 5, 1)] {
        let stat = at(&folder, &mut world, "stat-at", &at_path(flags, path));
        assert_eq!((field(&stat, 0), field(&stat, 2)), (Value::case(kind), Value::U64(size)), "{path}");
        assert_eq!(field(&stat, 1), Value::U64(1));
    }
    assert_eq!(at(&folder, &mut world, "stat-at", &at_path(0, "none")), failed(code::NO_ENTRY));
    let root = at(&folder, &mut world, "stat", &[]);
    assert_eq!(field(&root, 0), Value::case(3));
    let open = folder.open(&mut world, "f", 0, WRITE);
    let times = [open.clone(), Value::Variant(2, Some(Box::new(time(12, 34)))), Value::case(0)];
    assert_eq!(file(&mut world, "set-times", &times), done());
    let stat = file(&mut world, "stat", &[open]);
    assert_eq!(field(&stat, 3), Value::some(time(12, 34)));
    assert_ne!(field(&stat, 4), Value::some(time(12, 34)));
}

#[test]
fn times_are_set_to_what_can_be_told() {
    let folder = Folder::new();
    std::fs::write(folder.path("f"), "text").unwrap();
    std::os::unix::fs::symlink("f", folder.path("s")).unwrap();
    let mut world = folder.world();
    let given = |seconds, ns| Value::Variant(2, Some(Box::new(time(seconds, ns))));
    let mut set = |flags, path, time: Value| {
        at(&folder, &mut world, "set-times-at", &[Value::Flags(flags), text(path), Value::case(1), time])
    };
    assert_eq!(set(1, "s", given(5, 999_999_999)), done());
    let changed = std::fs::metadata(folder.path("f")).unwrap().modified().unwrap();
    assert_eq!(changed, SystemTime::UNIX_EPOCH + Duration::new(5, 999_999_999));
    assert_eq!(set(0, "f", given(5, 1_000_000_000)), failed(code::INVALID));
    assert_eq!(set(0, "f", given(u64::MAX, 0)), failed(code::OVERFLOW));
    assert_eq!(set(0, "f", given(u64::MAX / 1_000_000_000, 999_999_999)), failed(code::OVERFLOW));
    assert_eq!(set(0, "none", Value::case(1)), failed(code::NO_ENTRY));
}

/// The names that a directory has, sorted, with their types.
fn names(world: &mut World, dir: Value) -> Vec<(String, u32)> {
    let entries = ok(file(world, "read-directory", &[dir]));
    let mut names = Vec::new();
    while let Some(entry) = next(world, &entries) {
        names.push(entry);
    }
    assert_eq!(next(world, &entries), None);
    world.table.drop(rep(&entries), &mut world.ctx).unwrap();
    names.sort();
    names
}

fn next(world: &mut World, entries: &Value) -> Option<(String, u32)> {
    let name = "[method]directory-entry-stream.read-directory-entry";
    let entry = loop {
        match world.call("wasi:filesystem/types", name, std::slice::from_ref(entries)) {
            Err(Fail::Wait(_)) => {}
            entry => break ok(entry.unwrap().unwrap()),
        }
    };
    let Value::Variant(1, Some(entry)) = entry else { return None };
    match *entry {
        Value::Record(fields) => match &fields[..] {
            [Value::Variant(kind, None), Value::String(name)] => Some((name.clone(), *kind)),
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_directory_has_its_entries_and_no_dots() {
    let folder = Folder::new();
    std::fs::write(folder.path("f"), "").unwrap();
    std::fs::create_dir(folder.path("d")).unwrap();
    std::os::unix::fs::symlink("f", folder.path("s")).unwrap();
    for mut world in [folder.world(), folder.reproducible()] {
        let root = folder.root(&mut world);
        let expected = [("d", 3), ("f", 6), ("s", 5)].map(|(name, kind)| (name.to_string(), kind));
        assert_eq!(names(&mut world, root.clone()), expected);
        // Two at once have nothing to do with each other.
        let two = [root.clone(), root].map(|root| ok(file(&mut world, "read-directory", &[root])));
        let first = next(&mut world, &two[0]);
        assert!(first.is_some());
        assert_eq!(next(&mut world, &two[1]), first);
    }
    let mut world = folder.world();
    let open = folder.open(&mut world, "f", 0, READ);
    assert_eq!(file(&mut world, "read-directory", &[open]), failed(code::NOT_DIRECTORY));
}

#[test]
fn a_large_directory_is_read_in_steps() {
    let folder = Folder::new();
    let count = LISTING_STEP as usize + 1;
    (0..count).for_each(|i| drop(std::fs::File::create(folder.path(&i.to_string())).unwrap()));
    let mut world = folder.reproducible();
    let root = folder.root(&mut world);
    let entries = ok(file(&mut world, "read-directory", std::slice::from_ref(&root)));
    let name = "[method]directory-entry-stream.read-directory-entry";
    let first = world.call("wasi:filesystem/types", name, &[entries]);
    assert!(matches!(first, Err(Fail::Wait(_))), "{first:?}");
    assert_eq!(names(&mut world, root).len(), count);
}

#[test]
fn a_name_that_is_no_string_is_an_error_once() {
    let folder = Folder::new();
    std::fs::write(folder.path("f"), "").unwrap();
    std::fs::write(folder.path("").join(std::ffi::OsStr::from_bytes(b"\xff")), "").unwrap();
    let mut world = folder.world();
    let root = folder.root(&mut world);
    let entries = ok(file(&mut world, "read-directory", &[root]));
    let name = "[method]directory-entry-stream.read-directory-entry";
    let mut answers: Vec<bool> = (0..3)
        .map(|_| {
            let answer = world.get("wasi:filesystem/types", name, std::slice::from_ref(&entries));
            answer == failed(code::ILLEGAL_BYTE_SEQUENCE)
        })
        .collect();
    answers.sort();
    assert_eq!(answers, [false, false, true]);
}

#[test]
fn a_directory_that_is_read_counts_as_descriptors() {
    let folder = Folder::new();
    // The standard streams and the directory; what reads it counts twice.
    for (descriptors, is_enough) in [(5, false), (6, true)] {
        let limits = Limits { descriptors, ..Limits::default() };
        let mut world = folder.world_with(&limits, false);
        let root = folder.root(&mut world);
        for _ in 0..3 {
            let entries = file(&mut world, "read-directory", std::slice::from_ref(&root));
            match is_enough {
                true => world.table.drop(rep(&ok(entries)), &mut world.ctx).unwrap(),
                false => assert_eq!(entries, failed(code::INSUFFICIENT_MEMORY)),
            }
        }
    }
}

#[test]
fn files_are_told_apart() {
    let folder = Folder::new();
    std::fs::write(folder.path("f"), "text").unwrap();
    std::fs::write(folder.path("g"), "text").unwrap();
    std::fs::hard_link(folder.path("f"), folder.path("h")).unwrap();
    for mut world in [folder.world(), folder.reproducible()] {
        let [f, g, h] = ["f", "g", "h"].map(|name| folder.open(&mut world, name, 0, READ));
        let root = folder.root(&mut world);
        for (other, is_same) in [(&f, true), (&g, false), (&h, true), (&root, false)] {
            let answer = file(&mut world, "is-same-object", &[f.clone(), other.clone()]);
            assert_eq!(answer, Value::Bool(is_same));
        }
        let hash =
            |world: &mut World, open: &Value| ok(file(world, "metadata-hash", std::slice::from_ref(open)));
        let of_f = hash(&mut world, &f);
        assert_eq!(of_f, hash(&mut world, &h));
        assert_ne!(of_f, hash(&mut world, &g));
        let at_path = at(&folder, &mut world, "metadata-hash-at", &[Value::Flags(0), text("f")]);
        assert_eq!(ok(at_path), of_f);
        // The lower half stays when the file changes, and the upper half does not.
        std::fs::write(folder.path("f"), "longer text").unwrap();
        let (Value::Record(before), Value::Record(after)) = (of_f, hash(&mut world, &f)) else {
            panic!("no hash")
        };
        assert!(before[0] == after[0] && before[1] != after[1]);
        std::fs::write(folder.path("f"), "text").unwrap();
    }
    let none = [Value::Flags(0), text("none")];
    assert_eq!(at(&folder, &mut folder.world(), "metadata-hash-at", &none), failed(code::NO_ENTRY));
}

#[test]
fn a_reproducible_run_sees_neither_times_nor_numbers_of_the_host() {
    let hashes = || {
        let folder = Folder::new();
        for name in ["b", "a"] {
            std::fs::write(folder.path(name), name).unwrap();
        }
        let mut world = folder.reproducible();
        ["a", "b"].map(|name| {
            let stat = at(&folder, &mut world, "stat-at", &[Value::Flags(0), text(name)]);
            assert_eq!(field(&stat, 4), Value::some(time(0, 0)));
            at(&folder, &mut world, "metadata-hash-at", &[Value::Flags(0), text(name)])
        })
    };
    assert_eq!(hashes(), hashes());
}
