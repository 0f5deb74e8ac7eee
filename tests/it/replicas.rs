//! The files of `deploy/` for several gateways agree with the program, with the image, and with each other. That other programs
//! read them is tried by `scripts/test-replicas.sh`.

use crate::cli_args::ok;
use crate::support::{TempDir, from_base64, prebuilt};
use fuelbox::cli::args::config::resolve;
use fuelbox::cli::args::{Command, Serve};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long requests that wait for a worker may take to begin, once the gateway drains.
const STOP_GRACE: Duration = Duration::from_secs(2);

/// The files that start gateways.
const DEPLOYMENT: &str = "deploy/kubernetes/base/deployment.yaml";
const COMPOSE: &str = "deploy/compose.yaml";
const STACK: &str = "deploy/stack.yaml";
const NOMAD: &str = "deploy/nomad/fuelbox.nomad.hcl";

fn read(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// What follows `key` on its line, of all lines that have it; without quotes.
fn values<'a>(text: &'a str, key: &str) -> Vec<&'a str> {
    let lines = text.lines().filter(|line| !line.trim_start().starts_with('#'));
    let found =
        lines.filter_map(|line| line.split_once(key)).map(|(_, value)| value.trim().trim_matches('"'));
    found.collect()
}

fn seconds(text: &str, key: &str) -> Duration {
    let found = values(text, key);
    let [value] = found[..] else { panic!("{key}: {found:?}") };
    Duration::from_secs(value.trim_end_matches('s').parse().unwrap())
}

/// The gateway that a file starts by flags in a list.
fn by_flags(path: &str) -> Serve {
    let text = read(path);
    let flags = text.lines().filter_map(|line| {
        let word = line.trim().trim_start_matches("- ").trim_end_matches(',').trim_matches('"');
        word.starts_with("--").then_some(word)
    });
    let words: Vec<&str> = ["serve"].into_iter().chain(flags).collect();
    assert!(words.len() > 4, "{path}: {words:?}");
    let Command::Serve(serve) = ok(&words) else { panic!("{path}: {words:?}") };
    serve
}

/// The gateway of a slot of the stack.
fn of_slot(slot: u16) -> Serve {
    let dir = TempDir::new();
    let file = dir.0.join("fuelbox.toml");
    let text = read("deploy/stack.toml");
    assert!(text.contains("{{ .Task.Slot }}"));
    std::fs::write(&file, text.replace("{{ .Task.Slot }}", &slot.to_string())).unwrap();
    match resolve(ok(&["serve", "--config", file.to_str().unwrap()])) {
        Ok(Command::Serve(serve)) => serve,
        Ok(other) => panic!("{other:?}"),
        Err(failure) => panic!("{failure:?}"),
    }
}

#[test]
fn gateways_are_started_by_flags_that_exist_and_drain_within_their_time() {
    for (path, key, delay) in [
        (DEPLOYMENT, "terminationGracePeriodSeconds:", None),
        (COMPOSE, "stop_grace_period:", None),
        // Nomad waits itself, before the signal.
        (NOMAD, "kill_timeout =", Some(Duration::ZERO)),
    ] {
        let serve = by_flags(path);
        assert_eq!(serve.listen.port(), 8080, "{path}");
        assert!(!serve.listen.ip().is_loopback(), "{path}: nobody outside of the container could reach it");
        assert!(!serve.proxies.is_empty(), "{path}: all clients would share the limits of one");
        assert_eq!(serve.shutdown_delay.is_zero(), delay.is_some(), "{path}");
        drains_within(&serve, seconds(&read(path), key), path);
    }
    for slot in 1..=3 {
        let serve = of_slot(slot);
        assert_eq!(serve.listen.port(), 8080 + slot);
        assert!(serve.listen.ip().is_loopback() && !serve.proxies.is_empty());
        drains_within(&serve, seconds(&read(STACK), "stop_grace_period:"), STACK);
    }
}

