//! Programs for wasm32-wasip1 as their own compilers make them: Rust, C, Zig, AssemblyScript and Go run here
//! unchanged, with files, arguments, environment and standard input. What each must print is computed here.

use crate::skip::skip;
use crate::support::{Ran, TempDir, fuelbox_in, prebuilt};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};

/// The same program of WASI preview1, and as a component of WASI 0.2.
const TREEHASH: &[&str] =
    if cfg!(feature = "component") { &["treehash.wasm", "treehash-p2.wasm"] } else { &["treehash.wasm"] };

const DIRINFO: &[&str] =
    if cfg!(feature = "component") { &["dirinfo.wasm", "dirinfo-p2.wasm"] } else { &["dirinfo.wasm"] };

/// A folder with files of several sizes, in folders of several depths.
fn tree() -> TempDir {
    let dir = TempDir::new();
    for folder in ["sub/deep", "empty"] {
        std::fs::create_dir_all(dir.0.join(folder)).unwrap();
    }
    let large: Vec<u8> = (0..100_000_u32).map(|i| (i % 251) as u8).collect();
    dir.write("large", large);
    dir.write("known.txt", "one\ntwo\n");
    dir.write("sub/nothing", "");
    dir.write("sub/deep/é ü", "x");
    dir
}

/// The module of a guest that is too large for the repository; none, and a reason, where it is not built.
pub fn large(name: &str) -> Option<PathBuf> {
    let path = prebuilt(&format!("large/{name}.wasm"));
    if !path.exists() {
        skip(&format!("{} is not there (scripts/build-guests.sh {name} builds it)", path.display()));
        return None;
    }
    Some(path)
}

/// Runs `fuelbox run FLAGS MODULE -- ARGS`.
fn run(flags: &[&str], module: &Path, args: &[&str], stdin: &[u8]) -> Ran {
    let module = module.to_str().unwrap();
    let all = [&["run"], flags, &[module, "--"], args].concat();
    fuelbox_in(&TempDir::new().0, &all, stdin)
}

fn run_in(dir: &TempDir, guest_path: &str, name: &str, args: &[&str], stdin: &[u8]) -> Ran {
    let dir = format!("{}::{guest_path}", dir.0.display());
    run(&["--dir", &dir], &prebuilt(name), args, stdin)
}

#[test]
fn rust_walks_a_folder_and_hashes_its_files() {
    let dir = tree();
    let expected: String = ["known.txt", "large", "sub/deep/é ü", "sub/nothing"]
        .iter()
        .map(|path| {
            let hash = Sha256::digest(std::fs::read(dir.0.join(path)).unwrap());
            let hash: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
            format!("{hash}  /data/{path}\n")
        })
        .collect();
    for &module in TREEHASH {
        let ran = run_in(&dir, "/data", module, &["/data"], b"").expect(0);
        assert_eq!((ran.text().as_str(), ran.stderr.as_str()), (expected.as_str(), ""), "{module}");
    }
}

#[test]
fn rust_reports_what_it_cannot_read_and_goes_on() {
    let dir = tree();
    for &module in TREEHASH {
        let ran = run_in(&dir, "/data", module, &["/data/nope", "/data/sub/deep"], b"");
        assert_eq!(ran.code, Some(1), "{ran:#?}");
        assert!(
            ran.text().ends_with("  /data/sub/deep/é ü\n") && ran.text().lines().count() == 1,
            "{ran:#?}"
        );
        assert!(ran.stderr.starts_with("treehash: /data/nope: "), "{ran:#?}");
        let ran = run_in(&dir, "/data", module, &[], b"");
        // A component of WASI 0.2.6 can say no more than that it failed.
        assert_eq!((ran.text().as_str(), ran.code), ("", Some(if module == TREEHASH[0] { 2 } else { 1 })));
    }
}

#[test]
fn rust_does_not_follow_symbolic_links() {
    let dir = tree();
    std::os::unix::fs::symlink("large", dir.0.join("sub/link")).unwrap();
    std::os::unix::fs::symlink("..", dir.0.join("sub/up")).unwrap();
    for &module in TREEHASH {
        let ran = run_in(&dir, "/data", module, &["/data/sub"], b"").expect(0);
        let names: Vec<_> = ran.text().lines().map(|line| line[66..].to_string()).collect();
        assert_eq!(names, ["/data/sub/deep/é ü", "/data/sub/nothing"], "{module}");
    }
}

#[test]
fn c_lists_a_folder_writes_a_file_and_reads_it_back() {
    let dir = tree();
    let expected = "\
in /data:
empty/
known.txt 8
large 100000
sub/
written and read back:
  number 1
  number X
  number 3
  27 bytes before
time went on: yes
it is after 2020: yes
random bytes differ: yes
";
    for module in DIRINFO {
        let ran = run_in(&dir, "/data", module, &["/data"], b"").expect(0);
        assert_eq!((ran.text().as_str(), ran.stderr.as_str()), (expected, ""), "{module}");
        assert!(!dir.0.join("dirinfo.tmp").exists());
    }
}

#[test]
fn c_reports_a_folder_that_it_was_not_given() {
    for module in DIRINFO {
        let ran = run_in(&tree(), "/data", module, &["/other"], b"");
        assert_eq!((ran.code, ran.text().as_str()), (Some(1), "in /other:\n"), "{ran:#?}");
        assert!(ran.stderr.starts_with("/other: "), "{ran:#?}");
    }
}

