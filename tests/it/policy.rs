//! Policies: what each key does, that nothing exceeds the server's limits, and that a wrong one fails closed.

use crate::plain::PlainResults;
use crate::support::{Server, TempDir, fuelbox_in, prebuilt, twice, wat};
use fuelbox::plugins::folder::{Changes, Folder};
use fuelbox::plugins::policy::{Access, ServerPolicy};
use fuelbox::plugins::registry::Plugins;
use fuelbox::{Convention, Error, Limits, Runner, RunnerConfig};
use std::path::Path;
use std::time::Duration;

/// A folder, its plug-ins, and the rules that they are loaded by.
struct Scanned {
    dir: TempDir,
    folder: Folder,
    plugins: Plugins,
    rules: ServerPolicy,
}

impl Scanned {
    /// With greet, under this policy.
    fn greet(policy: &str) -> Scanned {
        let mut it = Scanned::empty();
        std::fs::copy(prebuilt("greet.wasm"), it.dir.0.join("greet.wasm")).unwrap();
        it.dir.write("greet.toml", policy);
        it.scan();
        it
    }

    fn empty() -> Scanned {
        let dir = TempDir::new();
        let folder = Folder::new(&dir.0);
        Scanned { dir, folder, plugins: Plugins::new(), rules: ServerPolicy::default() }
    }

    fn scan(&mut self) -> Changes {
        twice(|| self.folder.scan(&self.plugins, &self.rules).unwrap())
    }

    /// The only reason for which something was refused.
    fn reason(&self) -> String {
        let refused = self.plugins.refused();
        assert_eq!(refused.len(), 1, "{refused:?}");
        refused.into_values().next().unwrap()
    }
}

/// What is wrong with `policy` for greet, without the path before it.
#[track_caller]
fn wrong(policy: &str) -> String {
    let it = Scanned::greet(policy);
    assert!(it.plugins.get("greet").is_err(), "it serves");
    let reason = it.reason();
    reason.split_once("greet.toml:").unwrap_or_else(|| panic!("{reason}")).1.to_string()
}

#[test]
fn limits_stay_within_the_servers() {
    let server = Limits::default();
    type Field = fn(&Limits) -> u64;
    let fields: [(&str, u64, Field); 9] = [
        ("fuel", server.fuel, |limits| limits.fuel),
        ("memory-pages", server.memory_pages.into(), |limits| limits.memory_pages.into()),
        ("max-input", server.input_bytes as u64, |limits| limits.input_bytes as u64),
        ("max-output", server.output_bytes as u64, |limits| limits.output_bytes as u64),
        ("max-recursion", server.recursion as u64, |limits| limits.recursion as u64),
        ("max-stack", server.stack_bytes as u64, |limits| limits.stack_bytes as u64),
        ("max-table-elements", server.table_elements.into(), |limits| limits.table_elements.into()),
        ("max-descriptors", server.descriptors as u64, |limits| limits.descriptors as u64),
        ("dir-quota", server.dir_quota, |limits| limits.dir_quota),
    ];
    for (key, most, of) in fields {
        for value in [most - 1, most] {
            let it = Scanned::greet(&format!("[limits]\n{key} = {value}\n"));
            assert_eq!(of(&it.plugins.get("greet").unwrap().policy.limits), value, "{key}");
        }
        let reason = wrong(&format!("[limits]\n{key} = {}\n", most + 1));
        let expected =
            format!("2:{}: {} is more than the server's --{key}, which is {most}", key.len() + 4, most + 1);
        assert_eq!(reason, expected);
    }
}

#[test]
fn a_deadline_stays_within_the_servers() {
    let deadline = |text: &str| {
        Scanned::greet(&format!("limits.timeout = \"{text}\""))
            .plugins
            .get("greet")
            .unwrap()
            .policy
            .limits
            .deadline
    };
    assert_eq!(deadline("4999ms"), Some(Duration::from_millis(4999)));
    assert_eq!(deadline("5s"), Some(Duration::from_secs(5)));
    assert_eq!(
        wrong("limits.timeout = \"5001ms\""),
        "1:18: 5s 1ms is more than the server's --timeout, which is 5s"
    );
    assert_eq!(
        wrong("limits.timeout = \"none\""),
        "1:18: none is more than the server's --timeout, which is 5s"
    );
    assert!(wrong("limits.timeout = \"0s\"").contains("--timeout is 0"));
    assert!(wrong("limits.timeout = 5").starts_with("1:18: "));
    assert!(wrong("limits.timeout = \"soon\"").contains("not a time"));
}

