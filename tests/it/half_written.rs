//! Files that somebody is writing: what is half there is not believed, be it valid and allow more. And policies that say
//! nothing.

use crate::site::{Site, giving};
use crate::support::{TempDir, fuelbox_in, look, prebuilt, reload};
use fuelbox::base::digest::Digest;
use fuelbox::plugins::folder::SETTLE;
use fuelbox::plugins::policy::Access;
use fuelbox::plugins::signature::TrustedKey;
use fuelbox::plugins::watch::Watch;
use fuelbox::{Runner, RunnerConfig};
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

/// What begins with a policy that allows more.
const BEGIN: &str = "workers = 1\n";
const REST: &str = "access = \"token\"\n";

fn append(path: &Path, text: impl AsRef<[u8]>) {
    let mut file = std::fs::File::options().append(true).create(true).open(path).unwrap();
    file.write_all(text.as_ref()).unwrap();
}

/// Takes longer than the time between two looks, and never pauses for so long.
fn write_slowly(path: &Path) {
    for _ in 0..30 {
        append(path, "# more\n");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// greet under `policy`, loaded.
fn greet(policy: &str) -> (Runner, TempDir) {
    let dir = TempDir::new();
    std::fs::copy(prebuilt("greet.wasm"), dir.0.join("greet.wasm")).unwrap();
    dir.write("greet.toml", policy);
    let runner = Runner::new(crate::support::runner_config()).unwrap();
    runner.load_plugins(&dir.0).unwrap();
    (runner, dir)
}

fn access(runner: &Runner) -> Option<Access> {
    runner.plugins().get("greet").ok().map(|plugin| plugin.policy.access)
}

const WITHOUT_A_KEY: [&str; 9] = [
    "",
    " \r\n\t\n",
    "# access = \"token\"\n",
    "#",
    "\u{feff}# access = \"token\"",
    "[limits]\n",
    "[env]\n# nothing\n[limits]",
    "limits = {}",
    "env = { }\n[config]",
];

#[test]
fn a_policy_without_a_key_is_an_error() {
    for text in WITHOUT_A_KEY {
        // At the start, the plug-in does not open.
        let (runner, dir) = greet(text);
        assert_eq!(access(&runner), None, "{text:?}");
        let why = runner.plugins().refused().into_values().next().unwrap();
        assert!(why.contains("1:1: the policy is empty: it has no key"), "{text:?}: {why}");
        fuelbox_in(&dir.0, &["check", "."], b"").expect(120);

        // One that was locked stays so.
        let (runner, dir) = greet(REST);
        dir.write("greet.toml", text);
        assert_eq!(reload(&runner).failed.len(), 1, "{text:?}");
        assert_eq!(access(&runner), Some(Access::Token), "{text:?}");
    }
    // What has a key says something, be it little.
    for text in ["access = \"open\"", "[limits]\nfuel = 1000", "args = []", "env.A = \"\""] {
        let (runner, _dir) = greet(text);
        assert_eq!(access(&runner), Some(Access::Open), "{text:?}");
    }
    let site = Site::new();
    for (name, text) in ["greet", "later"].iter().flat_map(|name| WITHOUT_A_KEY.map(|text| (name, text))) {
        let reply = site.send("PUT", &format!("/plugins/{name}/policy"), text.as_bytes());
        assert_eq!(reply.status, 422, "{name} {text:?}: {}", reply.text());
    }
    assert_eq!(site.files(), ["greet.wasm"]);
}

#[test]
fn a_policy_that_is_being_written_opens_nothing() {
    let (runner, dir) = greet(REST);
    let path = dir.0.join("greet.toml");
    for round in 1..4 {
        let look = || {
            let changes = look(&runner);
            assert_eq!(access(&runner), Some(Access::Token), "{changes:?}");
            changes
        };
        dir.write("greet.toml", "");
        assert_eq!(look().unsettled, 1);
        append(&path, BEGIN);
        assert_eq!(look().unsettled, 1, "valid, and open");
        append(&path, "limits.fuel = 1000");
        append(&path, "0".repeat(round));
        assert_eq!(look().unsettled, 1, "a number that may go on");
        append(&path, format!("\n{REST}"));
        assert_eq!(look().unsettled, 1);
        assert_eq!(look().replaced, ["greet"]);
        let policy = &runner.plugins().get("greet").unwrap().policy;
        assert_eq!((policy.workers, policy.limits.fuel), (Some(1), 1000 * 10_u64.pow(round as u32)));
        assert!(look().is_empty());
    }
    // A policy that comes to a plug-in that had none counts in the same way, and so does a whole plug-in.
    std::fs::copy(prebuilt("greet.wasm"), dir.0.join("new.wasm")).unwrap();
    append(&dir.0.join("new.toml"), BEGIN);
    assert_eq!(look(&runner).unsettled, 1);
    append(&dir.0.join("new.toml"), REST);
    assert_eq!(look(&runner).unsettled, 1);
    assert!(runner.plugins().get("new").is_err());
    assert_eq!(look(&runner).loaded, ["new"]);
    assert_eq!(runner.plugins().get("new").unwrap().policy.access, Access::Token);
}

#[test]
fn a_module_that_is_being_written_is_not_loaded() {
    let dir = TempDir::new();
    let path = dir.write("x.wasm", giving(1));
    let runner = Runner::new(crate::support::runner_config()).unwrap();
    runner.load_plugins(&dir.0).unwrap();
    let digest = || runner.plugins().get("x").unwrap().digest;
    // A custom section after all others: what is there before it is a whole module.
    let whole = [&giving(2)[..], b"\x00\x05\x04name"].concat();
    std::fs::write(&path, &whole[..giving(2).len()]).unwrap();
    assert_eq!(look(&runner).unsettled, 1);
    append(&path, &whole[giving(2).len()..]);
    assert_eq!(look(&runner).unsettled, 1);
    assert_eq!(digest(), Digest::of(&giving(1)));
    assert_eq!(look(&runner).replaced, ["x"]);
    assert_eq!(digest(), Digest::of(&whole));
    // One that stays half is refused in the end, and is told once.
    std::fs::write(&path, &whole[..20]).unwrap();
    let told = [(); 4].map(|()| look(&runner).failed.len());
    assert_eq!(told, [0, 1, 0, 0]);
    assert_eq!(digest(), Digest::of(&whole));
}

#[test]
fn a_signature_that_is_being_written_is_not_believed_either() {
    let keys = minisign::KeyPair::generate_unencrypted_keypair().unwrap();
    let signed = minisign::sign(None, &keys.sk, &giving(1)[..], None, None).unwrap().into_string();
    let key = TrustedKey::parse(&keys.pk.to_base64()).unwrap();
    let dir = TempDir::new();
    let runner =
        Runner::new(RunnerConfig { trusted_keys: vec![key], ..crate::support::runner_config() }).unwrap();
    runner.load_plugins(&dir.0).unwrap();
    dir.write("x.wasm", giving(1));
    let path = dir.write("x.wasm.minisig", &signed[..100]);
    assert!(look(&runner).is_empty());
    append(&path, &signed[100..]);
    let changes = look(&runner);
    assert_eq!((changes.failed.len(), changes.unsettled), (0, 1), "nothing is told of the half");
    assert_eq!(look(&runner).loaded, ["x"]);
}

#[test]
fn what_is_being_written_at_the_start_is_waited_for() {
    let dir = TempDir::new();
    std::fs::copy(prebuilt("greet.wasm"), dir.0.join("greet.wasm")).unwrap();
    let path = dir.write("greet.toml", BEGIN);
    let runner = Runner::new(crate::support::runner_config()).unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            write_slowly(&path);
            append(&path, REST);
        });
        let changes = runner.load_plugins(&dir.0).unwrap();
        assert_eq!((changes.loaded.as_slice(), changes.unsettled), (&["greet".to_string()][..], 0));
    });
    assert_eq!(access(&runner), Some(Access::Token));
}

