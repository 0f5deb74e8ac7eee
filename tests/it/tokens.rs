//! Tokens: who may do what, how large what they send may be, and the file that they are in.

use crate::site::{CALL, DEPLOY, Site, giving, token_file};
use crate::support::{Client, Serve, TempDir};
use fuelbox::base::limits::DoorLimits;
use fuelbox::gateway::http::tokens::{Role, Tokens};
use fuelbox::{Limits, RunnerConfig};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

#[test]
fn only_a_token_that_may_changes_anything() {
    let site = Site::new();
    let bearer = format!("Bearer {DEPLOY}");
    for (authorization, status) in [
        ("", 401),
        ("Bearer", 401),
        ("Bearer ", 401),
        ("Bearer deploy-012345678", 401),
        ("Bearer deploy-01234567890", 401),
        ("Bearer DEPLOY-0123456789", 401),
        ("Basic ZGVwbG95LTAxMjM0NTY3ODk=", 401),
        (DEPLOY, 401),
        (&format!("Bearer {CALL}"), 403),
        (&format!("Bearer {DEPLOY}"), 201),
        (&format!("bEARER   {DEPLOY}  "), 204),
    ] {
        let fields = [("Authorization", authorization)];
        let fields = if authorization.is_empty() { &[][..] } else { &fields[..] };
        for method in ["DELETE", "GET", "PUT"] {
            let target = if method == "PUT" { "/plugins/n" } else { "/plugins/none" };
            let reply = site.client().ask(method, target, fields, &giving(1));
            let expected = if status < 400 && method != "PUT" { 404 } else { status };
            assert_eq!(reply.status, expected, "{method} {authorization:?}: {}", reply.text());
            assert_eq!(reply.header("www-authenticate").is_some(), reply.status == 401);
        }
        assert_eq!(site.plugins.0.join("n.wasm").exists(), status < 400);
    }
    let twice = [("Authorization", "Bearer x"), ("Authorization", &*bearer)];
    assert_eq!(site.client().ask("GET", "/plugins/n", &twice, b"").status, 400);
}

#[test]
fn without_tokens_the_routes_do_not_exist() {
    let dir = TempDir::new();
    let server = Serve::start(&dir.0, &[]);
    for (method, target) in [
        ("PUT", "/plugins/x"),
        ("DELETE", "/plugins/greet"),
        ("GET", "/plugins/greet"),
        ("PUT", "/plugins/x/policy"),
    ] {
        let reply =
            Client::connect(server.address).ask(method, target, &[("Authorization", "Bearer x")], b"");
        assert_eq!((reply.status, reply.problem()), (404, "no-such-route".into()), "{method} {target}");
    }
}

#[test]
fn plug_ins_that_ask_for_a_token_get_one() {
    let site = Site::new();
    site.send("PUT", "/plugins/greet/policy", b"access = \"token\"");
    let call = |authorization: &str| {
        site.client().ask("POST", "/execute/greet", &[("Authorization", authorization)], b"x")
    };
    let without = site.client().send("POST", "/execute/greet", b"x");
    assert_eq!((without.status, without.problem()), (401, "token-needed".into()));
    assert_eq!(without.header("www-authenticate"), Some("Bearer realm=\"fuelbox\""));
    assert_eq!(call("Bearer wrong-0123456789").status, 401);
    assert_eq!(call(&format!("Bearer {CALL}")).text(), "Hello, x");
    assert_eq!(call(&format!("Bearer {DEPLOY}")).text(), "Hello, x");
}

#[test]
fn a_large_body_is_for_those_who_may_deploy() {
    let limits = Limits { module_bytes: 3 << 20, ..Limits::default() };
    let door = DoorLimits { body_bytes: 1024, budget_bytes: 8 << 20, ..DoorLimits::default() };
    let site = Site::with(RunnerConfig { limits, ..crate::support::runner_config() }, door);
    // A custom section of the size that is missing.
    let padded = |size: usize| {
        let mut module = giving(1);
        let left = (size - module.len() - 6) as u32;
        module.push(0);
        module.extend((0..5).map(|i| (left >> (7 * i) & 0x7f) as u8 | if i < 4 { 0x80 } else { 0 }));
        module.resize(size, 0);
        module
    };
    let most = 3 << 20;
    for size in [most - 1, most] {
        let reply = site.send("PUT", "/plugins/n", &padded(size));
        assert!(reply.status < 300, "{size}: {}", reply.text());
        assert_eq!(site.send("GET", "/plugins/n", b"").body.len(), size);
    }
    let bearer = format!("Authorization: Bearer {DEPLOY}\r\n");
    let of_module = format!("larger than {most} bytes, the limit of a module (--max-module");
    let of_body = "larger than --max-body, which is 1024 bytes; only with a token that may deploy";
    for (token, length, status, why) in [
        (&*bearer, most + 1, 413, &*of_module),
        ("", 1025, 413, of_body),
        ("", 1024, 401, "token"),
        ("Authorization: Bearer x\r\n", 1025, 413, of_body),
    ] {
        use std::io::Write;
        let mut client = site.client();
        let head =
            format!("PUT /plugins/n HTTP/1.1\r\nHost: test\r\n{token}Content-Length: {length}\r\n\r\n");
        client.0.write_all(head.as_bytes()).unwrap();
        // Refused by what it announces, before it comes.
        if status != 413 {
            client.0.write_all(&vec![0; length]).unwrap();
        }
        let reply = client.reply(false).unwrap();
        assert_eq!(reply.status, status, "{token}{length}");
        assert!(reply.text().contains(why), "{}", reply.text());
    }
    let other = site.client().send("POST", "/execute/greet", &[0; 1025]);
    assert!(other.text().contains("larger than --max-body, which is 1024 bytes\""), "{}", other.text());
    // Chunked, nothing is announced.
    let chunked = |size: usize| {
        use std::io::Write;
        let mut client = site.client();
        let head = format!(
            "PUT /plugins/n HTTP/1.1\r\nHost: test\r\n{bearer}Transfer-Encoding: chunked\r\n\r\n{size:x}\r\n"
        );
        client.0.write_all(head.as_bytes()).unwrap();
        let _ = client.0.write_all(&padded(size)).and_then(|()| client.0.write_all(b"\r\n0\r\n\r\n"));
        let reply = client.reply(false).unwrap();
        assert_eq!(reply.text().contains(&of_module), reply.status == 413, "{}", reply.text());
        reply.status
    };
    assert_eq!((chunked(most), chunked(most + 1)), (204, 413));
}

