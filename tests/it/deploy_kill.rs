//! A server killed at any instant of a deployment leaves the old version or the new one, whole.

use crate::plain::PlainResults;
use crate::support::{Client, Serve, TempDir, wat};
use fuelbox::Runner;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

const TIMES: usize = 200;
const TOKEN: &str = "deploy-0123456789";

/// A module whose `f` gives `n`, in 200 KB so that writing it takes a while.
fn version(n: i32) -> Vec<u8> {
    let data = "x".repeat(200_000);
    wat(&format!(
        r#"(module (memory 4) (data (i32.const 0) "{data}{n}") (func (export "f") (result i32) (i32.const {n})))"#
    ))
}

#[test]
fn kill_at_any_instant_leaves_a_whole_version() {
    let dir = TempDir::new();
    let plugins = TempDir::new();
    let tokens = dir.write("tokens", TOKEN);
    std::fs::set_permissions(&tokens, std::fs::Permissions::from_mode(0o600)).unwrap();
    let versions = [version(0), version(1)];
    plugins.write("n.wasm", &versions[0]);
    let args = ["--plugins", plugins.0.to_str().unwrap(), "--token-file", tokens.to_str().unwrap()];
    let mut seen = [0; 2];
    // How long a deployment takes here, so that the kills are spread over it.
    let mut whole = Duration::from_millis(20);
    for time in 0..TIMES {
        let mut server = Serve::start(&dir.0, &args);
        let before = std::fs::read(plugins.0.join("n.wasm")).unwrap();
        let next = &versions[usize::from(before == versions[0])];
        let mut client = Client::connect(server.address);
        let head = format!(
            "PUT /plugins/n HTTP/1.1\r\nHost: t\r\nAuthorization: Bearer {TOKEN}\r\nContent-Length: {}\r\n\r\n",
            next.len()
        );
        let begin = Instant::now();
        client.0.write_all(&[head.as_bytes(), next].concat()).unwrap();
        let answered = if time == 0 {
            let reply = client.reply(false).unwrap();
            whole = begin.elapsed();
            Some(reply.status)
        } else {
            std::thread::sleep(
                whole.mul_f64(time as f64 / TIMES as f64 * 1.2).saturating_sub(begin.elapsed()),
            );
            None
        };
        server.child.kill().unwrap();
        server.child.wait().unwrap();
        let answered = answered.or_else(|| client.reply(false).map(|reply| reply.status));
        let after = std::fs::read(plugins.0.join("n.wasm")).unwrap();
        let which = versions.iter().position(|version| *version == after);
        let which = which.unwrap_or_else(|| {
            panic!("after kill {time} the file is neither version: {} bytes", after.len())
        });
        // What was answered has been done.
        if answered == Some(204) {
            assert!(after == *next, "kill {time}: answered, and not there");
        }
        seen[usize::from(after == *next)] += 1;
        let runner = Runner::new(crate::support::runner_config()).unwrap();
        assert!(runner.load_plugins(&plugins.0).unwrap().failed.is_empty());
        assert_eq!(runner.values("n", "f", &[]).unwrap(), [(which as i32).into()]);
    }
    assert!(seen[0] > 0 && seen[1] > 0, "the kills came before and after: {seen:?}");
    // A new start removes what was left half written, and this one has seen it.
    drop(Serve::start(&dir.0, &args));
    let left: Vec<_> =
        std::fs::read_dir(&plugins.0).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["n.wasm"]);
}
