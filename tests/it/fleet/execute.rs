//! Requests by NATS, and requests over HTTP that are passed on.

use super::{Client, Nats, until};
use crate::support::{Client as Http, Serve, TempDir, wat};
use async_nats::{HeaderMap, Message, Request};
use futures_util::StreamExt;
use futures_util::future::join_all;
use rustix::process::{Pid, Signal, kill_process};
use std::collections::BTreeMap;
use std::fs::Permissions;
use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

/// Runs for a tenth of a second, or for ever.
const SLOW: &str = r#"(module
  (func (export "spin") (loop $again (br $again)))
  (func (export "nap") (local i32)
    (local.set 0 (i32.const 3000000))
    (loop $again (br_if $again (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))))"#;

fn folder() -> TempDir {
    let dir = TempDir::new();
    std::fs::create_dir(dir.0.join("p")).unwrap();
    std::fs::copy("guests/prebuilt/greet.wasm", dir.0.join("p/greet.wasm")).unwrap();
    std::fs::copy("guests/prebuilt/add.wasm", dir.0.join("p/a.b.wasm")).unwrap();
    std::fs::write(dir.0.join("p/slow.wasm"), wat(SLOW)).unwrap();
    dir
}

fn node(dir: &TempDir, nats: &Nats, name: &str, more: &[&str]) -> Serve {
    let url = nats.url();
    let fixed = ["--plugins", "p", "--nats", &url, "--nats-node", name, "--fuel", "1000000000000"];
    Serve::start(&dir.0, &[&fixed, more].concat())
}

impl Client {
    fn ask(&self, subject: &str, body: &[u8], fields: &[(&str, &str)]) -> Option<Message> {
        let request = request(body, fields);
        self.wait(self.nats.send_request(subject.to_string(), request)).ok()
    }

    /// Waits until so many nodes answer as a service does, and for their subscriptions.
    fn nodes(&self, count: usize) {
        until("all nodes answer", || {
            self.wait(async {
                let inbox = self.nats.new_inbox();
                let mut answers = self.nats.subscribe(inbox.clone()).await.unwrap();
                self.nats.publish_with_reply("$SRV.PING.fuelbox", inbox, "".into()).await.unwrap();
                let all = async {
                    for _ in 0..count {
                        answers.next().await.unwrap();
                    }
                };
                tokio::time::timeout(Duration::from_millis(300), all).await.is_ok()
            })
        });
        until("requests are taken", || self.ask("fuelbox.execute.greet", b"", &[]).is_some());
    }
}

fn request(body: &[u8], fields: &[(&str, &str)]) -> Request {
    let mut headers = HeaderMap::new();
    fields.iter().for_each(|(name, value)| headers.append(*name, *value));
    Request::new().payload(body.to_vec().into()).headers(headers)
}

fn field<'a>(message: &'a Message, name: &'static str) -> &'a str {
    let headers = message.headers.as_ref();
    headers.and_then(|headers| headers.get(name)).map_or("", |value| value.as_str())
}

fn status(message: &Message) -> &str {
    field(message, "Fuelbox-Status")
}

