//! Files: opening, bytes, streams, flags and sizes.

use super::folder::{Folder, READ, WRITE, code, failed, file};
use super::{borrow, closed, ok, rep, traps};
use crate::base::limits::{HOST_CALL_BYTES_MAX, Limits, NEW_ENTRY_BYTES, STREAM_READ_BYTES_MAX};
use crate::host::component::value::Value;

fn done() -> Value {
    Value::ok(None)
}

fn bytes(bytes: &[u8]) -> Value {
    Value::Bytes(bytes.to_vec())
}

fn part(bytes: &[u8], is_end: bool) -> Value {
    Value::ok(Value::Record(vec![Value::Bytes(bytes.to_vec()), Value::Bool(is_end)]))
}

const CREATE: u32 = 1;
const DIRECTORY: u32 = 2;
const EXCLUSIVE: u32 = 4;
const TRUNCATE: u32 = 8;

#[test]
fn directories_are_found_each_time_anew() {
    let folder = Folder::new();
    let mut world = folder.world();
    let first = folder.root(&mut world);
    let second = folder.root(&mut world);
    assert_ne!(first, second);
    world.table.drop(rep(&first), &mut world.ctx).unwrap();
    assert_eq!(file(&mut world, "get-type", std::slice::from_ref(&second)), Value::ok(Value::case(3)));
    world.table.drop(rep(&second), &mut world.ctx).unwrap();
    let third = folder.root(&mut world);
    assert_eq!(file(&mut world, "get-flags", &[third]), Value::ok(Value::Flags(1 | 32)));
}

#[test]
fn a_file_is_written_and_read_at_offsets() {
    let folder = Folder::new();
    let mut world = folder.world();
    let open = folder.open(&mut world, "new", CREATE, READ | WRITE);
    assert_eq!(file(&mut world, "get-type", std::slice::from_ref(&open)), Value::ok(Value::case(6)));
    assert_eq!(file(&mut world, "get-flags", std::slice::from_ref(&open)), Value::ok(Value::Flags(3)));
    let write = [open.clone(), bytes(b"wor\xffd"), Value::U64(6)];
    assert_eq!(file(&mut world, "write", &write), Value::ok(Value::U64(5)));
    assert_eq!(
        file(&mut world, "write", &[open.clone(), bytes(b"hello "), Value::U64(0)]),
        Value::ok(Value::U64(6))
    );
    assert_eq!(std::fs::read(folder.path("new")).unwrap(), b"hello wor\xffd");
    let mut read =
        |length, offset| file(&mut world, "read", &[open.clone(), Value::U64(length), Value::U64(offset)]);
    assert_eq!(read(4, 0), part(b"hell", false));
    assert_eq!(read(u64::MAX, 6), part(b"wor\xffd", false));
    assert_eq!((read(1, 11), read(1, 1 << 40)), (part(b"", true), part(b"", true)));
    assert_eq!(read(0, 0), part(b"", false));
    assert_eq!(read(1, 1 << 63), failed(code::INVALID));
    let write = [open, bytes(b"x"), Value::U64(1 << 63)];
    assert_eq!(file(&mut world, "write", &write), failed(code::INVALID));
}

#[test]
fn a_read_of_a_file_gives_at_most_so_much() {
    let folder = Folder::new();
    let most = STREAM_READ_BYTES_MAX;
    std::fs::write(folder.path("large"), vec![b'f'; 2 * most]).unwrap();
    let mut world = folder.world();
    let open = folder.open(&mut world, "large", 0, READ);
    for (length, n) in [(most - 1, most - 1), (most, most), (most + 1, most)] {
        let read = file(&mut world, "read", &[open.clone(), Value::U64(length as u64), Value::U64(0)]);
        assert!(read == part(&vec![b'f'; n], false), "{length}");
    }
}

