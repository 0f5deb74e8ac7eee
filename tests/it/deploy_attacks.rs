//! Deployment against clients who want it to fail, and against policies and ends of the process that come at a bad
//! moment.

use crate::site::{DEPLOY, Site, giving, token_file};
use crate::support::{Client, Serve, TempDir, reload, wat};
use fuelbox::base::limits::{DoorLimits, MESSAGE_BYTES_MAX};
use fuelbox::{Limits, RunnerConfig};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

/// A module of a little more than `size` bytes, all but some of which are a custom section.
fn module_of(size: usize) -> Vec<u8> {
    let mut module = giving(1);
    let content = [&[1, b'x'][..], &vec![0; size]].concat();
    module.push(0);
    let mut left = content.len();
    while left >= 0x80 {
        module.push(left as u8 | 0x80);
        left >>= 7;
    }
    module.push(left as u8);
    module.extend(content);
    module
}

/// Begins a request with `body`, half of which is sent.
fn begin(client: &mut Client, head: &str, body: &[u8]) {
    let head = format!("{head}\r\nHost: t\r\nContent-Length: {}\r\n\r\n", body.len());
    // A stranger may be sent away while it writes.
    let _ = client.0.write_all(&[head.as_bytes(), &body[..body.len() / 2]].concat());
}

/// Waits until the gateway has taken what was sent to it so far.
fn settle(site: &Site) {
    for _ in 0..20 {
        assert_eq!(site.client().send("GET", "/healthz", b"").status, 200);
    }
}

#[test]
fn bodies_of_strangers_do_not_end_a_deployment() {
    let door = DoorLimits { body_bytes: 100_000, budget_bytes: 200_000, ..DoorLimits::default() };
    let site = Site::with(crate::support::runner_config(), door);
    let module = module_of(120_000);
    let mut deployer = site.client();
    begin(&mut deployer, &format!("PUT /plugins/n HTTP/1.1\r\nAuthorization: Bearer {DEPLOY}"), &module);
    settle(&site);
    let mut strangers: Vec<Client> = (0..4).map(|_| site.client()).collect();
    for stranger in &mut strangers {
        begin(stranger, "POST /execute/greet HTTP/1.1", &vec![b'x'; 90_000]);
        settle(&site);
    }
    deployer.0.write_all(&module[module.len() / 2..]).unwrap();
    let reply = deployer.reply(false).expect("a deployment goes on");
    assert_eq!(reply.status, 201, "{}", reply.text());
}

#[test]
fn connections_of_strangers_do_not_end_a_deployment() {
    let door = DoorLimits { connections: 4, connections_per_client: Some(4), ..DoorLimits::default() };
    let site = Site::with(crate::support::runner_config(), door);
    let module = module_of(10_000);
    let mut deployer = site.client();
    begin(&mut deployer, &format!("PUT /plugins/n HTTP/1.1\r\nAuthorization: Bearer {DEPLOY}"), &module);
    settle(&site);
    let strangers: Vec<Client> = (0..40)
        .map(|_| {
            let mut stranger = site.client_from(9);
            begin(&mut stranger, "POST /execute/greet HTTP/1.1", b"xxxx");
            std::thread::sleep(Duration::from_millis(10));
            stranger
        })
        .collect();
    deployer.0.write_all(&module[module.len() / 2..]).unwrap();
    let reply = deployer.reply(false).expect("a deployment goes on");
    assert_eq!(reply.status, 201, "{}", reply.text());
    drop(strangers);
}