#[test]
fn sizes_are_written_as_in_flags() {
    let it = Scanned::greet("[limits]\nmax-output = \"4KiB\"\nmax-input = 10");
    let limits = it.plugins.get("greet").unwrap().policy.limits.clone();
    assert_eq!((limits.output_bytes, limits.input_bytes), (4096, 10));
    assert!(wrong("limits.max-input = \"4KB\"").contains("not a size"));
    assert!(wrong("limits.max-input = -1").starts_with("1:20: "));
    assert!(wrong("limits.fuel = 0").contains("--fuel is 0"));
}

#[test]
fn what_is_wrong_is_told_with_line_and_column() {
    for (policy, expected) in [
        ("", "1:1: the policy is empty"),
        (" \n\n", "1:1: the policy is empty"),
        ("acess = \"token\"", "1:1: unknown field `acess`"),
        ("access = \"none\"", "1:10: unknown variant `none`, expected `open` or `token`"),
        ("# first\n\n[limits]\n  fule = 1", "4:3: unknown field `fule`"),
        ("access = \"token\"\naccess = \"open\"", "2:1: duplicate key"),
        ("access = ", "1:10: "),
        ("workers = 0", "1:11: workers is 0"),
        ("workers = -1", "1:11: "),
        ("functions = []", "1:13: the list is empty"),
        ("functions = [\"greet\", \"bye\"]", "1:23: the module exports no function `bye`"),
        ("functions = [\"memory\"]", "1:14: the module exports no function `memory`"),
        (
            "convention = \"rot13\"",
            "1:14: no convention `rot13`; use numeric, packed, command, extism or component",
        ),
        ("convention = \"command\"", "1:14: no function of the module fits this convention"),
        ("convention = \"numeric\"\nfunctions = [\"greet\", \"x\"]", "2:23: "),
        ("content-type = \"png\"", "1:16: not a content type"),
        ("content-type = \"a/b\\r\\nX: y\"", "1:16: not a content type"),
        ("content-type = \"text/html; charset=\u{e9}\"", "1:16: not a content type"),
        ("[env]\n\"A=B\" = \"x\"", "2:9: `A=B` is not a valid name"),
        ("[env]\nA = \"x\\u0000y\"", "2:5: the value holds a NUL"),
        ("[env]\nA = 1", "2:5: "),
        ("args = [\"a\", \"x\\u0000\"]", "1:14: the argument holds a NUL"),
        ("dirs = [\"relative::/x\"]", "1:9: relative is not an absolute path"),
        ("dirs = [\"/tmp::/x:r0\"]", "1:9: `/tmp::/x:r0`: give HOST"),
        ("dirs = [\"/tmp\"]", "1:9: /tmp is not inside a directory of --policy-dirs"),
        ("\u{e9}\u{e9} = 1", "1:1: "),
        ("# \u{1f600}\u{1f600}\n'\u{e9}' = 1", "2:1: unknown field"),
    ] {
        let reason = wrong(policy);
        assert!(reason.starts_with(expected), "{policy:?} gave {reason}");
        assert!(!reason.contains('\n'), "one line: {reason}");
    }
}

#[test]
fn bytes_that_are_no_text_and_files_that_are_too_large_are_refused() {
    let mut it = Scanned::greet("access = \"open\"");
    assert!(it.plugins.get("greet").is_ok());
    let most = fuelbox::plugins::policy::POLICY_BYTES_MAX;
    for (bytes, expected) in [
        (b"access = \"\xff\"".to_vec(), Some("not UTF-8")),
        (format!("#{}\naccess = \"open\"", "x".repeat(most - 17)).into_bytes(), None),
        (format!("#{}\naccess = \"open\"", "x".repeat(most - 16)).into_bytes(), Some("more than 65536")),
    ] {
        it.dir.write("greet.toml", &bytes);
        let changes = it.scan();
        match expected {
            Some(expected) => assert!(changes.failed[0].to_string().contains(expected), "{changes:?}"),
            None => assert_eq!(changes.replaced, ["greet"], "{}", bytes.len()),
        }
    }
}