#[test]
fn token_files_are_read_strictly() {
    let dir = TempDir::new();
    let read = |text: &str| {
        Tokens::read(&token_file(&dir, text)).map_err(|what| {
            assert!(!what.contains("0123456789"), "a token must not be repeated: {what}");
            what
        })
    };
    let role = |text: &str, token: &str| read(text).unwrap().role(&format!("Bearer {token}"));
    assert_eq!(role("# all\n\n  abcdefghijklmnop  # one\n", "abcdefghijklmnop"), Some(Role::Deploy));
    assert_eq!(role("deploy abcdefghijklmnop", "abcdefghijklmnop"), Some(Role::Deploy));
    assert_eq!(role("call abcdefghijklmnop", "abcdefghijklmnop"), Some(Role::Call));
    // Given twice, it may what either may.
    assert_eq!(
        role("call abcdefghijklmnop\ndeploy abcdefghijklmnop\ncall abcdefghijklmnop", "abcdefghijklmnop"),
        Some(Role::Deploy)
    );
    for (text, expected) in [
        ("", "it holds no token"),
        ("# nothing\n", "it holds no token"),
        ("abcdefghijklmno", "line 1: a token has 16 to 256"),
        (&"a".repeat(257), "line 1: a token has 16 to 256"),
        ("\nroot 0123456789abcdef", "line 2: give TOKEN"),
        ("call deploy 0123456789abcdef", "line 1: give TOKEN"),
        ("0123456789abcde\u{e9}", "line 1: a token consists of"),
        (&"0123456789abcdef\n".repeat(101), "it holds 101 tokens"),
        (&"#\n".repeat(40_000), "more than 65536 bytes"),
    ] {
        assert!(read(text).unwrap_err().contains(expected), "{text:.40}");
    }
    assert!(read(&"a".repeat(256)).is_ok() && read(&"0123456789abcdef\n".repeat(100)).is_ok());
    let path = token_file(&dir, DEPLOY);
    for (mode, is_ok) in [
        (0o400, true),
        (0o440, true),
        (0o660, true),
        (0o604, false),
        (0o602, false),
        (0o601, false),
        (0o644, false),
    ] {
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        let read = Tokens::read(&path);
        assert_eq!(read.is_ok(), is_ok, "{mode:o}");
        if let Err(what) = read {
            assert!(
                what.contains(&format!("its mode is {mode:o}, so everyone has access: `chmod o= ")),
                "{what}"
            );
        }
    }
    assert!(Tokens::read(&dir.0).is_err() && Tokens::read(Path::new("/dev/zero")).is_err());
}

#[test]
fn sighup_rotates_tokens_and_a_wrong_file_leaves_them() {
    let dir = TempDir::new();
    let plugins = TempDir::new();
    let tokens = token_file(&dir, DEPLOY);
    let folder = plugins.0.to_str().unwrap();
    let server = Serve::start(&dir.0, &["--plugins", folder, "--token-file", tokens.to_str().unwrap()]);
    let status = |token: &str| {
        let bearer = format!("Bearer {token}");
        Client::connect(server.address).ask("GET", "/plugins/none", &[("Authorization", &bearer)], b"").status
    };
    let hang_up = || {
        let pid = rustix::process::Pid::from_child(&server.child);
        rustix::process::kill_process(pid, rustix::process::Signal::HUP).unwrap();
    };
    let eventually = |token: &str, expected: u16| {
        for _ in 0..500 {
            if status(token) == expected {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("{token} never gave {expected}");
    };
    assert_eq!(status(DEPLOY), 404);
    token_file(&dir, "another-0123456789");
    assert_eq!(status("another-0123456789"), 401, "not before it is asked to");
    hang_up();
    eventually("another-0123456789", 404);
    assert_eq!(status(DEPLOY), 401);
    token_file(&dir, "short");
    plugins.write("mark.wasm", giving(1));
    hang_up();
    // The folder is looked at after the tokens.
    for _ in 0..500 {
        if Client::connect(server.address).send("POST", "/execute/mark?func=f", b"").status == 200 {
            break;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(status("another-0123456789"), 404);
}

#[test]
fn a_named_pipe_does_not_hold_up_whoever_reads_the_file_again() {
    let dir = TempDir::new();
    let path = token_file(&dir, DEPLOY);
    let tokens = Tokens::read(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    assert!(std::process::Command::new("mkfifo").args(["-m", "600"]).arg(&path).status().unwrap().success());
    assert!(tokens.reload().unwrap_err().ends_with("not a regular file"));
    assert_eq!(tokens.role(&format!("Bearer {DEPLOY}")), Some(Role::Deploy));
}