#[test]
fn a_message_is_answered_as_a_request_over_http_is() {
    let Some(nats) = Nats::start() else { return };
    let dir = folder();
    let _node = node(&dir, &nats, "n1", &[]);
    let client = nats.client();
    client.nodes(1);
    let greeted = client.ask("fuelbox.execute.greet", b"W\xff", &[("X-Request-Id", "seven")]).unwrap();
    assert_eq!((status(&greeted), &*greeted.payload), ("200", &b"Hello, W\xff"[..]));
    assert_eq!((field(&greeted, "X-Request-Id"), field(&greeted, "Fuelbox-Node")), ("seven", "n1"));
    assert!(field(&greeted, "Fuel-Used").parse::<u64>().unwrap() > 0);
    let added = client.ask("fuelbox.execute.a%2Eb.add", b"10 20", &[]).unwrap();
    assert_eq!((status(&added), &*added.payload), ("200", &b"30\n"[..]));
    let none = client.ask("fuelbox.execute.a%2Eb.nope", b"", &[]).unwrap();
    assert_eq!((status(&none), field(&none, "Nats-Service-Error-Code")), ("404", "404"));
    assert_eq!(field(&none, "Fuelbox-Problem"), "urn:fuelbox:problem:no-such-function");
    // Nobody has it, and the server says so.
    assert!(client.ask("fuelbox.execute.none", b"", &[]).is_none());
    // The server takes a million bytes, and the greeting would be more.
    let large = client.ask("fuelbox.execute.greet", &vec![b'a'; 1024 * 1024 - 4096], &[]).unwrap();
    assert_eq!(field(&large, "Fuelbox-Problem"), "urn:fuelbox:problem:output-full");
}

#[test]
fn a_sender_gets_an_answer_in_its_time() {
    let Some(nats) = Nats::start() else { return };
    let dir = folder();
    let _node = node(&dir, &nats, "n1", &["--timeout", "60s", "--workers", "1"]);
    let client = nats.client();
    client.nodes(1);
    let stopped = client.ask("fuelbox.execute.slow.spin", b"", &[("Fuelbox-Timeout", "100")]).unwrap();
    assert_eq!(
        (status(&stopped), field(&stopped, "Fuelbox-Problem")),
        ("504", "urn:fuelbox:problem:deadline")
    );
    assert!(String::from_utf8_lossy(&stopped.payload).contains("Fuelbox-Timeout"));
    let none = client.ask("fuelbox.execute.slow.nap", b"", &[("Fuelbox-Timeout", "0")]).unwrap();
    assert_eq!(status(&none), "504");
}

#[test]
fn rubbish_is_refused_and_harms_nobody() {
    let Some(nats) = Nats::start() else { return };
    let dir = folder();
    let _node = node(&dir, &nats, "n1", &[]);
    let client = nats.client();
    client.nodes(1);
    let many = vec![("A", "1"); 81];
    for fields in [
        &[("Fuelbox-Timeout", "soon")][..],
        &[("Fuelbox-Hops", "-1")],
        &[("Fuelbox-Path", "plugins")],
        &[("Fuelbox-Method", "POST /plugins HTTP/1.1")],
        &[("Fuelbox-Path", "/ HTTP/1.1")],
        &[("Authorization", "a"), ("Authorization", "b")],
        &many,
    ] {
        let refused = client.ask("fuelbox.execute.greet", b"x", fields).unwrap();
        assert_eq!(status(&refused), "400", "{fields:?}");
    }
    for (path, expected) in [("/../../plugins", "404"), ("/%00", "404"), ("?func=a&func=b", "400")] {
        let answer = client.ask("fuelbox.execute.greet", b"", &[("Fuelbox-Path", path)]).unwrap();
        assert_eq!(status(&answer), expected, "{path}");
    }
    // A token has one form; another one is no other way in.
    for subject in ["fuelbox.execute.%67reet", "fuelbox.execute.greet.a.b", "fuelbox.execute.a.b"] {
        assert!(client.ask(subject, b"", &[]).is_none(), "{subject}");
    }
    let wrong = client.ask("fuelbox.execute.greet.%6", b"", &[]).unwrap();
    assert_eq!(status(&wrong), "400");
    let answer = client.ask("fuelbox.execute.greet", b"", &[("Fuelbox-Hops", "4294967295")]).unwrap();
    assert_eq!(status(&answer), "200");
}