#[test]
fn a_look_that_was_asked_for_takes_as_many_as_it_needs() {
    let (runner, dir) = greet(REST);
    let runner = Arc::new(runner);
    let watch = Watch::start(Arc::clone(runner.catalog())).unwrap();
    for fuel in [1000, 2000, 3000] {
        dir.write("greet.toml", format!("limits.fuel = {fuel}\n{REST}"));
        let (send, done) = channel();
        watch.look(move || send.send(()).unwrap());
        done.recv().unwrap();
        assert_eq!(runner.plugins().get("greet").unwrap().policy.limits.fuel, fuel);
    }
}

/// A deployment takes the policy that is there; one that is being copied there at that moment is waited for.
#[test]
fn a_deployment_waits_for_a_policy_that_is_being_written() {
    let site = Site::new();
    let path = site.plugins.write("n.toml", BEGIN);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            write_slowly(&path);
            append(&path, REST);
        });
        assert_eq!(site.send("PUT", "/plugins/n", &giving(1)).status, 201);
    });
    assert_eq!(site.client().send("POST", "/execute/n?func=f", b"").status, 401);
    // By deployment alone, each takes effect when it is answered.
    for n in 0..5 {
        let policy = format!("access = \"{}\"", if n % 2 == 0 { "open" } else { "token" });
        assert_eq!(site.send("PUT", "/plugins/n/policy", policy.as_bytes()).status, 204);
        assert_eq!(site.send("PUT", "/plugins/n", &giving(n)).status, 204);
        let expected = if n % 2 == 0 { 200 } else { 401 };
        assert_eq!(site.client().send("POST", "/execute/n?func=f", b"").status, expected, "{n}");
    }
    // Nor is a policy missed for an instant taken to be gone.
    assert_eq!(site.send("PUT", "/plugins/n/policy", REST.as_bytes()).status, 204);
    std::fs::remove_file(&path).unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_millis(40));
            site.plugins.write("n.toml", REST);
        });
        assert_eq!(site.send("PUT", "/plugins/n", &giving(9)).status, 204);
    });
    assert_eq!(site.client().send("POST", "/execute/n?func=f", b"").status, 401);
}