#[test]
fn what_replaces_a_file_is_for_no_more_eyes_than_it_was() {
    let site = Site::new();
    let path = site.plugins.write("greet.toml", "env.SECRET = \"1\"");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(site.send("PUT", "/plugins/greet/policy", b"env.SECRET = \"2\"").status, 204);
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_policy_opens_no_more_directories_than_a_run_may_have() {
    let site = Site::with(
        RunnerConfig { policy_dirs: vec!["/".into()], ..crate::support::runner_config() },
        DoorLimits::default(),
    );
    let dirs = |n: usize| {
        let all: Vec<_> = (0..n).map(|n| format!("\"/::/{n}\"")).collect();
        format!("dirs = [{}]", all.join(","))
    };
    // Of 100 descriptors, three are the standard streams.
    for (n, is_ok) in [(96, true), (97, true), (98, false)] {
        let reply = site.send("PUT", "/plugins/later/policy", dirs(n).as_bytes());
        assert_eq!(reply.status < 300, is_ok, "{n}: {}", reply.text());
        site.plugins.write("greet.toml", dirs(n));
        assert_eq!(reload(&site.runner).failed.is_empty(), is_ok, "{n}");
    }
    let why = site.runner.plugins().refused().into_values().next().unwrap();
    assert!(why.contains("98 directories are more than --max-descriptors allows"), "{why}");
}

#[test]
fn what_is_deployed_is_counted() {
    let site = Site::new();
    let counts = || {
        let text = site.client().send("GET", "/metrics", b"").text();
        ["fuelbox_plugin_loads_total ", "fuelbox_plugin_removals_total "].map(|name| {
            let line = text.lines().find_map(|line| line.strip_prefix(name)).expect(name);
            line.parse::<u64>().unwrap()
        })
    };
    assert_eq!(counts(), [1, 0]);
    site.send("PUT", "/plugins/n", &giving(1));
    site.send("PUT", "/plugins/n", &giving(2));
    site.send("PUT", "/plugins/n", b"rubbish");
    assert_eq!(counts(), [3, 0]);
    site.send("PUT", "/plugins/n/policy", b"limits.fuel = 100");
    assert_eq!(counts(), [4, 0]);
    site.send("DELETE", "/plugins/n", b"");
    assert_eq!(counts(), [4, 1]);
    reload(&site.runner);
    assert_eq!(counts(), [4, 1]);
}

#[test]
fn of_two_modules_with_one_name_the_one_that_serves_is_removed_last() {
    let site = Site::new();
    assert_eq!(site.send("PUT", "/plugins/n", &giving(1)).status, 201);
    // What cannot be removed ends the removal, as the end of the process would.
    std::fs::create_dir(site.plugins.0.join("n.wat")).unwrap();
    assert_eq!(site.send("DELETE", "/plugins/n", b"").status, 500);
    assert_eq!(site.files(), ["greet.wasm", "n.wasm", "n.wat"]);
    assert_eq!(site.client().send("POST", "/execute/n?func=f", b"").text(), "1\n");
    std::fs::remove_dir(site.plugins.0.join("n.wat")).unwrap();
    assert_eq!(site.send("DELETE", "/plugins/n", b"").status, 204);
}

#[test]
fn a_module_that_is_too_large_does_not_tell_where_the_folder_is() {
    let limits = Limits { module_bytes: 1000, ..Limits::default() };
    let site = Site::with(RunnerConfig { limits, ..crate::support::runner_config() }, DoorLimits::default());
    for (size, status) in [(999, 200), (1000, 200), (1001, 422)] {
        site.plugins.write("n.wasm", vec![0; size]);
        let reply = site.send("GET", "/plugins/n", b"");
        assert_eq!(reply.status, status, "{size}");
        assert!(!reply.text().contains(site.plugins.0.to_str().unwrap()), "{}", reply.text());
    }
}

#[test]
fn a_policy_that_comes_while_a_module_is_tried_is_not_overlooked() {
    let limits = Limits { deadline: Some(Duration::from_secs(60)), ..Limits::default() };
    let site = Site::with(RunnerConfig { limits, ..crate::support::runner_config() }, DoorLimits::default());
    let slow = wat(r#"(module (func (export "f") (result i32) (i32.const 1)) (func $s (local $n i32)
        (loop $l (br_if $l (i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.const 1)))
            (i32.const 100000000))))) (start $s))"#);
    let mut deployer = site.client();
    let head = format!("PUT /plugins/slow HTTP/1.1\r\nHost: t\r\nAuthorization: Bearer {DEPLOY}");
    let head = format!("{head}\r\nContent-Length: {}\r\n\r\n", slow.len());
    deployer.0.write_all(&[head.as_bytes(), &slow].concat()).unwrap();
    // Whichever comes first, it must hold in the end.
    std::thread::sleep(Duration::from_millis(100));
    site.plugins.write("slow.toml", "access = \"token\"");
    assert_eq!(deployer.reply(false).unwrap().status, 201);
    reload(&site.runner);
    assert_eq!(site.client().send("POST", "/execute/slow?func=g", b"").status, 401);
}