#[test]
fn streams_read_and_write_a_file() {
    let folder = Folder::new();
    let mut world = folder.world();
    let open = folder.open(&mut world, "f", CREATE, READ | WRITE);
    let to = ok(file(&mut world, "write-via-stream", &[open.clone(), Value::U64(2)]));
    let most = Value::ok(Value::U64(HOST_CALL_BYTES_MAX as u64));
    assert_eq!(world.of_stream("output-stream.check-write", std::slice::from_ref(&to)), most);
    for piece in [&b"cd"[..], b"ef"] {
        assert_eq!(world.of_stream("output-stream.write", &[to.clone(), bytes(piece)]), done());
    }
    assert_eq!(world.of_stream("output-stream.blocking-flush", &[to]), done());
    let end = ok(file(&mut world, "append-via-stream", std::slice::from_ref(&open)));
    let first = ok(file(&mut world, "write-via-stream", &[open.clone(), Value::U64(0)]));
    for (to, piece) in [(&end, &b"gh"[..]), (&first, b"ab"), (&end, b"ij")] {
        let write = [to.clone(), bytes(piece)];
        assert_eq!(world.of_stream("output-stream.blocking-write-and-flush", &write), done());
    }
    let from = ok(file(&mut world, "read-via-stream", &[open, Value::U64(1)]));
    let mut read = |len| world.of_stream("input-stream.read", &[from.clone(), Value::U64(len)]);
    assert_eq!(read(3), Value::ok(bytes(b"bcd")));
    assert_eq!(read(u64::MAX), Value::ok(bytes(b"efghij")));
    assert_eq!(read(1), closed());
    let ready = world.of_stream("input-stream.subscribe", &[from]);
    assert_eq!(world.get("wasi:io/poll", "[method]pollable.ready", &[ready]), Value::Bool(true));
}

#[test]
fn a_stream_outlives_the_descriptor() {
    let folder = Folder::new();
    std::fs::write(folder.path("f"), "text").unwrap();
    let limits = Limits { descriptors: 5, ..Limits::default() };
    let mut world = folder.world_with(&limits, false);
    let open = folder.open(&mut world, "f", 0, READ);
    let from = ok(file(&mut world, "read-via-stream", &[open.clone(), Value::U64(0)]));
    world.table.drop(rep(&open), &mut world.ctx).unwrap();
    let read = [from.clone(), Value::U64(9)];
    assert_eq!(world.of_stream("input-stream.read", &read), Value::ok(bytes(b"text")));
    // Its file still counts.
    assert_eq!(folder.try_open(&mut world, "f", 0, READ), failed(code::INSUFFICIENT_MEMORY));
    world.table.drop(rep(&from), &mut world.ctx).unwrap();
    folder.open(&mut world, "f", 0, READ);
}

#[test]
fn what_a_file_was_not_opened_for_is_refused() {
    let folder = Folder::new();
    std::fs::write(folder.path("f"), "text").unwrap();
    let mut world = folder.world();
    let reads = folder.open(&mut world, "f", 0, READ);
    let writes = folder.open(&mut world, "f", 0, WRITE);
    let root = folder.root(&mut world);
    let zero = || Value::U64(0);
    let refused = failed(code::BAD_DESCRIPTOR);
    for open in [&writes, &root] {
        assert_eq!(file(&mut world, "read", &[open.clone(), Value::U64(1), zero()]), refused);
        assert_eq!(file(&mut world, "read-via-stream", &[open.clone(), zero()]), refused);
    }
    for open in [&reads, &root] {
        assert_eq!(file(&mut world, "write", &[open.clone(), bytes(b"x"), zero()]), refused);
        assert_eq!(file(&mut world, "write-via-stream", &[open.clone(), zero()]), refused);
        assert_eq!(file(&mut world, "append-via-stream", std::slice::from_ref(open)), refused);
    }
    assert_eq!(file(&mut world, "set-size", &[reads.clone(), zero()]), failed(code::INVALID));
    for open in [reads, writes, root] {
        for name in ["sync", "sync-data"] {
            assert_eq!(file(&mut world, name, std::slice::from_ref(&open)), done());
        }
    }
}

#[test]
fn a_file_is_opened_as_it_is_asked_for() {
    let folder = Folder::new();
    let mut world = folder.world();
    assert_eq!(folder.try_open(&mut world, "f", 0, READ), failed(code::NO_ENTRY));
    folder.open(&mut world, "f", CREATE | EXCLUSIVE, WRITE);
    assert_eq!(folder.try_open(&mut world, "f", CREATE | EXCLUSIVE, WRITE), failed(code::EXIST));
    assert_eq!(folder.try_open(&mut world, "f", DIRECTORY, READ), failed(code::NOT_DIRECTORY));
    assert_eq!(folder.try_open(&mut world, "f", DIRECTORY | CREATE, READ), failed(code::INVALID));
    std::fs::write(folder.path("f"), "text").unwrap();
    folder.open(&mut world, "f", TRUNCATE, WRITE);
    assert_eq!(std::fs::read(folder.path("f")).unwrap(), b"");
    for (path, why) in [
        ("../f", code::NOT_PERMITTED),
        ("/f", code::NOT_PERMITTED),
        ("", code::NO_ENTRY),
        ("nul\0", code::INVALID),
        ("f/x", code::NOT_DIRECTORY),
    ] {
        assert_eq!(folder.try_open(&mut world, path, 0, READ), failed(why), "{path:?}");
    }
    let long = |n: usize| "./".repeat(n / 2) + if n.is_multiple_of(2) { "" } else { "f" };
    folder.open(&mut world, &long(4093), 0, READ);
    folder.open(&mut world, &long(4095), 0, READ);
    assert_eq!(folder.try_open(&mut world, &long(4096), 0, READ), failed(code::NAME_TOO_LONG));
}