#[test]
fn a_wrong_policy_leaves_the_version_before_serving() {
    let mut it = Scanned::greet("limits.fuel = 1000");
    let fuel = |it: &Scanned| it.plugins.get("greet").unwrap().policy.limits.fuel;
    assert_eq!(fuel(&it), 1000);
    it.dir.write("greet.toml", "limits.fuel = 2000\nfoo = 1");
    let changes = it.scan();
    assert!(matches!(&changes.failed[..], [Error::Policy { line: 2, column: 1, .. }]), "{changes:?}");
    assert_eq!(fuel(&it), 1000);
    // A new module does not get in under the wrong policy either.
    let before = it.plugins.get("greet").unwrap().digest;
    it.dir.write("greet.wasm", wat("(module (func (export \"other\")))"));
    assert_eq!(it.scan().failed.len(), 1);
    assert_eq!(it.plugins.get("greet").unwrap().digest, before);
    assert!(it.scan().is_empty(), "the same is not told twice");
    it.dir.write("greet.toml", "limits.fuel = 2000");
    assert_eq!(it.scan().replaced, ["greet"]);
    assert_eq!(fuel(&it), 2000);
    assert_ne!(it.plugins.get("greet").unwrap().digest, before);
    std::fs::remove_file(it.dir.0.join("greet.toml")).unwrap();
    assert_eq!(it.scan().replaced, ["greet"]);
    assert_eq!(fuel(&it), Limits::default().fuel);
}

#[test]
fn a_policy_that_cannot_be_read_is_no_absent_one() {
    let mut it = Scanned::empty();
    std::fs::copy(prebuilt("greet.wasm"), it.dir.0.join("greet.wasm")).unwrap();
    std::os::unix::fs::symlink("nowhere", it.dir.0.join("greet.toml")).unwrap();
    assert_eq!(it.scan().failed.len(), 1);
    assert!(it.plugins.get("greet").is_err());
    std::fs::remove_file(it.dir.0.join("greet.toml")).unwrap();
    std::fs::create_dir(it.dir.0.join("greet.toml")).unwrap();
    assert_eq!(it.scan().failed.len(), 1);
    assert!(it.plugins.get("greet").is_err());
}

#[test]
fn a_module_is_held_to_its_own_memory_cap() {
    let mut it = Scanned::empty();
    it.dir.write("two.wasm", wat("(module (memory 2) (func (export \"f\")))"));
    it.dir.write("two.toml", "limits.memory-pages = 1");
    let changes = it.scan();
    assert!(changes.failed[0].to_string().contains("declares 2 pages of memory, more than the 1 allowed"));
}

fn served(dir: &Path, config: RunnerConfig) -> Server {
    let runner = Runner::new(config).unwrap();
    let changes = runner.load_plugins(dir).unwrap();
    assert!(changes.failed.is_empty(), "{changes:?}");
    Server::with(runner)
}

