//! Streams of jobs, nodes that take from them, and what they run.

use super::{Nats, PATIENCE};
use crate::support::{Serve, TempDir, fuelbox_command, prebuilt, runner_config, wat};
use async_nats::HeaderMap;
use async_nats::jetstream::consumer::pull;
use async_nats::jetstream::{self, Context};
use fuelbox::Runner;
use fuelbox::fleet::jobs::setup;
use fuelbox::fleet::{Access, Fleet, FleetConfig};
use fuelbox::gateway::{Gateway, GatewayConfig};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub const STREAM: &str = "jobs";

/// A client, and the streams that it made.
pub struct Queue {
    pub context: Context,
}

/// What is in a stream of results or dead letters.
#[derive(Debug)]
pub struct Stored {
    pub job: String,
    pub subject: String,
    pub fields: HeaderMap,
    pub body: Vec<u8>,
}

impl Stored {
    pub fn field(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", |value| value.as_str())
    }
}

impl Queue {
    pub async fn connect(nats: &Nats) -> Queue {
        Queue { context: jetstream::new(async_nats::connect(&nats.url()).await.unwrap()) }
    }

    pub async fn new(nats: &Nats) -> Queue {
        let queue = Queue::connect(nats).await;
        let made = setup::create_jobs(&queue.context.client(), STREAM, 1).await.unwrap();
        assert_eq!(made.len(), 4, "{made:?}");
        queue
    }

    pub async fn publish(&self, subject: &str, fields: &[(&str, &str)], body: impl Into<Vec<u8>>) {
        let mut headers = HeaderMap::new();
        fields.iter().for_each(|(name, value)| headers.append(*name, *value));
        let body = body.into().into();
        let sent = self.context.publish_with_headers(subject.to_string(), headers, body).await.unwrap();
        sent.await.unwrap();
    }

    pub async fn messages(&self, stream: &str) -> u64 {
        self.context.get_stream(stream).await.map_or(0, |stream| stream.cached_info().state.messages)
    }

    /// Waits until no job is left.
    pub async fn emptied(&self) {
        let until = Instant::now() + PATIENCE;
        while self.messages(STREAM).await > 0 {
            assert!(Instant::now() < until, "{} jobs are left", self.messages(STREAM).await);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    pub async fn stored(&self, what: &str) -> Vec<Stored> {
        let stream = self.context.get_stream(format!("{STREAM}-{what}")).await.unwrap();
        let state = &stream.cached_info().state;
        let mut all = Vec::new();
        for at in state.first_sequence..=state.last_sequence {
            let message = stream.get_raw_message(at).await.unwrap();
            let fields = message.headers;
            let job = fields.get("Fuelbox-Job-Id").map_or("", |value| value.as_str()).to_string();
            let body = message.payload.to_vec();
            all.push(Stored { job, subject: message.subject.to_string(), fields, body });
        }
        all
    }

    /// Has the server give the job of a node that says nothing to another after `ack_wait`.
    pub async fn set_ack_wait(&self, ack_wait: Duration) {
        let stream = self.context.get_stream(STREAM).await.unwrap();
        let info = stream.consumer_info("fuelbox").await.unwrap().config;
        let config = pull::Config {
            durable_name: info.durable_name,
            ack_policy: info.ack_policy,
            ack_wait,
            max_deliver: info.max_deliver,
            max_ack_pending: info.max_ack_pending,
            max_waiting: info.max_waiting,
            ..pull::Config::default()
        };
        stream.create_consumer(config).await.unwrap();
    }
}

/// A node in this process, with short pauses.
pub struct Node {
    gateway: Option<Gateway>,
    fleet: Option<Fleet>,
}

pub fn node(nats: &Nats, name: &str, plugins: &Path) -> Node {
    let runner = Runner::new(runner_config()).unwrap();
    assert!(runner.load_plugins(plugins).unwrap().failed.is_empty());
    let runner = Arc::new(runner);
    let listen = "127.0.0.1:0".parse().unwrap();
    let config = GatewayConfig { listen, workers: 2, ..GatewayConfig::default() };
    let gateway = Gateway::start(&config, Arc::clone(&runner)).unwrap();
    let config = FleetConfig {
        access: Access { servers: vec![nats.url()], ..Access::default() },
        node: name.into(),
        jobs: Some(STREAM.into()),
        job_pause: Some(Duration::from_millis(2)),
        ..FleetConfig::default()
    };
    let fleet = Fleet::start(config, gateway.inside(), runner).unwrap();
    Node { gateway: Some(gateway), fleet: Some(fleet) }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.fleet.iter().for_each(Fleet::leave);
        self.gateway.take().into_iter().for_each(Gateway::stop);
        self.fleet.take().into_iter().for_each(Fleet::stop);
    }
}

/// A program on its own, which can be killed.
pub fn serve(nats: &Nats, name: &str, plugins: &Path) -> Serve {
    let mut command = fuelbox_command(plugins, &["serve", "--listen", "127.0.0.1:0", "--workers", "2"]);
    command.args(crate::support::isolation_flags());
    command.arg("--plugins").arg(plugins);
    command.args(["--nats", &nats.url(), "--nats-node", name, "--nats-jobs", STREAM]);
    Serve::spawn(command)
}

/// `greet`; `slow`, which takes a while; `trap`; `big`, whose output is more than a message holds.
pub fn plugins() -> TempDir {
    let dir = TempDir::new();
    let main = |code: &str, pages: u32| {
        wat(&format!(
            r#"(module
              (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
              (memory (export "memory") {pages})
              (data (i32.const 0) "\10\00\00\00\04\00\00\00") (data (i32.const 16) "done")
              (func (export "_start") (local $n i32) {code}))"#
        ))
    };
    let write = "(drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))";
    let spin = "(loop $l (local.set $n (i32.add (local.get $n) (i32.const 1)))
        (br_if $l (i32.lt_u (local.get $n) (i32.const 3000000))))";
    let much = "(i32.store (i32.const 4) (i32.const 1048576))";
    dir.write("greet.wasm", std::fs::read(prebuilt("greet.wasm")).unwrap());
    dir.write("slow.wasm", main(&format!("{spin}{write}"), 1));
    dir.write("trap.wasm", main("unreachable", 1));
    dir.write("big.wasm", main(&format!("{much}{write}"), 32));
    dir
}
