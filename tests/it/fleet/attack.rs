//! What a hostile sender, server or node could try.

use super::{Client, Nats, until};
use crate::support::{Serve, TempDir};
use async_nats::{ConnectOptions, HeaderMap, Message, Request, jetstream};
use std::net::TcpStream;
use std::process::{Command, Stdio};

fn node(dir: &TempDir, url: &str) -> Serve {
    std::fs::create_dir(dir.0.join("p")).unwrap();
    std::fs::copy("guests/prebuilt/greet.wasm", dir.0.join("p/greet.wasm")).unwrap();
    Serve::start(&dir.0, &["--plugins", "p", "--nats", url, "--nats-node", "n1"])
}

fn ask(client: &Client, fields: &[(&str, &str)]) -> Option<Message> {
    let mut headers = HeaderMap::new();
    fields.iter().for_each(|(name, value)| headers.append(*name, *value));
    let request = Request::new().payload("x".into()).headers(headers);
    client.wait(client.nats.send_request("fuelbox.execute.greet", request)).ok()
}

fn status(message: &Message) -> &str {
    let headers = message.headers.as_ref();
    headers.and_then(|headers| headers.get("Fuelbox-Status")).map_or("", |value| value.as_str())
}

#[test]
fn a_node_gets_in_by_the_user_in_its_address() {
    let Some(mut nats) = Nats::start() else { return };
    nats.end();
    let port = nats.port.to_string();
    let child = Command::new(&nats.program)
        .args(["-a", "127.0.0.1", "-p", &port, "--user", "me", "--pass", "s@:c"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    nats.child = Some(child);
    until("the NATS server listens", || TcpStream::connect(("127.0.0.1", nats.port)).is_ok());
    let dir = TempDir::new();
    let _node = node(&dir, &format!("nats://me:s%40%3Ac@127.0.0.1:{port}"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let options = ConnectOptions::with_user_and_password("me".into(), "s@:c".into());
    let client = runtime.block_on(options.connect(nats.url())).unwrap();
    let client = Client { context: jetstream::new(client.clone()), nats: client, runtime };
    until("the node answers", || ask(&client, &[]).is_some_and(|answer| status(&answer) == "200"));
}

#[test]
fn head_is_answered() {
    let Some(nats) = Nats::start() else { return };
    let dir = TempDir::new();
    let _node = node(&dir, &nats.url());
    let client = nats.client();
    until("the node answers", || ask(&client, &[]).is_some());
    let answer = ask(&client, &[("Fuelbox-Method", "HEAD")]).unwrap();
    // A function takes POST: the answer has the length of a body that is not there.
    assert_eq!((status(&answer), answer.payload.len()), ("405", 0));
}