/// Two looks in a row that find the same prove something only if time has passed between them.
#[test]
fn two_looks_right_after_each_other_believe_nothing() {
    for _ in 0..20 {
        let (runner, dir) = greet(REST);
        let begin = Instant::now();
        dir.write("greet.toml", BEGIN);
        let changes = [(); 3].map(|()| runner.reload().unwrap());
        // A machine that was busy with something else has looked with pauses.
        if begin.elapsed() < SETTLE {
            assert_eq!(changes.map(|changes| changes.unsettled), [1; 3]);
            assert_eq!(access(&runner), Some(Access::Token));
            assert_eq!(look(&runner).replaced, ["greet"]);
            return;
        }
    }
    panic!("no three looks in a tenth of a second");
}

/// Does `change` while what is there is half written, and has it whole a moment later.
fn while_half(change: impl FnOnce(), whole: impl FnOnce() + Send) {
    std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_millis(40));
            whole();
        });
        change();
    });
}

/// The watcher has looked when the policy was half there: a look of a moment ago is none to go by.
#[test]
fn a_deployment_does_not_believe_a_look_of_a_moment_ago() {
    let site = Site::new();
    site.plugins.write("greet.toml", REST);
    reload(&site.runner);
    let path = site.plugins.write("greet.toml", BEGIN);
    site.runner.reload().unwrap();
    let module = std::fs::read(prebuilt("greet.wasm")).unwrap();
    while_half(
        || assert_eq!(site.send("PUT", "/plugins/greet", &module).status, 204),
        || append(&path, REST),
    );
    assert_eq!(site.client().send("POST", "/execute/greet", b"B").status, 401);
}

/// As editors save: the policy that was put first is gone for an instant.
#[test]
fn a_new_module_waits_for_a_policy_that_is_not_there() {
    let site = Site::new();
    let path = site.plugins.write("n.toml", REST);
    std::fs::remove_file(&path).unwrap();
    while_half(|| assert_eq!(site.send("PUT", "/plugins/n", &giving(1)).status, 201), || append(&path, REST));
    assert_eq!(site.client().send("POST", "/execute/n?func=f", b"").status, 401);
}

#[test]
fn a_change_of_a_policy_waits_for_a_module_that_is_being_written() {
    let site = Site::new();
    assert_eq!(site.send("PUT", "/plugins/n", &giving(1)).status, 201);
    for (method, half, whole) in [("PUT", 2, 3), ("DELETE", 4, 5)] {
        let path = site.plugins.write("n.wasm", giving(half));
        while_half(
            || assert_eq!(site.send(method, "/plugins/n/policy", b"workers = 2").status / 100, 2),
            || std::fs::write(&path, giving(whole)).unwrap(),
        );
        let text = site.client().send("POST", "/execute/n?func=f", b"").text();
        assert_eq!(text.trim(), whole.to_string(), "{method}");
    }
}
