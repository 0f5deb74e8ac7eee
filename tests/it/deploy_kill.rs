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
    assert_eq!(left.len(), 2, "{left:?}");
    let versions = std::fs::read_dir(plugins.0.join(".fuelbox-versions/n")).unwrap();
    let kept: Vec<_> = versions.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    let [whole, unfinished] =
        ["-", "unfinished"].map(|has| kept.iter().filter(|it| it.contains(has)).count());
    assert!((1..=4).contains(&whole) && unfinished <= 1 && whole + unfinished == kept.len(), "{kept:?}");
}

/// Two versions, of which each has its own policy, and what tells it.
fn of_two(plugins: &TempDir, versions: &[Vec<u8>; 2]) -> Option<usize> {
    let module = std::fs::read(plugins.0.join("n.wasm")).unwrap();
    let which = versions.iter().position(|version| *version == module)?;
    let policy = std::fs::read_to_string(plugins.0.join("n.toml")).ok()?;
    (policy == policy_of(which)).then_some(which)
}

fn policy_of(n: usize) -> String {
    format!("workers = {}\n# {}", n + 1, "x".repeat(10_000))
}

#[test]
fn kill_at_any_instant_of_a_rollback_leaves_a_whole_version_with_its_policy() {
    let (dir, plugins) = (TempDir::new(), TempDir::new());
    let tokens = crate::site::token_file(&dir, TOKEN);
    let versions = [version(0), version(1)];
    plugins.write("n.wasm", &versions[0]);
    plugins.write("n.toml", policy_of(0));
    let args = ["--plugins", plugins.0.to_str().unwrap(), "--token-file", tokens.to_str().unwrap()];
    let server = Serve::start(&dir.0, &args);
    let bearer = format!("Bearer {TOKEN}");
    let fields = [("Authorization", bearer.as_str())];
    let send = |method: &str, target: &str, body: &[u8]| {
        Client::connect(server.address).ask(method, target, &fields, body).status
    };
    assert_eq!(send("PUT", "/plugins/n/policy", policy_of(1).as_bytes()), 204);
    assert_eq!(send("PUT", "/plugins/n?keep=no", &versions[1]), 204);
    drop(server);
    let mut seen = [0; 2];
    let mut whole = Duration::from_millis(20);
    for time in 0..TIMES {
        let before = of_two(&plugins, &versions).unwrap();
        let mut server = Serve::start(&dir.0, &args);
        let mut client = Client::connect(server.address);
        let head = format!(
            "POST /plugins/n/rollback HTTP/1.1\r\nHost: t\r\nAuthorization: {bearer}\r\nContent-Length: 0\r\n\r\n"
        );
        let begin = Instant::now();
        client.0.write_all(head.as_bytes()).unwrap();
        if time == 0 {
            assert_eq!(client.reply(false).unwrap().status, 204);
            whole = begin.elapsed();
        } else {
            let until = whole.mul_f64(time as f64 / TIMES as f64 * 1.2);
            std::thread::sleep(until.saturating_sub(begin.elapsed()));
        }
        server.child.kill().unwrap();
        server.child.wait().unwrap();
        // Between two renames it is neither; the next start makes it whole.
        let is_between = of_two(&plugins, &versions).is_none();
        drop(Serve::start(&dir.0, &args));
        let after = of_two(&plugins, &versions);
        let after = after.unwrap_or_else(|| panic!("after kill {time} it is neither version ({is_between})"));
        seen[usize::from(after != before)] += 1;
        let kept = std::fs::read_dir(plugins.0.join(".fuelbox-versions/n")).unwrap();
        let kept: Vec<_> = kept.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        assert!(!kept.iter().any(|name| name == "pending"), "{kept:?}");
    }
    assert!(seen[0] > 0 && seen[1] > 0, "the kills came before and after: {seen:?}");
}

#[test]
fn a_rollback_that_did_not_end_is_finished_wherever_it_ended() {
    let (dir, plugins) = (TempDir::new(), TempDir::new());
    let tokens = crate::site::token_file(&dir, TOKEN);
    let args = ["--plugins", plugins.0.to_str().unwrap(), "--token-file", tokens.to_str().unwrap()];
    let versions = [version(0), version(1)];
    // The files that are in place already: none, the policy, both; and a policy that is to go.
    for (module, policy, has_policy) in
        [(0, 0, true), (0, 1, true), (1, 1, true), (0, 0, false), (1, 0, false)]
    {
        plugins.write("n.wasm", &versions[module]);
        plugins.write("n.toml", policy_of(policy));
        let pending = plugins.0.join(".fuelbox-versions/n/pending");
        std::fs::create_dir_all(&pending).unwrap();
        std::fs::write(pending.join("module"), &versions[1]).unwrap();
        if has_policy {
            std::fs::write(pending.join("policy"), policy_of(1)).unwrap();
        }
        plugins.write(".fuelbox-0123456789abcdef.tmp", "x");
        drop(Serve::start(&dir.0, &args));
        assert_eq!(std::fs::read(plugins.0.join("n.wasm")).unwrap(), versions[1]);
        let policy = std::fs::read_to_string(plugins.0.join("n.toml")).ok();
        assert_eq!(policy, has_policy.then(|| policy_of(1)));
        assert!(!pending.exists() && !plugins.0.join(".fuelbox-0123456789abcdef.tmp").exists());
    }
}

#[test]
fn a_rollback_that_cannot_be_finished_stops_neither_the_start_nor_others() {
    let (dir, plugins) = (TempDir::new(), TempDir::new());
    let tokens = crate::site::token_file(&dir, TOKEN);
    let args = ["--plugins", plugins.0.to_str().unwrap(), "--token-file", tokens.to_str().unwrap()];
    for name in ["a", "m", "z"] {
        plugins.write(&format!("{name}.wasm"), version(0));
        let pending = plugins.0.join(format!(".fuelbox-versions/{name}/pending"));
        std::fs::create_dir_all(&pending).unwrap();
        // Of the second, only the policy is there.
        let part = if name == "m" { "policy" } else { "module" };
        std::fs::write(pending.join(part), version(1)).unwrap();
    }
    plugins.write(".fuelbox-versions/rubbish", "x");
    drop(Serve::start(&dir.0, &args));
    let is_new = |name: &str| std::fs::read(plugins.0.join(format!("{name}.wasm"))).unwrap() == version(1);
    assert_eq!(["a", "m", "z"].map(is_new), [true, false, true]);
}