#[test]
fn an_answer_goes_to_no_subject_that_does_something() {
    let Some(nats) = Nats::start() else { return };
    let dir = folder();
    let _node = node(&dir, &nats, "n1", &[]);
    let client = nats.client();
    client.nodes(1);
    client.wait(async {
        let mut deputy = client.nats.subscribe("$JS.API.>").await.unwrap();
        let mut good = client.nats.subscribe("answers.7").await.unwrap();
        client.nats.flush().await.unwrap();
        for reply in ["$JS.API.STREAM.PURGE.X", "answers.7"] {
            let subject = "fuelbox.execute.greet";
            client.nats.publish_with_reply(subject, reply, "x".into()).await.unwrap();
        }
        // The second answer comes, and so the first would have.
        assert_eq!(&*good.next().await.unwrap().payload, b"Hello, x");
        let wrong = tokio::time::timeout(Duration::from_millis(200), deputy.next()).await;
        assert!(wrong.is_err(), "{wrong:?}");
    });
}

#[test]
fn a_plugin_that_needs_a_token_needs_one_by_nats_too() {
    let Some(nats) = Nats::start() else { return };
    let dir = folder();
    std::fs::write(dir.0.join("p/greet.toml"), "access = \"token\"\n").unwrap();
    let tokens = dir.0.join("tokens");
    std::fs::write(&tokens, "call 0123456789abcdef0123456789abcdef\n").unwrap();
    std::fs::set_permissions(&tokens, Permissions::from_mode(0o600)).unwrap();
    let _node = node(&dir, &nats, "n1", &["--token-file", "tokens"]);
    let client = nats.client();
    client.nodes(1);
    assert_eq!(status(&client.ask("fuelbox.execute.greet", b"", &[]).unwrap()), "401");
    let bearer = [("Authorization", "Bearer 0123456789abcdef0123456789abcdef")];
    assert_eq!(status(&client.ask("fuelbox.execute.greet", b"", &bearer).unwrap()), "200");
}

/// Takes the one worker of a gateway, and has a request wait in its queue.
fn occupy(address: SocketAddr) {
    for _ in 0..2 {
        let mut stream = TcpStream::connect(address).unwrap();
        let head = "POST /execute/slow?func=spin HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n";
        stream.write_all(head.as_bytes()).unwrap();
        // Open until the node ends.
        std::mem::forget(stream);
    }
    until("one runs, and one waits", || {
        let metrics = Http::connect(address).send("GET", "/metrics", b"");
        let text = String::from_utf8_lossy(&metrics.body).into_owned();
        ["fuelbox_workers_busy 1", "fuelbox_queue_length 1"]
            .iter()
            .all(|line| text.lines().any(|l| l == *line))
    });
}

/// Statuses and nodes of requests, of which so many are under way at a time.
fn load(client: &Client, subject: &str, all: usize, at_a_time: usize) -> BTreeMap<(String, String), usize> {
    let one = async || {
        let mut seen = Vec::new();
        for _ in 0..all / at_a_time {
            let request = request(b"", &[]).timeout(Some(Duration::from_secs(10)));
            seen.push(match client.nats.send_request(subject.to_string(), request).await {
                Ok(answer) => (status(&answer).to_string(), field(&answer, "Fuelbox-Node").to_string()),
                Err(error) => (error.kind().to_string(), String::new()),
            });
        }
        seen
    };
    let seen = client.wait(join_all((0..at_a_time).map(|_| one())));
    let mut counts = BTreeMap::new();
    seen.into_iter().flatten().for_each(|outcome| *counts.entry(outcome).or_default() += 1);
    counts
}

#[test]
fn what_a_node_cannot_run_others_do() {
    let Some(nats) = Nats::start() else { return };
    let dir = folder();
    let small = ["--workers", "1", "--client-share", "100"];
    let nodes = ["n1", "n2", "n3"].map(|name| node(&dir, &nats, name, &small));
    let client = nats.client();
    client.nodes(3);
    // One is taken from all others by HTTP: it keeps its worker, and its queue.
    occupy(nodes[0].address);
    let seen = load(&client, "fuelbox.execute.greet", 200, 2);
    assert!(seen.keys().all(|(status, node)| status == "200" && node != "n1"), "{seen:?}");
    assert_eq!(seen.values().sum::<usize>(), 200);
}