#[test]
fn flags_that_ask_for_the_disk_are_kept() {
    let folder = Folder::new();
    let mut world = folder.world();
    for flags in [WRITE | 4, WRITE | 8, READ | WRITE | 16] {
        let open = folder.open(&mut world, "f", CREATE, flags);
        let Value::Flags(told) = ok(file(&mut world, "get-flags", std::slice::from_ref(&open))) else {
            panic!("no flags")
        };
        assert_eq!(told & flags, flags);
        assert_eq!(file(&mut world, "write", &[open, bytes(b"x"), Value::U64(0)]), Value::ok(Value::U64(1)));
    }
}

#[test]
fn advice_is_taken() {
    let folder = Folder::new();
    let mut world = folder.world();
    let open = folder.open(&mut world, "f", CREATE, READ);
    for advice in 0..6 {
        let args = [open.clone(), Value::U64(0), Value::U64(0), Value::case(advice)];
        assert_eq!(file(&mut world, "advise", &args), done());
    }
    let args = [open, Value::U64(1 << 63), Value::U64(0), Value::case(0)];
    assert_eq!(file(&mut world, "advise", &args), failed(code::INVALID));
}

#[test]
fn sizes_and_writes_count_against_the_quota() {
    let folder = Folder::new();
    let limits = Limits { dir_quota: NEW_ENTRY_BYTES + 10, ..Limits::default() };
    let mut world = folder.world_with(&limits, false);
    let open = folder.open(&mut world, "f", CREATE, READ | WRITE);
    let size = |size| [open.clone(), Value::U64(size)];
    assert_eq!(file(&mut world, "set-size", &size(11)), failed(code::QUOTA));
    assert_eq!(file(&mut world, "set-size", &size(4)), done());
    assert_eq!(folder.try_open(&mut world, "g", CREATE, WRITE), failed(code::QUOTA));
    let end = ok(file(&mut world, "append-via-stream", std::slice::from_ref(&open)));
    let write = |n| [end.clone(), Value::Bytes(vec![b'w'; n])];
    assert_eq!(world.of_stream("output-stream.blocking-write-and-flush", &write(5)), done());
    // One byte fits of two.
    let answer = world.of_stream("output-stream.blocking-write-and-flush", &write(2));
    let Value::Variant(1, Some(error)) = answer else { panic!("{answer:?}") };
    let Value::Variant(0, Some(error)) = *error else { panic!("{error:?}") };
    let error_code = world.get("wasi:filesystem/types", "filesystem-error-code", &[borrow(rep(&error))]);
    assert_eq!(error_code, Value::some(Value::case(code::QUOTA)));
    assert_eq!(std::fs::metadata(folder.path("f")).unwrap().len(), 10);
    assert_eq!(file(&mut world, "write", &[open, bytes(b"x"), Value::U64(0)]), failed(code::QUOTA));
}

#[test]
fn descriptors_are_limited_and_given_back() {
    let folder = Folder::new();
    // The standard streams, the directory, and one more.
    let limits = Limits { descriptors: 5, ..Limits::default() };
    let mut world = folder.world_with(&limits, false);
    let open = folder.open(&mut world, "f", CREATE, WRITE);
    assert_eq!(folder.try_open(&mut world, "f", 0, WRITE), failed(code::INSUFFICIENT_MEMORY));
    world.table.drop(rep(&open), &mut world.ctx).unwrap();
    folder.open(&mut world, "f", 0, WRITE);
}

