//! A node keeps its plug-in folder as an object store of NATS is.

use super::{Client, Nats, until};
use crate::signatures::Signer;
use crate::site::giving;
use crate::support::{Client as Http, Serve, TempDir, fuelbox_in, wat};
use async_nats::jetstream::object_store;
use async_nats::{HeaderMap, HeaderValue};
use fuelbox::base::base64;
use fuelbox::base::digest::Digest;
use std::time::Duration;

/// The object store of these tests.
pub const BUCKET: &str = "edge";

impl Client {
    pub fn store(&self) -> object_store::ObjectStore {
        self.wait(self.context.get_object_store(BUCKET)).unwrap()
    }

    pub fn put(&self, name: &str, mut bytes: &[u8]) {
        self.wait(self.store().put(name, &mut bytes)).unwrap();
    }

    pub fn delete(&self, name: &str) {
        self.wait(self.store().delete(name)).unwrap();
    }

    /// Publishes any meta message for an object.
    fn put_meta(&self, name: &[u8], payload: Vec<u8>) {
        let token = base64::encode(name).replace('+', "-").replace('/', "_");
        let mut headers = HeaderMap::new();
        headers.insert("Nats-Rollup", HeaderValue::from("sub"));
        let subject = format!("$O.{BUCKET}.M.{token}");
        self.wait(async {
            let sent = self.context.publish_with_headers(subject, headers, payload.into()).await;
            sent.unwrap().await.unwrap();
        });
    }
}

/// Has fuelbox make the buckets.
pub fn init(nats: &Nats) {
    let url = nats.url();
    fuelbox_in(&TempDir::new().0, &["fleet", "init", "--nats", &url, "--nats-plugins", BUCKET], b"")
        .expect(0);
}

/// A node, with its folder.
pub struct Site {
    pub dir: TempDir,
    serve: Option<Serve>,
    args: Vec<String>,
}

impl Site {
    pub fn start(nats: &Nats, name: &str, more: &[&str]) -> Site {
        let url = nats.url();
        let fixed = ["--plugins", "p", "--nats", &url, "--nats-plugins", BUCKET, "--nats-node", name];
        let args = fixed.iter().chain(more).map(|arg| arg.to_string()).collect();
        let dir = TempDir::new();
        std::fs::create_dir(dir.0.join("p")).unwrap();
        let mut site = Site { dir, serve: None, args };
        site.begin();
        site
    }

    pub fn begin(&mut self) {
        let args: Vec<&str> = self.args.iter().map(String::as_str).collect();
        self.serve = Some(Serve::start(&self.dir.0, &args));
    }

    pub fn end(&mut self) {
        self.serve = None;
    }

    /// What `GET /execute/{plugin}` gives.
    pub fn call(&self, plugin: &str) -> String {
        let serve = self.serve.as_ref().unwrap();
        let reply = Http::connect(serve.address).send("POST", &format!("/execute/{plugin}"), b"");
        if reply.status == 200 { reply.text().trim().to_string() } else { reply.status.to_string() }
    }

    /// The value of a series of `/metrics`, if there is one.
    pub fn metric(&self, series: &str) -> Option<u64> {
        let serve = self.serve.as_ref().unwrap();
        let text = Http::connect(serve.address).send("GET", "/metrics", b"").text();
        text.lines().find_map(|line| line.strip_prefix(series)?.trim().parse().ok())
    }

    fn files(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.dir.0.join("p")).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.retain(|name| !name.starts_with('.'));
        names.sort();
        names
    }

    /// What the nodes say of `plugin`: the beginning of what `fuelbox fleet --json` shows, or an error.
    fn said(&self, nats: &Nats, plugin: &str) -> (String, String) {
        let url = nats.url();
        let args = ["fleet", "--json", "--nats", &url, "--nats-plugins", BUCKET];
        let all: serde_json::Value =
            serde_json::from_slice(&fuelbox_in(&self.dir.0, &args, b"").expect(0).stdout).unwrap();
        let plugins = all.pointer("/nodes/0/plugins").and_then(|plugins| plugins.as_array());
        let entry = plugins.into_iter().flatten().find(|entry| entry["name"] == plugin);
        let text = |key: &str| entry.and_then(|entry| entry[key].as_str()).unwrap_or_default().to_string();
        (text("sha256"), text("error"))
    }
}