#[test]
fn zig_compares_standard_input_with_a_file() {
    let dir = tree();
    let run = |args: &[&str], stdin: &str| run_in(&dir, ".", "unseen.wasm", args, stdin.as_bytes());
    assert_eq!(run(&["known.txt"], "one\nthree\ntwo\nfour").expect(0).text(), "2: three\n4: four\n");
    assert_eq!(run(&["sub/deep/é ü"], "x\n\nxx\n").expect(0).text(), "2: \n3: xx\n");
    let ran = run(&["nope"], "one\n");
    assert_eq!((ran.code, ran.text().as_str()), (Some(1), ""), "{ran:#?}");
    assert!(ran.stderr.starts_with("unseen: nope: FileNotFound\n"), "{ran:#?}");
}

#[test]
fn assemblyscript_turns_letters() {
    let module = prebuilt("rot.wasm");
    let text: String = (' '..='~').collect();
    // More than one buffer full.
    let long = text.repeat(1_000) + "é";
    let turned = |by: u8| -> String {
        let turn = |first: u8, c: char| char::from((c as u8 - first + by) % 26 + first);
        let turn = |c: char| match c {
            'a'..='z' => turn(b'a', c),
            'A'..='Z' => turn(b'A', c),
            _ => c,
        };
        long.chars().map(turn).collect()
    };
    for (args, by) in [(&[][..], 13), (&["3"], 3), (&["-1"], 25), (&["26"], 0)] {
        assert_eq!(run(&[], &module, args, long.as_bytes()).expect(0).text(), turned(by), "{args:?}");
    }
    let ran = run(&[], &module, &["much"], b"");
    assert_eq!((ran.code, ran.text().as_str()), (Some(2), ""), "{ran:#?}");
    assert!(ran.stderr.starts_with("rot: 'much' is not a number\n"), "{ran:#?}");
}

#[test]
fn go_tells_arguments_environment_and_a_folder() {
    let Some(module) = large("report") else { return };
    let dir = tree();
    let given = format!("{}::/data", dir.0.display());
    let flags = ["--dir", &given, "--env", "B=two words", "--env", "A=1"];
    let ran = run(&flags, &module, &["first", "/data"], b"").expect(0);
    let said: serde_json::Value = serde_json::from_slice(&ran.stdout).unwrap();
    let file = |name, bytes, folder| serde_json::json!({ "name": name, "bytes": bytes, "folder": folder });
    let expected = serde_json::json!({
        "args": ["first", "/data"],
        "env": ["A=1", "B=two words"],
        "files": [
            file("empty", 0, true),
            file("known.txt", 8, false),
            file("large", 100_000, false),
            file("sub", 0, true),
        ],
    });
    assert_eq!(said, expected);
    let ran = run(&flags, &module, &["/data/nope"], b"");
    assert_eq!((ran.code, ran.text().as_str()), (Some(1), ""), "{ran:#?}");
    assert!(ran.stderr.starts_with("report: open /data/nope: "), "{ran:#?}");
}

#[test]
fn cgi_programs_run_from_the_command_line_too() {
    let flags = [
        ("SERVER_PROTOCOL", "HTTP/1.1"),
        ("REQUEST_METHOD", "POST"),
        ("PATH_INFO", "/a b"),
        ("QUERY_STRING", "x=%20"),
        ("CONTENT_LENGTH", "4"),
        ("CONTENT_TYPE", "text/x"),
        ("HTTP_X_GREETING", "hi"),
    ];
    let flags: Vec<String> =
        flags.iter().flat_map(|(name, value)| ["--env".into(), format!("{name}={value}")]).collect();
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let modules = [("C", "cgi-c"), ("Rust", "cgi-rust"), ("Zig", "cgi-zig")];
    let mut modules: Vec<_> =
        modules.iter().map(|(language, name)| (*language, prebuilt(&format!("{name}.wasm")))).collect();
    modules.extend(large("cgi-go").map(|path| ("Go", path)));
    for (language, module) in modules {
        // Standard input goes on after the body.
        let ran = run(&flags, &module, &[], b"bodytail").expect(0);
        let expected = format!(
            "Status: 201 Created\r\nContent-Type: text/plain; charset=utf-8\r\nX-Written-In: {language}\r\n\r\n\
             POST /a b?x=%20\ntype: text/x\ngreeting: hi\n4 bytes:\nbody"
        );
        assert_eq!((ran.text(), ran.stderr.as_str()), (expected, ""), "{language}");
    }
}

#[test]
fn what_the_benchmarks_run_gets_its_sums_right() {
    let zeros: String = Sha256::digest(vec![0; 4 << 20]).iter().map(|byte| format!("{byte:02x}")).collect();
    let expected = [
        ("hello-rust", "Hello, World\n".to_string()),
        ("work-fib", "5702887\n".to_string()),
        // The number of primes below two million.
        ("work-sieve", "148933\n".repeat(4)),
        ("work-sha256", zeros + "\n"),
    ];
    for (name, text) in expected {
        let ran = run(&["--timeout", "none"], &prebuilt(&format!("{name}.wasm")), &[], b"").expect(0);
        assert_eq!((ran.text(), ran.stderr.as_str()), (text, ""), "{name}");
    }
    if let Some(path) = large("hello-go") {
        assert_eq!(run(&[], &path, &[], b"").expect(0).text(), "Hello, World\n");
    }
}