#[test]
fn what_is_wrong_is_told_in_few_words_however_long_the_wrong_word_is() {
    let site = Site::new();
    // The text of the error around it is short.
    let (shortest, longest) = (MESSAGE_BYTES_MAX, MESSAGE_BYTES_MAX + 400);
    for (name, text) in
        [("x.wat", format!("({}", "(".repeat(500_000))), ("greet.toml", "a".repeat(60_000) + " = 1")]
    {
        site.plugins.write(name, text);
        reload(&site.runner);
        let refused = site.runner.plugins().refused();
        let why = refused.into_values().next().unwrap();
        assert!((shortest..longest).contains(&why.len()), "{name}: {}", why.len());
        assert!(why.ends_with('…'), "{name}");
        std::fs::remove_file(site.plugins.0.join(name)).unwrap();
        reload(&site.runner);
        reload(&site.runner);
    }
    // Cut between characters.
    for n in 0..4 {
        site.plugins.write("greet.toml", "a".repeat(n + 900) + &"ä€😀".repeat(100) + " = 1");
        assert_eq!(reload(&site.runner).failed.len(), 1);
    }
}

#[test]
fn a_module_that_is_too_large_is_told_the_limit_that_it_broke() {
    let limits = Limits { module_bytes: 2_000_000, ..Limits::default() };
    let site = Site::with(RunnerConfig { limits, ..crate::support::runner_config() }, DoorLimits::default());
    for (size, status) in [(1_999_999, 422), (2_000_000, 422), (2_000_001, 413)] {
        let mut client = site.client();
        begin(
            &mut client,
            &format!("PUT /plugins/n HTTP/1.1\r\nAuthorization: Bearer {DEPLOY}"),
            &vec![0; size],
        );
        let _ = client.0.write_all(&vec![0; size.div_ceil(2)]);
        let reply = client.reply(false).unwrap();
        assert_eq!(reply.status, status, "{size}");
        assert_eq!(reply.text().contains("--max-module"), status == 413, "{}", reply.text());
    }
}

#[test]
fn signals_to_stop_do_not_wait_for_a_module_that_is_tried() {
    use rustix::process::{Pid, Signal, kill_process};
    let (plugins, keys) = (TempDir::new(), TempDir::new());
    let tokens = token_file(&keys, DEPLOY);
    let folder = ["--plugins", plugins.0.to_str().unwrap(), "--token-file", tokens.to_str().unwrap()];
    let mut server = Serve::start(&keys.0, &[&folder[..], &["--timeout", "20s"]].concat());
    let spin = wat("(module (func $s (loop $l (br $l))) (start $s))");
    let mut deployer = Client::connect(server.address);
    let head = format!("PUT /plugins/spin HTTP/1.1\r\nHost: t\r\nAuthorization: Bearer {DEPLOY}");
    let head = format!("{head}\r\nContent-Length: {}\r\n\r\n", spin.len());
    deployer.0.write_all(&[head.as_bytes(), &spin].concat()).unwrap();
    std::thread::sleep(Duration::from_millis(500));
    let pid = Pid::from_child(&server.child);
    // It waits to read the folder again, which the trial has.
    kill_process(pid, Signal::HUP).unwrap();
    std::thread::sleep(Duration::from_millis(200));
    let status = loop {
        if let Some(status) = server.child.try_wait().unwrap() {
            break status;
        }
        let _ = kill_process(pid, Signal::TERM);
        std::thread::sleep(Duration::from_millis(100));
    };
    assert_eq!(status.code(), Some(128 + 15), "the second signal ended it");
    assert!(deployer.reply(false).is_none(), "and not the end of the trial");
}

#[test]
fn the_listing_repeats_no_value_that_only_the_guest_is_to_have() {
    let site = Site::new();
    for policy in [
        "env.PIN = 12345678",
        "config.pin = 12345678",
        "env = { PIN = [\"12345678\"] }",
        "config = { pin = 1234.5678 }",
        "env.PIN = 12345678pin",
        "[config]\npin = pin12345678",
    ] {
        site.plugins.write("greet.toml", policy);
        reload(&site.runner);
        let listed = site.client().send("GET", "/plugins", b"").text();
        assert!(listed.contains("greet.toml:"), "{policy}: it is told that it is wrong: {listed}");
        assert!(!listed.contains("5678"), "{policy}: {listed}");
    }
}