#[test]
fn only_the_functions_that_are_named_can_be_called() {
    let dir = TempDir::new();
    dir.write(
        "two.wasm",
        wat(r#"(module (func (export "a") (result i32) (i32.const 1)) (func (export "b") (result i32) (i32.const 2)))"#),
    );
    dir.write("two.toml", "functions = [\"a\"]");
    let server = served(&dir.0, crate::support::runner_config());
    assert_eq!(server.send("POST", "/execute/two?func=a", b"").text(), "1\n");
    // The only one needs no name.
    assert_eq!(server.send("POST", "/execute/two", b"").text(), "1\n");
    let refused = server.send("POST", "/execute/two?func=b", b"");
    assert_eq!((refused.status, refused.problem()), (404, "no-such-function".into()));
    assert!(refused.text().contains("there is: a\""), "{}", refused.text());
    assert!(server.runner.values("two", "b", &[]).is_err());
    assert!(server.runner.bytes("two", "b", b"").is_err());
    let listed: serde_json::Value =
        serde_json::from_slice(&server.send("GET", "/plugins", b"").body).unwrap();
    assert_eq!(listed["plugins"][0]["functions"].as_array().unwrap().len(), 1);
}

#[test]
fn limits_of_a_policy_hold_for_its_runs_only() {
    let dir = TempDir::new();
    for name in ["spin.wasm", "free.wasm"] {
        std::fs::copy(prebuilt("infinite-loop.wasm"), dir.0.join(name)).unwrap();
    }
    dir.write("spin.toml", "limits.fuel = 5000\nlimits.max-input = 3");
    let limits = Limits { deadline: Some(Duration::from_millis(50)), ..Limits::default() };
    let server = served(&dir.0, RunnerConfig { limits, ..crate::support::runner_config() });
    let spun = server.send("POST", "/execute/spin?func=spin", b"");
    assert_eq!((spun.status, spun.problem()), (504, "out-of-fuel".into()));
    assert_eq!(spun.header("fuel-used"), Some("5000"));
    assert_eq!(server.send("POST", "/execute/free?func=spin", b"").problem(), "deadline");
    assert_eq!(server.send("POST", "/execute/spin?func=spin", b"    ").status, 413);
}

#[test]
fn content_type_and_convention_are_the_policys() {
    let dir = TempDir::new();
    let more = "(func (export \"add\") (param i32 i32) (result i32) (i32.const 0))";
    let source = include_str!("../../guests/wat/greet.wat").trim_end().strip_suffix(')').unwrap();
    dir.write("greet.wasm", wat(&format!("{source} {more})")));
    dir.write("greet.toml", "content-type = \"text/html\"\nconvention = \"packed\"");
    std::fs::copy(prebuilt("wordcount.wasm"), dir.0.join("words.wasm")).unwrap();
    dir.write("words.toml", "content-type = \"application/json\"");
    let server = served(&dir.0, crate::support::runner_config());
    let page = server.send("POST", "/execute/greet", b"<b>");
    assert_eq!((page.header("content-type"), page.text()), (Some("text/html"), "Hello, <b>".into()));
    // All plug-ins and the console share an origin, so a browser must keep a page apart.
    assert!(page.header("content-security-policy").unwrap().starts_with("sandbox "), "{}", page.head);
    assert!(!page.head.contains("allow-same-origin"));
    assert_eq!(page.header("x-content-type-options"), Some("nosniff"));
    let words = server.send("POST", "/execute/words", b"a b");
    assert_eq!(words.header("content-type"), Some("application/json"));
    assert_eq!(server.runner.plugins().get("greet").unwrap().policy.convention, Some(Convention::Packed));
    // By that convention alone.
    assert_eq!(server.send("POST", "/execute/greet?func=add", b"1 2").status, 400);
}

#[test]
fn environment_and_directories_come_from_the_policy_and_not_from_clients() {
    let dir = TempDir::new();
    let data = TempDir::new();
    std::fs::create_dir(data.0.join("in")).unwrap();
    std::fs::write(data.0.join("in/file"), "text").unwrap();
    std::fs::copy(prebuilt("treehash.wasm"), dir.0.join("tree.wasm")).unwrap();
    std::fs::copy(prebuilt("cgi-rust.wasm"), dir.0.join("cgi.wasm")).unwrap();
    dir.write("cgi.toml", "[env]\nHTTP_X_GREETING = \"hello\"\nHTTP_X_ROLE = \"guest\"\n");
    dir.write("tree.toml", format!("args = [\"/data\"]\ndirs = [\"{}/in::/data:ro\"]", data.0.display()));
    let config = RunnerConfig { policy_dirs: vec![data.0.clone()], ..crate::support::runner_config() };
    let server = served(&dir.0, config);
    let answer = server.send("GET", "/execute/cgi", b"").text();
    assert!(answer.contains("greeting: hello"), "{answer}");
    // The digest of `text`, and the file's name as the guest sees it.
    let listing = server.send("GET", "/execute/tree?/etc", b"").text();
    assert!(listing.starts_with("982d9e3e") && listing.ends_with("  /data/file\n"), "{listing}");
    let tree = server.runner.plugins().get("tree").unwrap();
    assert_eq!(tree.policy.guest_env.dirs.len(), 1);
    assert!(tree.policy.guest_env.dirs[0].read_only);
    let guest_env = fuelbox::GuestEnv {
        env: vec![(b"HTTP_X_ROLE".to_vec(), b"admin".to_vec()), (b"OTHER".to_vec(), b"1".to_vec())],
        ..Default::default()
    };
    let given = guest_env.with(&server.runner.plugins().get("cgi").unwrap().policy.guest_env).env;
    let roles: Vec<_> = given.iter().filter(|(name, _)| name == b"HTTP_X_ROLE").collect();
    assert_eq!(roles, [&(b"HTTP_X_ROLE".to_vec(), b"guest".to_vec())]);
    assert!(given.iter().any(|(name, _)| name == b"OTHER"));
}

#[test]
fn no_directory_outside_those_of_the_server_can_be_opened() {
    let data = TempDir::new();
    let outside = TempDir::new();
    std::fs::create_dir(data.0.join("in")).unwrap();
    std::os::unix::fs::symlink(&outside.0, data.0.join("out")).unwrap();
    let shown = data.0.display();
    let mut it = Scanned::empty();
    it.rules.dirs_within = vec![data.0.clone()];
    std::fs::copy(prebuilt("greet.wasm"), it.dir.0.join("greet.wasm")).unwrap();
    for (path, is_ok) in [
        (format!("{shown}"), true),
        (format!("{shown}/in"), true),
        (format!("{shown}/in/../in"), true),
        (format!("{shown}/out"), false),
        (format!("{shown}/.."), false),
        (format!("{shown}-beside"), false),
        (format!("{shown}/none"), false),
        ("/".into(), false),
    ] {
        it.dir.write("greet.toml", format!("dirs = [\"{path}::/data\"]"));
        let changes = it.scan();
        assert_eq!(changes.failed.is_empty(), is_ok, "{path}: {changes:?}");
    }
    it.dir.write("greet.toml", format!("dirs = [\"{shown}::/d\", \"{shown}/in::/d\"]"));
    assert!(it.scan().failed[0].to_string().contains("two directories have the name `/d`"));
    // One that comes later needs no change of the file.
    it.dir.write("greet.toml", format!("dirs = [\"{shown}/later::/d\"]"));
    assert_eq!(it.scan().failed.len(), 1);
    std::fs::create_dir(data.0.join("later")).unwrap();
    assert!(it.scan().failed.is_empty());
    assert_eq!(it.plugins.get("greet").unwrap().policy.guest_env.dirs[0].guest, "/d");
}

#[test]
fn a_policy_has_its_own_warm_instances() {
    let mut it = Scanned::greet("warm = 2\nworkers = 1\naccess = \"token\"");
    let greet = it.plugins.get("greet").unwrap();
    assert_eq!(greet.warm.as_ref().map(|pool| pool.most()), Some(2));
    assert_eq!((greet.policy.workers, greet.policy.access), (Some(1), Access::Token));
    it.dir.write("greet.toml", "warm = 0");
    it.scan();
    assert!(it.plugins.get("greet").unwrap().warm.is_none());
}

#[test]
fn the_listing_tells_what_is_refused_without_the_servers_paths() {
    let dir = TempDir::new();
    std::fs::copy(prebuilt("greet.wasm"), dir.0.join("greet.wasm")).unwrap();
    dir.write("greet.toml", "\nfoo = 1");
    let runner = Runner::new(crate::support::runner_config()).unwrap();
    runner.load_plugins(&dir.0).unwrap();
    let server = Server::with(runner);
    let listing = server.send("GET", "/plugins", b"").text();
    assert!(listing.contains("greet.toml:2:1: unknown field `foo`"), "{listing}");
    assert!(!listing.contains(dir.0.to_str().unwrap()), "{listing}");
    assert_eq!(server.send("POST", "/execute/greet", b"").status, 404);
}

#[test]
fn check_tells_every_file_that_would_not_serve() {
    let dir = TempDir::new();
    let check = |args: &[&str]| fuelbox_in(&dir.0, &[&["check", "."], args].concat(), b"");
    std::fs::copy(prebuilt("greet.wasm"), dir.0.join("greet.wasm")).unwrap();
    dir.write("greet.toml", "limits.fuel = 1000");
    assert_eq!(check(&[]).expect(0).text(), "ok  greet (211 bytes, under its policy)\n");
    assert!(check(&["--fuel", "999"]).expect(120).stderr.contains("greet.toml:1:15: 1000 is more than"));
    dir.write("gret.toml", "limits.fuel = 1000");
    let lost = check(&[]).expect(120);
    assert!(lost.stderr.contains("gret.toml: there is no module for this policy"), "{}", lost.stderr);
    dir.write("bad.wasm", "rubbish");
    let both = check(&[]).expect(120);
    assert!(both.stderr.contains("bad.wasm: not a WebAssembly module"), "{}", both.stderr);
    assert!(both.stderr.contains("2 files would not serve") && both.text().contains("ok  greet"));
    fuelbox_in(&dir.0, &["check"], b"").expect(2);
    fuelbox_in(&dir.0, &["check", "none"], b"").expect(120);
    fuelbox_in(&dir.0, &["check", ".", "more"], b"").expect(2);
}
