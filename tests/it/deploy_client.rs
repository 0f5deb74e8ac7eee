//! `fuelbox deploy`: puts modules on gateways.

use crate::support::{Ran, Serve, TempDir, fuelbox_in, prebuilt};
use std::io::{Read, Write};
use std::net::TcpListener;

const TOKEN: &str = "0123456789abcdef0123456789abcdef";

/// A gateway with an empty folder and a token.
fn gateway() -> (TempDir, Serve) {
    let dir = TempDir::new();
    std::fs::create_dir(dir.0.join("plugins")).unwrap();
    let tokens = dir.write("tokens", TOKEN);
    std::fs::set_permissions(&tokens, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let serve = Serve::start(&dir.0, &["--plugins", "plugins", "--token-file", "tokens"]);
    (dir, serve)
}

/// A folder with a token and modules.
fn own() -> TempDir {
    let dir = TempDir::new();
    dir.write("token", format!("# the token\n\n{TOKEN}\n"));
    for name in ["greet.wasm", "add.wasm"] {
        std::fs::copy(prebuilt(name), dir.0.join(name)).unwrap();
    }
    dir
}

fn deploy(dir: &TempDir, args: &[&str]) -> Ran {
    fuelbox_in(&dir.0, &[&["deploy"], args].concat(), b"")
}

#[test]
fn a_module_is_created_and_replaced() {
    let ((_folder, serve), dir) = (gateway(), own());
    let host = serve.address.to_string();
    let first = deploy(&dir, &["--token", "token", &host, "greet.wasm"]).expect(0).text();
    assert!(
        first.starts_with(&format!("{host}: greet created ")) && first.len() > host.len() + 64,
        "{first}"
    );
    let again = deploy(&dir, &["--token", "token", &host, "greet.wasm"]).expect(0).text();
    assert_eq!(again, first.replace("created", "replaced"));
    let mut client = crate::support::Client::connect(serve.address);
    assert_eq!(client.send("POST", "/execute/greet", b"World").text(), "Hello, World");
    // Under another name, and under a policy.
    dir.write("policy.toml", "workers = 1\naccess = \"token\"\n");
    let args = ["--token", "token", "--name", "sum", "--policy", "policy.toml", &host, "add.wasm"];
    deploy(&dir, &args).expect(0);
    assert_eq!(client.send("POST", "/execute/sum?func=add", b"1 2").status, 401);
}

#[test]
fn what_a_gateway_refuses_is_said() {
    let ((_folder, serve), dir) = (gateway(), own());
    let host = serve.address.to_string();
    dir.write("half.wasm", &std::fs::read(prebuilt("greet.wasm")).unwrap()[..50]);
    dir.write("wrong", "0000000000000000000000000000000f");
    dir.write("empty", "# nothing\n");
    for (args, code, why) in [
        (&["--token", "token", &host, "half.wasm"][..], 1, "PUT /plugins/half: 422 "),
        (&[&host, "greet.wasm"], 1, "PUT /plugins/greet: 401 "),
        (&["--token", "wrong", &host, "greet.wasm"], 1, "PUT /plugins/greet: 401 "),
        (&["--token", "empty", &host, "greet.wasm"], 2, "--token empty: the file has no token"),
        (&["--token", "none", &host, "greet.wasm"], 120, "none: No such file"),
        (&["--token", "token", &host, "none.wasm"], 120, "none.wasm: No such file"),
        (
            &["--token", "token", "--name", "a/b", &host, "greet.wasm"],
            2,
            "`a/b` cannot be the name of a plug-in",
        ),
        (&["--token", "token", "a b", "greet.wasm"], 1, "a b: is no host"),
        (&["--token", "token", "x\r\nEvil: 1", "greet.wasm"], 1, "is no host"),
        (&["--token", "token", "greet.wasm"], 2, "FILE is missing"),
        (&["--token", "token", &host, "greet.wasm", "more"], 2, "unexpected argument `more`"),
    ] {
        let ran = deploy(&dir, args).expect(code);
        assert!(ran.stderr.contains(why), "{args:?} {ran:#?}");
    }
}

#[test]
fn a_former_version_is_put_back_with_its_policy() {
    let ((folder, serve), dir) = (gateway(), own());
    let host = serve.address.to_string();
    dir.write("open.toml", "workers = 1\n");
    dir.write("locked.toml", "access = \"token\"\n");
    let put = |policy: &str, module: &str| {
        deploy(&dir, &["--token", "token", "--name", "n", "--policy", policy, &host, module]).expect(0).text()
    };
    put("open.toml", "greet.wasm");
    put("locked.toml", "add.wasm");
    let kept = std::fs::read_dir(folder.0.join("plugins/.fuelbox-versions/n")).unwrap().count();
    assert_eq!(kept, 1, "a policy and a module are one version");
    let rollback = ["--token", "token", "--rollback", "n", &host];
    let back = deploy(&dir, &rollback).expect(0).text();
    assert!(back.starts_with(&format!("{host}: n rolled back to ")), "{back}");
    let mut client = crate::support::Client::connect(serve.address);
    assert_eq!(client.send("POST", "/execute/n", b"World").text(), "Hello, World");
    deploy(&dir, &rollback).expect(0);
    assert_eq!(client.send("POST", "/execute/n?func=add", b"1 2").status, 401);
    // By its digest, and on all gateways of a list.
    let digest = back.trim().rsplit(' ').next().unwrap().to_uppercase();
    dir.write("hosts", &host);
    deploy(&dir, &["--token", "token", "--rollback", "n", "--to", &digest, "--all", "hosts"]).expect(0);
    assert_eq!(client.send("POST", "/execute/n", b"World").text(), "Hello, World");
    for (args, code, why) in [
        (&["--rollback", "n", "--to", "99", &host][..], 1, "POST /plugins/n/rollback: 404 no such version"),
        (&["--rollback", "none", &host], 1, "POST /plugins/none/rollback: 404 no such version"),
        (&["--rollback", "n", "--to", "", &host], 2, "--to: a version is a number, or a SHA-256"),
        (&["--rollback", "n", "--to", "1 HTTP/1.1\r\nX:", &host], 2, "--to: a version is a number"),
        (&["--rollback", "n", "--to", "1&version=2", &host], 2, "--to: a version is a number"),
        (&["--rollback", "../n", &host], 2, "`../n` cannot be the name of a plug-in"),
        (&["--rollback", "n", "--policy", "open.toml", &host], 2, "--rollback: a former version has its own"),
        (&["--to", "1", &host, "greet.wasm"], 2, "--to is for --rollback only"),
        (&["--rollback", "n"], 2, "HOST[:PORT] is missing"),
        (&["--rollback", "n", &host, "greet.wasm"], 2, "unexpected argument `greet.wasm`"),
    ] {
        let ran = deploy(&dir, &[&["--token", "token"], args].concat()).expect(code);
        assert!(ran.stderr.contains(why), "{args:?} {ran:#?}");
    }
}

#[test]
fn all_gateways_of_a_list_get_it_though_one_is_away() {
    let (one, two, dir) = (gateway(), gateway(), own());
    // Nobody listens there any more.
    let away = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let hosts = format!("# kitchen\n{}\n\n{away} # cellar\n{}\n", one.1.address, two.1.address);
    dir.write("hosts", hosts);
    let ran = deploy(&dir, &["--token", "token", "--all", "hosts", "greet.wasm"]).expect(1);
    assert_eq!(ran.text().lines().filter(|line| line.contains(": greet created ")).count(), 2, "{ran:#?}");
    assert!(ran.stderr.contains(&format!("{away}: ")), "{ran:#?}");
    assert!(ran.stderr.contains("1 of 3 hosts do not have it"), "{ran:#?}");
    dir.write("none", "# nobody\n");
    let none = deploy(&dir, &["--token", "token", "--all", "none", "greet.wasm"]).expect(2);
    assert!(none.stderr.contains("--all: the file names no host"), "{none:#?}");
}

#[test]
fn rubbish_is_no_answer() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = listener.local_addr().unwrap().to_string();
    let dir = own();
    let answers: [&[u8]; 4] = [b"", b"rubbish\r\n\r\n", b"HTTP/1.1 200", &[b'x'; 100_000]];
    let server = std::thread::spawn(move || {
        for answer in answers {
            let (mut stream, _) = listener.accept().unwrap();
            let _ = stream.read(&mut [0; 65_536]);
            let _ = stream.write_all(answer);
        }
    });
    for _ in answers {
        let ran = deploy(&dir, &["--token", "token", &host, "greet.wasm"]).expect(1);
        assert!(ran.stderr.contains("PUT /plugins/greet: "), "{ran:#?}");
    }
    server.join().unwrap();
}
