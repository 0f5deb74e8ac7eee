//! The plug-in folder: what is loaded, reported, replaced and dropped, and what a call in flight sees.

use crate::guest::LONG;
use crate::plain::PlainResults;
use crate::support::{TempDir, job, twice, wat};
use fuelbox::abi::numeric;
use fuelbox::plugins::code::Code;
use fuelbox::plugins::folder::{Changes, Folder};
use fuelbox::plugins::policy::ServerPolicy;
use fuelbox::plugins::registry::{Plugin, Plugins};
use fuelbox::plugins::watch::Watch;
use fuelbox::{CompileOptions, Error, Limits, Program, Runner, Value};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A module whose `f` gives `n`; of another size for each length of `n`.
fn giving(n: i32) -> Vec<u8> {
    wat(&format!(r#"(module (func (export "f") (result i32) (i32.const {n})))"#))
}

/// The program of a plug-in that is compiled in this process.
fn compiled(plugin: &Plugin) -> &Program {
    match &plugin.code {
        Code::Here(program) => program,
        other => panic!("{other:?}"),
    }
}

/// A folder, the plug-ins from it, and what the last scan said.
struct Scanned {
    dir: TempDir,
    folder: Folder,
    plugins: Plugins,
}

impl Scanned {
    fn new() -> Scanned {
        let dir = TempDir::new();
        let folder = Folder::new(&dir.0);
        Scanned { dir, folder, plugins: Plugins::new() }
    }

    fn scan(&mut self) -> Changes {
        twice(|| self.folder.scan(&self.plugins, &ServerPolicy::default()).unwrap())
    }

    /// What `f` of the plug-in `name` gives now.
    fn call(&self, name: &str) -> Option<i32> {
        let plugin = self.plugins.get(name).ok()?;
        let report = numeric::run(job(compiled(&plugin), &Limits::default()), "f", &[]).unwrap();
        let [Value::I32(n)] = report.result.unwrap()[..] else { panic!() };
        Some(n)
    }

    /// Puts a whole new file in the place of `name`, as an upload should.
    fn replace(&self, name: &str, bytes: &[u8]) {
        let new = self.dir.write("upload.tmp", bytes);
        std::fs::rename(new, self.dir.0.join(name)).unwrap();
    }
}

#[test]
fn files_are_loaded_replaced_and_removed() {
    let mut it = Scanned::new();
    assert!(it.scan().is_empty());
    it.dir.write("b.wasm", giving(2));
    it.dir.write("a.wasm", giving(1));
    it.dir.write("notes.txt", "no module");
    it.dir.write("wasm", giving(9));
    let changes = it.scan();
    assert_eq!(changes.loaded, ["a", "b"]);
    assert!(changes.replaced.is_empty() && changes.removed.is_empty() && changes.failed.is_empty());
    assert_eq!((it.call("a"), it.call("b"), it.call("a.wasm")), (Some(1), Some(2), Some(1)));
    assert!(it.scan().is_empty(), "nothing changed");

    it.replace("a.wasm", &giving(100));
    let changes = it.scan();
    assert_eq!(changes.replaced, ["a"]);
    assert_eq!(it.call("a"), Some(100));

    std::fs::remove_file(it.dir.0.join("a.wasm")).unwrap();
    let changes = it.scan();
    assert_eq!(changes.removed, ["a"]);
    assert_eq!((it.call("a"), it.call("b")), (None, Some(2)));
    let error = it.plugins.get("a").unwrap_err();
    assert_eq!(error.to_string(), "no plug-in `a`; there is: b");
}

#[test]
fn a_replacement_of_the_same_size_is_seen() {
    let mut it = Scanned::new();
    it.dir.write("a.wasm", giving(1));
    it.scan();
    assert_eq!(giving(1).len(), giving(2).len());
    it.replace("a.wasm", &giving(2));
    assert_eq!(it.scan().replaced, ["a"]);
    assert_eq!(it.call("a"), Some(2));
}

#[test]
fn a_bad_file_is_reported_once_and_skipped() {
    let mut it = Scanned::new();
    let bad = it.dir.write("bad.wasm", "hello");
    it.dir.write("good.wasm", giving(1));
    let changes = it.scan();
    assert_eq!(changes.loaded, ["good"]);
    assert_eq!(changes.failed.len(), 1);
    assert!(changes.failed[0].to_string().contains("bad.wasm"), "{:?}", changes.failed);
    assert!(it.plugins.refused()[&bad].contains("not a WebAssembly module"));
    for _ in 0..3 {
        assert!(it.scan().is_empty(), "not told again");
        assert_eq!(it.plugins.refused().len(), 1, "but still known");
    }
    it.replace("bad.wasm", &giving(2));
    assert_eq!(it.scan().loaded, ["bad"]);
    assert!(it.plugins.refused().is_empty());
}

#[test]
fn a_replacement_that_does_not_load_leaves_the_old_one_serving() {
    let mut it = Scanned::new();
    it.dir.write("a.wasm", giving(1));
    it.scan();
    for bad in [&b""[..], b"rubbish", &giving(1)[..20], b"(module (memory 65536))"] {
        it.replace("a.wasm", bad);
        let changes = it.scan();
        assert!(changes.replaced.is_empty() && changes.removed.is_empty());
        assert_eq!(changes.failed.len(), 1);
        assert_eq!(it.call("a"), Some(1));
    }
    it.replace("a.wasm", &giving(2));
    assert_eq!(it.scan().replaced, ["a"]);
    assert_eq!(it.call("a"), Some(2));
    std::fs::remove_file(it.dir.0.join("a.wasm")).unwrap();
    assert_eq!(it.scan().removed, ["a"]);
}

#[test]
fn of_two_files_with_one_name_the_binary_serves_and_the_other_is_reported() {
    let mut it = Scanned::new();
    it.dir.write("a.wat", r#"(module (func (export "f") (result i32) (i32.const 7)))"#);
    it.dir.write("a.wasm", giving(1));
    let changes = it.scan();
    assert_eq!(changes.loaded, ["a"]);
    assert_eq!(changes.failed.len(), 1);
    assert!(changes.failed[0].to_string().contains("has the same plug-in name"), "{:?}", changes.failed);
    assert_eq!(it.call("a"), Some(1));
    assert!(it.scan().is_empty());
    // With the first gone, the second takes its place without a change of its own.
    std::fs::remove_file(it.dir.0.join("a.wasm")).unwrap();
    it.scan();
    assert_eq!(it.call("a"), Some(7));
}

#[test]
fn the_folder_itself_may_be_missing() {
    let mut it = Scanned::new();
    it.dir.write("a.wasm", giving(1));
    it.scan();
    std::fs::remove_dir_all(&it.dir.0).unwrap();
    let error = it.folder.scan(&it.plugins, &ServerPolicy::default()).unwrap_err();
    assert!(matches!(&error, Error::Io { path, .. } if *path == it.dir.0), "{error:?}");
    assert_eq!(it.call("a"), Some(1), "what was loaded still serves");
}

#[test]
fn folders_and_pipes_are_reported_and_not_opened() {
    let mut it = Scanned::new();
    std::fs::create_dir(it.dir.0.join("dir.wasm")).unwrap();
    let fifo = it.dir.0.join("fifo.wasm");
    let made = std::process::Command::new("mkfifo").arg(&fifo).status();
    let expected = if made.is_ok_and(|status| status.success()) { 2 } else { 1 };
    // Opening the pipe would wait for ever, since nobody writes to it.
    let changes = it.scan();
    assert_eq!(changes.failed.len(), expected);
    assert!(changes.failed.iter().all(|error| error.to_string().contains("not a regular file")));
    assert!(it.scan().is_empty());
}

#[test]
#[cfg(target_os = "linux")]
fn a_name_that_is_no_utf_8_is_reported() {
    use std::os::unix::ffi::OsStrExt;
    let mut it = Scanned::new();
    let name = std::ffi::OsStr::from_bytes(b"a\xff.wasm");
    std::fs::write(it.dir.0.join(name), giving(1)).unwrap();
    let changes = it.scan();
    assert_eq!(changes.failed.len(), 1);
    assert!(changes.failed[0].to_string().contains("not UTF-8"), "{:?}", changes.failed);
    assert!(it.plugins.all().is_empty());
}

#[test]
#[cfg(unix)]
fn links_are_followed_and_dangling_ones_are_not_there() {
    use std::os::unix::fs::symlink;
    let mut it = Scanned::new();
    let target = it.dir.write("module", giving(1));
    symlink("module", it.dir.0.join("link.wasm")).unwrap();
    symlink("nothing", it.dir.0.join("dangling.wasm")).unwrap();
    symlink("loop.wasm", it.dir.0.join("loop.wasm")).unwrap();
    assert_eq!(it.scan().loaded, ["link"]);
    assert_eq!(it.call("link"), Some(1));
    // A change behind the link is a change.
    let new = it.dir.write("new", giving(200));
    std::fs::rename(new, &target).unwrap();
    assert_eq!(it.scan().replaced, ["link"]);
    assert_eq!(it.call("link"), Some(200));
    std::fs::remove_file(&target).unwrap();
    assert_eq!(it.scan().removed, ["link"]);
}

#[test]
fn odd_names_are_names() {
    let mut it = Scanned::new();
    for name in ["with space.wasm", "a.b.wasm", "\u{e9}.wasm", "-x.wasm", "new\nline.wasm"] {
        it.dir.write(name, giving(1));
    }
    it.dir.write(".wasm", giving(1));
    assert_eq!(it.scan().loaded.len(), 5);
    assert_eq!((it.call("with space"), it.call("a.b"), it.call("a")), (Some(1), Some(1), None));
}

#[test]
fn a_call_in_flight_ends_on_the_version_it_began_with() {
    let mut it = Scanned::new();
    it.dir.write("a.wasm", giving(1));
    it.scan();
    let began_with = it.plugins.get("a").unwrap();
    it.replace("a.wasm", &giving(2));
    it.scan();
    std::fs::remove_file(it.dir.0.join("a.wasm")).unwrap();
    it.scan();
    let report = numeric::run(job(compiled(&began_with), &Limits::default()), "f", &[]).unwrap();
    assert_eq!(report.result, Ok(vec![1.into()]));
}

#[test]
fn the_limits_hold_for_files_too() {
    let dir = TempDir::new();
    let path = dir.write("a.wasm", giving(1));
    let limits = Limits { module_bytes: giving(1).len() - 1, ..Limits::default() };
    let error = fuelbox::plugins::files::load_file(&path, &limits, &CompileOptions::default()).unwrap_err();
    assert!(error.to_string().contains("--max-module"), "{error}");
    assert!(error.to_string().contains("a.wasm"), "{error}");
    let missing =
        fuelbox::plugins::files::load_file(&dir.0.join("b.wasm"), &limits, &CompileOptions::default())
            .unwrap_err();
    assert!(missing.to_string().contains("b.wasm"), "{missing}");
}

#[test]
fn built_in_guests_stay_when_a_folder_changes() {
    let mut it = Scanned::new();
    it.plugins.add_built_in(&ServerPolicy::default()).unwrap();
    let count = it.plugins.all().len();
    assert!(it.scan().is_empty());
    assert_eq!(it.plugins.all().len(), count);
}

/// Waits until `done`, at most `LONG`.
#[track_caller]
fn eventually(what: &str, mut done: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !done() {
        assert!(begin.elapsed() < LONG, "{what} did not happen");
        std::thread::sleep(Duration::from_millis(20));
    }
    println!("{what} after {:?}", begin.elapsed());
}

#[test]
fn a_watched_folder_takes_effect_without_a_restart() {
    let dir = TempDir::new();
    dir.write("a.wasm", giving(1));
    let runner = Arc::new(Runner::new(crate::support::runner_config()).unwrap());
    runner.load_plugins(&dir.0).unwrap();
    let watch = Watch::start(Arc::clone(runner.catalog())).unwrap();
    let gives = |name: &str, n: i32| runner.values(name, "f", &[]).is_ok_and(|values| values == [n.into()]);
    assert!(gives("a", 1));
    dir.write("b.wasm", giving(2));
    eventually("a new plug-in", || gives("b", 2));
    std::fs::rename(dir.write("new", giving(300)), dir.0.join("a.wasm")).unwrap();
    eventually("a replacement", || gives("a", 300));
    std::fs::remove_file(dir.0.join("b.wasm")).unwrap();
    eventually("a removal", || runner.plugins().get("b").is_err());
    drop(watch);
    dir.write("c.wasm", giving(3));
    std::thread::sleep(fuelbox::plugins::watch::INTERVAL * 2);
    assert!(runner.plugins().get("c").is_err(), "nobody watches any more");
}