#[test]
fn a_plugin_comes_from_the_object_store_and_goes_with_it() {
    let Some(nats) = Nats::start() else { return };
    let mut site = Site::start(&nats, "n1", &[]);
    std::fs::write(site.dir.0.join("p/local.wasm"), giving(7)).unwrap();
    // There is no object store yet.
    until("the folder is read", || site.call("local") == "7");
    init(&nats);
    let client = nats.client();
    client.put("a.wasm", &giving(1));
    until("it serves", || site.call("a") == "1");
    client.put("a.wasm", &giving(2));
    until("the next one serves", || site.call("a") == "2");
    until("it is reported", || site.said(&nats, "a") == (Digest::of(&giving(2)).to_string(), String::new()));
    assert_eq!(site.said(&nats, "local").0, Digest::of(&giving(7)).to_string());
    // It was off while things changed.
    site.end();
    client.put("b.wasm", &giving(3));
    client.delete("a.wasm");
    site.begin();
    until("it has caught up", || site.call("b") == "3" && site.call("a") == "404");
    client.delete("b.wasm");
    until("it goes", || site.call("b") == "404");
    assert_eq!(site.call("local"), "7");
    assert_eq!(site.files(), ["local.wasm"]);
}

#[test]
fn the_network_and_the_object_store_may_be_away() {
    let Some(mut nats) = Nats::start() else { return };
    init(&nats);
    let site = Site::start(&nats, "n1", &[]);
    nats.client().put("a.wasm", &giving(1));
    until("it serves", || site.call("a") == "1");
    nats.end();
    assert_eq!(site.call("a"), "1");
    nats.begin();
    nats.client().put("a.wasm", &giving(2));
    until("it is back", || site.call("a") == "2");
    let client = nats.client();
    client.wait(client.context.delete_object_store(BUCKET)).unwrap();
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(site.call("a"), "2");
    init(&nats);
    client.put("b.wasm", &giving(3));
    until("the new one is followed", || site.call("b") == "3");
    // Nothing was deleted from the new one.
    assert_eq!(site.call("a"), "2");
}

#[test]
fn what_does_not_serve_leaves_the_former_one_and_is_reported() {
    let Some(nats) = Nats::start() else { return };
    init(&nats);
    let client = nats.client();
    client.put("a.wasm", &giving(1));
    let site = Site::start(&nats, "n1", &["--max-module", "1KiB"]);
    until("it serves", || site.call("a") == "1");
    let traps = wat("(module (func $s unreachable) (start $s))");
    for (bad, why) in [
        (b"rubbish".to_vec(), "not a WebAssembly module"),
        (traps, "instantiation failed"),
        (giving_in(1025), "more than 1024 (--max-module)"),
    ] {
        client.put("a.wasm", &bad);
        until("it is reported", || site.said(&nats, "a").1.contains(why));
        assert_eq!(site.call("a"), "1");
        assert_eq!(site.said(&nats, "a").0, Digest::of(&giving(1)).to_string());
    }
    for size in [1023, 1024] {
        client.put("a.wasm", &giving_in(size));
        let sum = Digest::of(&giving_in(size)).to_string();
        until("it is taken", || site.said(&nats, "a") == (sum.clone(), String::new()));
    }
    client.put("a.toml", &vec![b'#'; 1 << 20]);
    until("the policy is too large", || site.said(&nats, "a").1.contains("the limit of policies"));
}

/// A module of `size` bytes.
fn giving_in(size: usize) -> Vec<u8> {
    let mut module = giving(9);
    // A custom section: its id, its size in two bytes, its name.
    let contents = size - module.len() - 3;
    module.extend([0, (contents & 0x7f) as u8 | 0x80, (contents >> 7) as u8, 1, b'x']);
    module.resize(size, 0);
    module
}