#[test]
fn a_read_only_directory_stays_as_it_is() {
    let folder = Folder::new();
    std::fs::write(folder.path("f"), "text").unwrap();
    std::fs::create_dir(folder.path("d")).unwrap();
    let mut world = folder.world_with(&Limits::default(), true);
    let root = folder.root(&mut world);
    assert_eq!(file(&mut world, "get-flags", std::slice::from_ref(&root)), Value::ok(Value::Flags(1)));
    for (open, flags) in [(CREATE, READ), (TRUNCATE, READ), (0, WRITE), (0, 32), (DIRECTORY, 32)] {
        assert_eq!(folder.try_open(&mut world, "f", open, flags), failed(code::READ_ONLY), "{open} {flags}");
    }
    let text = |text: &str| Value::String(text.into());
    let (now, flags) = (|| Value::case(1), || Value::Flags(0));
    let calls: [(&str, Vec<Value>); 7] = [
        ("create-directory-at", vec![text("n")]),
        ("remove-directory-at", vec![text("d")]),
        ("unlink-file-at", vec![text("f")]),
        ("symlink-at", vec![text("f"), text("n")]),
        ("rename-at", vec![text("f"), root.clone(), text("n")]),
        ("link-at", vec![flags(), text("f"), root.clone(), text("n")]),
        ("set-times-at", vec![flags(), text("f"), now(), now()]),
    ];
    for (name, args) in calls {
        let args: Vec<Value> = std::iter::once(root.clone()).chain(args).collect();
        assert_eq!(file(&mut world, name, &args), failed(code::READ_ONLY), "{name}");
    }
    let open = folder.open(&mut world, "f", 0, READ);
    for open in [&open, &root] {
        assert_eq!(file(&mut world, "set-times", &[open.clone(), now(), now()]), failed(code::READ_ONLY));
    }
    let size = [open.clone(), Value::U64(0)];
    assert_eq!(file(&mut world, "set-size", &size), failed(code::READ_ONLY));
    let inner = folder.open(&mut world, "d", DIRECTORY, READ);
    assert_eq!(file(&mut world, "create-directory-at", &[inner, text("n")]), failed(code::READ_ONLY));
    assert_eq!(file(&mut world, "read", &[open, Value::U64(9), Value::U64(0)]), part(b"text", false));
}

#[test]
fn a_stream_is_no_descriptor() {
    let folder = Folder::new();
    let mut world = folder.world();
    let stdin = world.get("wasi:cli/stdin", "get-stdin", &[]);
    traps(world.call("wasi:filesystem/types", "[method]descriptor.stat", &[stdin]), "another type");
    let root = folder.root(&mut world);
    let entry = "[method]directory-entry-stream.read-directory-entry";
    traps(world.call("wasi:filesystem/types", entry, std::slice::from_ref(&root)), "another type");
    traps(
        world.call("wasi:filesystem/types", "[method]descriptor.read", &[root, Value::U32(1)]),
        "argument 1",
    );
    let no_error = Value::some(Value::case(code::INVALID));
    let error = crate::host::component::wasi::error::IoError { text: String::new(), errno: None, http: None };
    let error = borrow(world.table.push(error).unwrap());
    let told = world.get("wasi:filesystem/types", "filesystem-error-code", &[error]);
    assert!(told == Value::NONE && told != no_error);
}

/// In a warm instance, numbers of descriptors are given anew in each run. What was opened before must not become another file.
#[test]
fn what_an_earlier_run_opened_is_closed() {
    let folder = Folder::new();
    std::fs::write(folder.path("first"), "first").unwrap();
    std::fs::write(folder.path("second"), "second").unwrap();
    let mut world = folder.world();
    let root = folder.root(&mut world);
    let stale = folder.open(&mut world, "first", 0, READ);
    let entries = file(&mut world, "read-directory", std::slice::from_ref(&root));
    // The next run of the instance: its files are others, and begin with the same directories.
    let mut next = folder.world();
    std::mem::swap(&mut world.ctx, &mut next.ctx);
    world.ctx.run = 1;
    let fresh = folder.open(&mut world, "second", 0, READ);
    let read = |open: &Value| [open.clone(), Value::U64(9), Value::U64(0)];
    assert_eq!(file(&mut world, "read", &read(&stale)), failed(code::BAD_DESCRIPTOR));
    assert_eq!(file(&mut world, "read", &read(&fresh)), part(b"second", false));
    world.table.drop(rep(&stale), &mut world.ctx).unwrap();
    let Value::Variant(0, Some(entries)) = entries else { panic!("{entries:?}") };
    world.table.drop(rep(&entries), &mut world.ctx).unwrap();
    assert_eq!(file(&mut world, "read", &read(&fresh)), part(b"second", false));
    // A directory that is open from the start is there in each run.
    assert_eq!(file(&mut world, "get-type", std::slice::from_ref(&root)), Value::ok(Value::case(3)));
}
