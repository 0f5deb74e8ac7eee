//! The example guests: built from the sources that are here, small, and doing what their documents say. Those
//! that are not built in are run in programs.rs and cgi_programs.rs.

use crate::plain::PlainResults;
use crate::skip::skip;
use crate::support::{prebuilt, wat};
use fuelbox::plugins::examples::BUILT_IN;
use fuelbox::{Call, Error, Invocation, Runner, RunnerConfig, Stop, Value};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};

/// As in scripts/build-guests.sh.
const GUEST_BYTES_MAX: usize = 300_000;
/// Each adds its bytes to the binary.
const BUILT_IN_BYTES_MAX: usize = 120_000;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("guests")
}

fn runner() -> Runner {
    let runner = Runner::new(crate::support::runner_config()).unwrap();
    runner.load_built_in().unwrap();
    runner
}

#[test]
fn each_guest_was_built_from_the_sources_that_are_here() {
    let record = std::fs::read_to_string(prebuilt("SOURCES.sha256")).unwrap();
    // A file that only `cargo package` makes.
    let packaged = folder().with_file_name("Cargo.toml.orig").exists();
    let mut named = Vec::new();
    for line in record.lines() {
        let fields: Vec<&str> = line.split("  ").collect();
        let [hash, guest, sources] = fields[..] else { panic!("{line}") };
        let mut hasher = Sha256::new();
        named.push(guest.strip_suffix(".wasm").unwrap().to_string());
        let sources: Vec<PathBuf> = sources.split(' ').map(|source| folder().join(source)).collect();
        if packaged && !sources.iter().all(|source| source.exists()) {
            skip(&format!("{guest}: cargo leaves sources that are a package of their own out of a package"));
            continue;
        }
        for source in sources {
            hasher.update(std::fs::read(&source).unwrap_or_else(|e| panic!("{}: {e}", source.display())));
        }
        let found: String = hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(found, hash, "{guest} is older than its sources: run scripts/build-guests.sh");
    }
    named.sort();
    assert_eq!(named, prebuilt_names());
}

fn prebuilt_names() -> Vec<String> {
    let mut names: Vec<_> = std::fs::read_dir(folder().join("prebuilt"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter_map(|name| Some(name.strip_suffix(".wasm")?.to_string()))
        .collect();
    names.sort();
    names
}

#[test]
fn prebuilt_files_are_small_and_those_built_in_are_the_same() {
    let names = prebuilt_names();
    assert!(names.len() > BUILT_IN.len());
    for name in names {
        let bytes = std::fs::read(prebuilt(&format!("{name}.wasm"))).unwrap();
        assert!(bytes.len() <= GUEST_BYTES_MAX, "{name}: {} bytes", bytes.len());
        // The first four bytes are those of modules too, and the next four are a component's.
        if cfg!(feature = "component") || bytes[4..8] == [1, 0, 0, 0] {
            fuelbox::Program::compile(&name, &bytes, &fuelbox::Limits::default()).unwrap();
        }
    }
    for (name, bytes) in BUILT_IN {
        assert!(bytes.len() < BUILT_IN_BYTES_MAX, "{name}: {} bytes", bytes.len());
        assert_eq!(bytes, std::fs::read(prebuilt(&format!("{name}.wasm"))).unwrap());
    }
}

#[test]
fn guests_of_text_do_what_their_text_does() {
    // Another assembler may order sections otherwise, so that the exports are compared and not the bytes.
    for name in ["add", "fibonacci", "greet", "hostcall", "infinite-loop", "memory-hog"] {
        let text = std::fs::read_to_string(folder().join(format!("wat/{name}.wat"))).unwrap();
        let source = fuelbox::module::reader::read(&wat(&text)).unwrap();
        let built = fuelbox::module::reader::read(&std::fs::read(prebuilt(&format!("{name}.wasm"))).unwrap())
            .unwrap();
        assert_eq!(built.exports, source.exports, "{name}");
        assert_eq!(built.memory, source.memory, "{name}");
    }
}

#[test]
fn add_wraps_and_fibonacci_counts() {
    let runner = runner();
    let add = |a: i32, b: i32| runner.values("add", "add", &[a.into(), b.into()]).unwrap();
    assert_eq!(add(10, 20), [30.into()]);
    assert_eq!(add(i32::MAX, 1), [i32::MIN.into()]);
    for (n, value) in [(-1, 0), (0, 0), (1, 1), (20, 6765), (90, 2_880_067_194_370_816_120_i64)] {
        assert_eq!(runner.values("fibonacci", "fibonacci", &[n.into()]).unwrap(), [Value::I64(value)]);
    }
    let recursive = runner.values("fibonacci", "fibonacci_recursive", &[20.into()]).unwrap();
    assert_eq!(recursive, [6765_i64.into()]);
}

#[test]
fn both_greeters_take_any_bytes() {
    let runner = runner();
    let all: Vec<u8> = (0..=255).collect();
    let large = vec![b'x'; 1024 * 1024 - 7];
    for guest in ["greet", "greet-rust"] {
        for input in [&b""[..], b"World", &all, &large] {
            let output = runner.bytes(guest, "greet", input).unwrap();
            assert_eq!(output, [b"Hello, ", input].concat(), "{guest}");
        }
        let full = vec![b'x'; 1024 * 1024];
        let error = runner.bytes(guest, "greet", full).unwrap_err();
        assert!(
            matches!(error, Error::Guest(Stop::OutputFull { stream: "result", .. })),
            "{guest}: {error:?}"
        );
    }
}

#[test]
fn json_transform_upper_cases_the_strings() {
    let runner = runner();
    let transform =
        |input: &str| String::from_utf8(runner.bytes("json-transform", "transform", input).unwrap()).unwrap();
    assert_eq!(transform(r#" {"b": ["x", {"a": "é"}], "n": 1.0} "#), r#"{"b":["X",{"a":"É"}],"n":1.0}"#);
    assert!(transform("{").starts_with(r#"{"error":""#));
    assert!(transform("\u{0}").starts_with(r#"{"error":""#));
}

#[test]
fn the_bad_guests_are_stopped() {
    let limits = fuelbox::Limits { fuel: 10_000_000, ..fuelbox::Limits::default() };
    let runner = Runner::new(RunnerConfig { limits, ..crate::support::runner_config() }).unwrap();
    runner.load_built_in().unwrap();
    for func in ["spin", "greet"] {
        let report = runner.run("infinite-loop", Call::bytes(func, b"")).unwrap();
        assert_eq!(report.result, Err(Stop::OutOfFuel { limit: 10_000_000 }), "{func}");
    }
    let error = runner.values("memory-hog", "hog", &[]).unwrap_err();
    assert!(matches!(error, Error::Guest(Stop::MemoryDenied { .. })), "{error:?}");
    let grow = |n: i32| runner.values("memory-hog", "grow", &[n.into()]).unwrap();
    assert_eq!((grow(3), grow(319), grow(320)), (vec![1.into()], vec![1.into()], vec![Value::I32(-1)]));
}

#[test]
fn the_commands_run_without_anything_given() {
    let runner = runner();
    for (name, output) in [("hello-c", &b"Hello, World\n"[..]), ("wordcount", b"0 0 0\n")] {
        let path = prebuilt(&format!("{name}.wasm"));
        let report = runner.run(&path, Invocation::default()).unwrap();
        assert_eq!(report.result.unwrap(), output);
    }
}
