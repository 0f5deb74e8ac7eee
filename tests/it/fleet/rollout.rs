//! `fuelbox fleet`: what nodes say, and rollouts.

use super::plugins::{BUCKET, Site, init};
use super::{Client, Nats, until};
use crate::site::giving;
use crate::support::{Ran, TempDir, fuelbox, fuelbox_in};

fn fleet(nats: &Nats, dir: &TempDir, words: &[&str]) -> Ran {
    let url = nats.url();
    let flags = ["--nats", &url, "--nats-plugins", BUCKET];
    let (verb, rest) = words.split_at(words.len().min(1));
    fuelbox_in(&dir.0, &[&["fleet"], verb, &flags, rest].concat(), b"")
}

impl Client {
    fn report(&self, node: &str, value: impl Into<Vec<u8>>) {
        let subject = format!("$KV.{BUCKET}-nodes.{node}");
        let value: Vec<u8> = value.into();
        self.wait(async { self.nats.request(subject, value.into()).await.unwrap() });
    }

    fn has(&self, object: &str) -> bool {
        self.wait(self.store().info(object)).is_ok_and(|info| !info.deleted)
    }
}

#[test]
fn a_rollout_goes_back_if_a_node_cannot_take_it() {
    let Some(nats) = Nats::start() else { return };
    init(&nats);
    let client = nats.client();
    let dir = TempDir::new();
    dir.write("a.wasm", giving(1));
    dir.write("bad.wasm", "rubbish");
    // Without nodes nothing is put.
    let none = fleet(&nats, &dir, &["deploy", "--wait", "1s", "a.wasm"]).expect(1);
    assert!(none.stderr.contains("no node is there") && !client.has("a.wasm"), "{none:?}");
    let sites = ["n1", "n2", "n3"].map(|name| Site::start(&nats, name, &[]));
    until("all have reported", || fleet(&nats, &dir, &[]).text().lines().count() == 4);
    let done = fleet(&nats, &dir, &["deploy", "--wait", "20s", "a.wasm"]).expect(0);
    assert_eq!(done.text(), "3 nodes run a\n");
    assert!(sites.iter().all(|site| site.call("a") == "1"));
    let bad = fleet(&nats, &dir, &["deploy", "--name", "a", "--wait", "20s", "bad.wasm"]).expect(1);
    assert!(bad.stderr.contains("does not take it: not a WebAssembly module"), "{bad:?}");
    assert!(bad.stderr.contains("what was there is put back"), "{bad:?}");
    assert!(sites.iter().all(|site| site.call("a") == "1"));
    let new = fleet(&nats, &dir, &["deploy", "--name", "b", "--wait", "20s", "bad.wasm"]).expect(1);
    assert!(new.stderr.contains("not a WebAssembly module") && !client.has("b.wasm"), "{new:?}");
    let canary = fleet(&nats, &dir, &["deploy", "--name", "a", "--canary", "34%", "bad.wasm"]).expect(1);
    assert!(canary.stderr.contains("its nodes go back") && !client.has("canary/a.wasm"), "{canary:?}");
    assert_eq!(canary.text().matches('n').count(), 2, "two nodes of three: {canary:?}");
    dir.write("a.wasm", giving(2));
    let good = fleet(&nats, &dir, &["deploy", "--canary", "1", "--wait", "20s", "a.wasm"]).expect(0);
    assert!(good.text().ends_with("3 nodes run a\n") && !client.has("canary/a.wasm"), "{good:?}");
    assert!(sites.iter().all(|site| site.call("a") == "2"));
    fleet(&nats, &dir, &["remove", "a"]).expect(0);
    until("it is gone", || sites.iter().all(|site| site.call("a") == "404"));
    let gone = fleet(&nats, &dir, &["remove", "a"]).expect(1);
    assert!(gone.stderr.contains("there is no plug-in a"), "{gone:?}");
}

