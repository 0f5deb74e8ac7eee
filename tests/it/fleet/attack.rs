//! What a hostile sender, server or node could try.

use super::plugins::{Site, init};
use super::{Client, Nats, until};
use crate::support::{Serve, TempDir};
use async_nats::{ConnectOptions, HeaderMap, Message, Request, jetstream};

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
    nats.begin_with(&["--user", "me", "--pass", "s@:c"]);
    let dir = TempDir::new();
    let _node = node(&dir, &format!("nats://me:s%40%3Ac@127.0.0.1:{}", nats.port));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let options = ConnectOptions::with_user_and_password("me".into(), "s@:c".into());
    let (client, context) = runtime.block_on(async {
        let client = options.connect(nats.url()).await.unwrap();
        (client.clone(), jetstream::new(client))
    });
    let client = Client { nats: client, context, runtime };
    until("the node answers", || ask(&client, &[]).is_some_and(|answer| status(&answer) == "200"));
}

#[test]
fn a_policy_that_never_came_from_the_object_store_stays() {
    let Some(nats) = Nats::start() else { return };
    init(&nats);
    let client = nats.client();
    let site = Site::start(&nats, "n1", &[]);
    let [module, policy] = ["a.wasm", "a.toml"].map(|file| site.dir.0.join("p").join(file));
    std::fs::write(&policy, "access = \"token\"\n").unwrap();
    let bytes = std::fs::read("guests/prebuilt/greet.wasm").unwrap();
    client.put("a.wasm", &bytes);
    until("the module comes", || module.exists());
    client.delete("a.wasm");
    until("the module goes", || !module.exists());
    // The next change comes after what belongs to this one.
    client.put("a.wasm", &bytes);
    until("the module comes again", || module.exists());
    assert_eq!(std::fs::read_to_string(&policy).unwrap(), "access = \"token\"\n");
    client.put("a.toml", b"workers = 1\n");
    until("a policy comes", || std::fs::read(&policy).is_ok_and(|text| text == b"workers = 1\n"));
    client.delete("a.wasm");
    until("both go", || !module.exists() && !policy.exists());
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