fn drains_within(serve: &Serve, given: Duration, path: &str) {
    let needed = serve.shutdown_delay + STOP_GRACE + serve.limits.deadline.unwrap();
    assert!(given > needed, "{path}: {given:?} are given, and {needed:?} needed");
}

#[test]
fn proxies_know_the_gateways_and_wait_longer_than_these() {
    let serve = of_slot(1);
    let most = serve.limits.deadline.unwrap() + serve.door.queue_timeout;
    for (path, key) in
        [("deploy/haproxy.cfg", "timeout server "), ("deploy/nginx.conf", "proxy_read_timeout ")]
    {
        let text = read(path).replace(';', "");
        assert!(seconds(&text, key) > most, "{path}");
        for slot in 1..=3 {
            let address = of_slot(slot).listen.to_string();
            let count = values(&text, "server ").iter().filter(|value| value.contains(&address)).count();
            assert_eq!(count, 1, "{path}: {address}");
        }
    }
    let (proxy, compose) = (read("deploy/haproxy.cfg"), read(COMPOSE));
    for variable in ["FUELBOX_BIND", "FUELBOX_1", "FUELBOX_2", "FUELBOX_3"] {
        assert_eq!(values(&compose, &format!("{variable}:")).len(), 1, "{variable}");
        assert!(proxy.contains(&format!("\"${{{variable}-127.0.0.1:808")), "{variable}");
    }
    let kept = seconds(&read("deploy/nginx.conf").replace(';', ""), "keepalive_timeout ");
    assert!(kept < serve.door.idle_timeout, "the gateway would close connections that nginx keeps");
}

#[test]
fn the_user_and_the_version_are_those_of_the_image() {
    let deployment = read(DEPLOYMENT);
    let users = values(&deployment, "runAsUser:");
    let groups = values(&deployment, "runAsGroup:");
    for dockerfile in ["Dockerfile", "deploy/Dockerfile.prebuilt"] {
        assert_eq!(
            values(&read(dockerfile), "USER "),
            [format!("{}:{}", users[0], groups[0])],
            "{dockerfile}"
        );
    }
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(values(&read("deploy/kubernetes/base/kustomization.yaml"), "newTag:"), [version]);
    assert!(values(&read(NOMAD), "default =")[0].ends_with(&format!(":{version}")));
    // One place each.
    for (path, key, count) in [(DEPLOYMENT, "image:", 1), (COMPOSE, "image: ${", 1), (STACK, "image:", 1)] {
        assert_eq!(values(&read(path), key).len(), count, "{path}");
    }
}

#[test]
fn plug_ins_of_the_examples_are_those_of_the_repository() {
    let text = read("deploy/kubernetes/base/plugins.yaml");
    let encoded = values(&text, "add.wasm:")[0];
    let module = from_base64(encoded);
    assert_eq!(module, std::fs::read(prebuilt("add.wasm")).unwrap());
    let stack = read(STACK);
    for file in values(&stack, "file: ") {
        assert!(Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy").join(file).is_file(), "{file}");
    }
}

fn files_beneath(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files_beneath(&path) } else { vec![path] }).collect()
}

/// Of each file, or of its folder, so that a reader knows what it is for.
#[test]
fn the_document_speaks_of_every_file() {
    let text = read("docs/beyond-one-machine.md");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy");
    let mut seen = 0;
    for path in files_beneath(&root) {
        let path = path.strip_prefix(&root).unwrap();
        if ["openwrt", "buildroot", "Dockerfile.prebuilt"].iter().any(|other| path.starts_with(other)) {
            continue;
        }
        let named = path.ancestors().filter(|part| *part != Path::new(""));
        let is_named =
            named.map(|part| format!("../deploy/{})", part.display())).any(|link| text.contains(&link));
        assert!(is_named, "{}", path.display());
        seen += 1;
    }
    assert!(seen > 10, "{seen}");
}