#[test]
fn a_node_leaves_and_no_request_is_lost() {
    let Some(mut nats) = Nats::start() else { return };
    leave(&mut nats, false);
}

/// The server counts what it has sent on a subscription from the new connection on.
#[test]
fn a_node_that_has_reconnected_leaves_and_no_request_is_lost() {
    let Some(mut nats) = Nats::start() else { return };
    leave(&mut nats, true);
}

/// Ends one of two nodes under load, after they have lost their connections if so wanted.
fn leave(nats: &mut Nats, has_reconnected: bool) {
    let dir = folder();
    let _stays = node(&dir, nats, "n1", &["--client-share", "100"]);
    let mut leaves = node(&dir, nats, "n2", &["--client-share", "100"]);
    let client = nats.client();
    client.nodes(2);
    if has_reconnected {
        load(&client, "fuelbox.execute.greet", 2000, 4);
        nats.end();
        nats.begin();
        client.nodes(2);
    }
    let id = Pid::from_child(&leaves.child);
    let signal = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(300));
        kill_process(id, Signal::TERM).unwrap();
    });
    let mut counts = BTreeMap::new();
    until("the node has left", || {
        for ((status, _), count) in load(&client, "fuelbox.execute.greet", 400, 4) {
            *counts.entry(status).or_insert(0) += count;
        }
        leaves.child.try_wait().unwrap().is_some()
    });
    signal.join().unwrap();
    assert_eq!(counts.keys().collect::<Vec<_>>(), ["200"], "{counts:?}");
}

#[test]
fn a_full_gateway_passes_requests_on() {
    let Some(nats) = Nats::start() else { return };
    let dir = folder();
    let full = ["--workers", "1", "--client-share", "100", "--spill", "nats", "--timeout", "60s"];
    let full = node(&dir, &nats, "n1", &full);
    let _other = node(&dir, &nats, "n2", &["--workers", "8", "--client-share", "100"]);
    nats.client().nodes(2);
    let address = full.address;
    occupy(address);
    // Chance may give a request to the full one each time; then it waits there for nothing.
    let passed_on = |path: &str, body: &[u8]| {
        let mut replies = (0..4).map(|_| Http::connect(address).send("POST", path, body));
        replies.find(|reply| reply.status != 503).expect("one of four is passed on")
    };
    let reply = passed_on("/execute/greet", b"W\xff");
    assert_eq!((reply.status, &*reply.body), (200, &b"Hello, W\xff"[..]));
    let node = reply.header("fuelbox-node");
    assert!(node == Some("n2"), "another one has room: {node:?}");
    let added = passed_on("/execute/a.b?func=add", b"1 2");
    assert_eq!((added.status, &*added.body), (200, &b"3\n"[..]));
    let wrong = passed_on("/execute/a.b?func=nope", b"1 2");
    assert_eq!(wrong.status, 404);
    assert!(String::from_utf8_lossy(&wrong.body).contains("no-such-function"));
}

#[test]
fn the_usual_tools_find_all_nodes() {
    let Some(nats) = Nats::start() else { return };
    let dir = folder();
    let _nodes = ["n1", "n2"].map(|name| node(&dir, &nats, name, &[]));
    let client = nats.client();
    client.nodes(2);
    for (verb, member) in [("PING", "version"), ("INFO", "endpoints"), ("STATS", "started")] {
        for name in ["n1", "n2"] {
            let answer = client.ask(&format!("$SRV.{verb}.fuelbox.{name}"), b"", &[]).unwrap();
            let document: serde_json::Value = serde_json::from_slice(&answer.payload).unwrap();
            assert_eq!((&document["id"], &document["name"]), (&name.into(), &"fuelbox".into()));
            assert!(!document[member].is_null(), "{document}");
        }
    }
}