#[test]
fn names_and_meta_messages_may_be_anything() {
    let Some(nats) = Nats::start() else { return };
    init(&nats);
    let site = Site::start(&nats, "n1", &[]);
    let client = nats.client();
    let long = "x".repeat(65) + ".wasm";
    for name in
        ["../up.wasm", "/tmp/x.wasm", "a/b.wasm", ".wasm", "..", "z.wat", "x.wasm.wasm", &long, "readme"]
    {
        client.put(name, &giving(1));
    }
    let of =
        |name: &str| format!(r#"{{"name":"{name}","nuid":"n","size":3,"chunks":1,"digest":"SHA-256=AAAA"}}"#);
    for (name, payload) in [
        (&b"nul\0.wasm"[..], of("nul.wasm").into_bytes()),
        (b"\xff\xfe.wasm", of("y.wasm").into_bytes()),
        (b"c.wasm", b"rubbish".to_vec()),
        (b"d.wasm", of("a.wasm").into_bytes()),
        (b"e.wasm", of("e.wasm").into_bytes()),
        (b"f.wasm", b"[".repeat(100_000)),
        (b"g.wasm", of("g.wasm").replace("\"n\"", "\"> x\"").into_bytes()),
    ] {
        client.put_meta(name, payload);
    }
    // Its chunks are not what it says.
    let good = client.wait(client.store().info("readme")).unwrap();
    let nuid = good.nuid;
    for (name, size) in [("h.wasm", giving(1).len()), ("i.wasm", 4), ("j.wasm", 4000)] {
        let digest = base64::encode(Digest::of(b"other").bytes()).replace('+', "-").replace('/', "_");
        let meta =
            format!(r#"{{"name":"{name}","nuid":"{nuid}","size":{size},"digest":"SHA-256={digest}"}}"#);
        client.put_meta(name.as_bytes(), meta.into_bytes());
    }
    client.put("good.wasm", &giving(5));
    until("the good one serves", || site.call("good") == "5");
    until("the others are reported", || {
        ["c", "d", "e", "f", "g", "h", "i", "j"].iter().all(|name| !site.said(&nats, name).1.is_empty())
    });
    assert_eq!(site.files(), ["good.wasm"]);
    assert!(!site.dir.0.join("up.wasm").exists());
}

#[test]
fn module_and_policy_change_together() {
    let Some(nats) = Nats::start() else { return };
    init(&nats);
    let client = nats.client();
    let module = |name: &str, n: i32| {
        wat(&format!(r#"(module (func (export "{name}") (result i32) (i32.const {n})))"#))
    };
    client.put("a.toml", b"functions = [\"one\"]\n");
    client.put("a.wasm", &module("one", 1));
    let site = Site::start(&nats, "n1", &[]);
    until("it serves", || site.call("a") == "1");
    // Neither goes with the other's former one.
    client.put("a.toml", b"functions = [\"two\"]\n");
    client.put("a.wasm", &module("two", 2));
    until("both are there", || site.call("a") == "2");
    assert_eq!(site.files(), ["a.toml", "a.wasm"]);
    client.delete("a.toml");
    until("the policy is gone", || site.files() == ["a.wasm"]);
    assert_eq!(site.call("a"), "2");
}

#[test]
fn a_change_that_a_kill_has_cut_is_finished_at_the_next_start() {
    let Some(nats) = Nats::start() else { return };
    let mut site = Site::start(&nats, "n1", &[]);
    site.end();
    let pending = site.dir.0.join("p/.fuelbox-versions/k/pending");
    std::fs::create_dir_all(&pending).unwrap();
    std::fs::write(pending.join("module"), giving(2)).unwrap();
    std::fs::write(pending.join("policy"), "functions = [\"f\"]\n").unwrap();
    // Only the policy had been put in place.
    std::fs::write(site.dir.0.join("p/k.toml"), "functions = [\"f\"]\n").unwrap();
    std::fs::write(site.dir.0.join("p/.fuelbox-0123456789abcdef.tmp"), "half").unwrap();
    site.begin();
    until("it serves", || site.call("k") == "2");
    assert!(!pending.exists() && !site.dir.0.join("p/.fuelbox-0123456789abcdef.tmp").exists());
}

#[test]
fn only_what_is_signed_takes_the_place() {
    let Some(nats) = Nats::start() else { return };
    init(&nats);
    let (ours, theirs) = (Signer::new(), Signer::new());
    let client = nats.client();
    let key = ours.key_text();
    let site = Site::start(&nats, "n1", &["--trusted-key", &key]);
    client.put("a.wasm", &giving(1));
    until("it is refused", || site.said(&nats, "a").1.contains("--trusted-key"));
    assert_eq!(site.call("a"), "404");
    client.put("a.wasm.minisig", theirs.sign(&giving(1)).as_bytes());
    until("that of others is refused", || site.said(&nats, "a").1.contains("not by a trusted key"));
    client.put("a.wasm.minisig", ours.sign(&giving(1)).as_bytes());
    until("it serves", || site.call("a") == "1");
    client.put("a.wasm", &giving(2));
    until("the next one needs its own", || !site.said(&nats, "a").1.is_empty());
    assert_eq!(site.call("a"), "1");
    client.put("a.wasm.minisig", ours.sign(&giving(2)).as_bytes());
    until("it has it", || site.call("a") == "2");
    client.put("a.wasm.minisig", &[b'x'; 5000]);
    until("it is too large", || site.said(&nats, "a").1.contains("the limit of signatures"));
    assert_eq!(site.call("a"), "2");
}