#[test]
fn a_node_that_says_nothing_is_late() {
    let Some(nats) = Nats::start() else { return };
    init(&nats);
    let client = nats.client();
    let dir = TempDir::new();
    dir.write("a.wasm", giving(1));
    let site = Site::start(&nats, "n1", &[]);
    until("it has reported", || fleet(&nats, &dir, &[]).text().contains("n1 "));
    let done = fleet(&nats, &dir, &["deploy", "--wait", "30s", "a.wasm"]).expect(0);
    assert_eq!(done.text(), "1 node runs a\n");
    dir.write("a.wasm", giving(2));
    client.report("mute", r#"{"plugins":[]}"#);
    let late = fleet(&nats, &dir, &["deploy", "--wait", "2s", "a.wasm"]).expect(1);
    assert!(late.stderr.contains("after 2s, mute does not run it"), "{late:?}");
    client.report("quiet", r#"{"plugins":[]}"#);
    let late = fleet(&nats, &dir, &["deploy", "--wait", "2s", "a.wasm"]).expect(1);
    assert!(late.stderr.contains("after 2s, mute, quiet do not run it"), "{late:?}");
    until("it goes back", || site.call("a") == "1");
}

#[test]
fn what_nodes_say_is_shown_whatever_it_is() {
    let Some(nats) = Nats::start() else { return };
    init(&nats);
    let client = nats.client();
    let dir = TempDir::new();
    let evil = "\\u001b[31m\\u202e\\u0000\\n\\t";
    let entry = format!(r#"{{"name":"{evil}","sha256":"{evil}","error":"{evil}"}}"#);
    client.report("evil", format!(r#"{{"fuelbox":"{evil}","plugins":[{entry}],"left_out":3}}"#));
    client.report("rubbish", &b"\xff\xfe"[..]);
    client.report("deep", b"[".repeat(100_000));
    client.report("empty", "");
    client.report("a.b", r#"{"plugins":[]}"#);
    let many = vec![entry; 1000].join(",");
    client.report("many", format!(r#"{{"plugins":[{many}]}}"#));
    let table = fleet(&nats, &dir, &[]).expect(0).text();
    assert!(!table.chars().any(|c| c.is_control() && c != '\n' || c == '\u{202e}'), "{table:?}");
    assert!(table.contains("\\u{1b}[31m\\u{202e}") && table.contains("and 3 more"), "{table}");
    assert_eq!(table.matches("not a report").count(), 3, "{table}");
    assert!(!table.contains("a.b"), "{table}");
    let json = fleet(&nats, &dir, &["--json"]).expect(0).text();
    let all: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(all["nodes"].as_array().unwrap().len(), 5);
    assert!(!json.trim_end().chars().any(char::is_control), "{json:?}");
}

#[test]
fn the_command_line_is_checked() {
    let nats = ["--nats", "nats://127.0.0.1:1", "--nats-plugins", "b"];
    for (words, expected) in [
        (&["fly"][..], "`fly`: use init, deploy or remove"),
        (&["deploy"], "FILE|NAME is missing"),
        (&["init", "x"], "unexpected argument `x`"),
        (&["remove", "x", "--wait", "1s"], "--wait is for `fuelbox fleet deploy` only"),
        (&["deploy", "x", "--replicas", "3"], "--replicas is for `fuelbox fleet init` only"),
        (&["deploy", "x", "--canary", "0"], "--canary `0`: give a part"),
        (&["deploy", "x", "--canary", "101%"], "--canary `101%`: give a part"),
        (&["deploy", "x", "--json"], "--json is for `fuelbox fleet` without"),
        (&["remove", "../x"], "cannot be the name of a plug-in"),
    ] {
        let ran = fuelbox(&[&["fleet"], words, &nats].concat()).expect(2);
        assert!(ran.stderr.contains(expected), "{ran:?}");
    }
    let ran = fuelbox(&["fleet"]).expect(2);
    assert!(ran.stderr.contains("--nats is missing"), "{ran:?}");
    let ran = fuelbox(&["fleet", "--nats", "nats://127.0.0.1:1"]).expect(2);
    assert!(ran.stderr.contains("--nats-plugins is missing"), "{ran:?}");
    let ran = fuelbox(&[&["fleet"], &nats[..]].concat()).expect(1);
    assert!(ran.stderr.contains("cannot connect to NATS"), "{ran:?}");
    let ran = fuelbox(&[&["serve"], &nats[..]].concat()).expect(2);
    assert!(ran.stderr.contains("--nats-plugins needs --plugins"), "{ran:?}");
}
