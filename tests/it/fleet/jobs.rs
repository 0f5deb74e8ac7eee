//! Jobs: each is done, its result is stored once, and what fails is a dead letter.

use super::{Nats, PATIENCE, block_on};
use crate::support::{Serve, TempDir, fuelbox_command, prebuilt, runner_config, wat};
use async_nats::HeaderMap;
use async_nats::jetstream::consumer::pull;
use async_nats::jetstream::{self, Context};
use fuelbox::Runner;
use fuelbox::fleet::jobs::setup;
use fuelbox::fleet::{Access, Fleet, FleetConfig};
use fuelbox::gateway::{Gateway, GatewayConfig};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

const STREAM: &str = "jobs";

/// A client, and the streams that it made.
struct Queue {
    context: Context,
}

/// What is in a stream of results or dead letters.
#[derive(Debug)]
struct Stored {
    job: String,
    subject: String,
    fields: HeaderMap,
    body: Vec<u8>,
}

impl Stored {
    fn field(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", |value| value.as_str())
    }
}

impl Queue {
    async fn connect(nats: &Nats) -> Queue {
        Queue { context: jetstream::new(async_nats::connect(&nats.url()).await.unwrap()) }
    }

    async fn new(nats: &Nats) -> Queue {
        let queue = Queue::connect(nats).await;
        let made = setup::create_jobs(&queue.context.client(), STREAM, 1).await.unwrap();
        assert_eq!(made.len(), 4, "{made:?}");
        queue
    }

    async fn publish(&self, subject: &str, fields: &[(&str, &str)], body: impl Into<Vec<u8>>) {
        let mut headers = HeaderMap::new();
        fields.iter().for_each(|(name, value)| headers.append(*name, *value));
        let body = body.into().into();
        let sent = self.context.publish_with_headers(subject.to_string(), headers, body).await.unwrap();
        sent.await.unwrap();
    }

    async fn messages(&self, stream: &str) -> u64 {
        self.context.get_stream(stream).await.map_or(0, |stream| stream.cached_info().state.messages)
    }

    /// Waits until no job is left.
    async fn emptied(&self) {
        let until = Instant::now() + PATIENCE;
        while self.messages(STREAM).await > 0 {
            assert!(Instant::now() < until, "{} jobs are left", self.messages(STREAM).await);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn stored(&self, what: &str) -> Vec<Stored> {
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
    async fn set_ack_wait(&self, ack_wait: Duration) {
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
struct Node {
    gateway: Option<Gateway>,
    fleet: Option<Fleet>,
}

fn node(nats: &Nats, name: &str, plugins: &Path) -> Node {
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
fn serve(nats: &Nats, name: &str, plugins: &Path) -> Serve {
    let mut command = fuelbox_command(plugins, &["serve", "--listen", "127.0.0.1:0", "--workers", "2"]);
    command.args(crate::support::isolation_flags());
    command.arg("--plugins").arg(plugins);
    command.args(["--nats", &nats.url(), "--nats-node", name, "--nats-jobs", STREAM]);
    Serve::spawn(command)
}

/// `greet`; `slow`, which takes a while; `trap`; `big`, whose output is more than a message holds.
fn plugins() -> TempDir {
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

#[test]
fn each_job_is_done_once() {
    let Some(nats) = Nats::start() else { return };
    let dir = plugins();
    block_on(async {
        let queue = Queue::new(&nats).await;
        // The same settings once more are no change.
        let again = setup::create_jobs(&queue.context.client(), STREAM, 1).await.unwrap();
        assert_eq!(again, [""; 0]);
        for n in 0..200 {
            let id = format!("job-{n}");
            queue.publish("fuelbox.jobs.greet.greet", &[("Nats-Msg-Id", &id)], format!("n{n}")).await;
        }
    });
    let nodes = [node(&nats, "a", &dir.0), node(&nats, "b", &dir.0)];
    block_on(async {
        let queue = Queue::connect(&nats).await;
        queue.emptied().await;
        let results = queue.stored("results").await;
        let by_job: BTreeMap<&str, &Stored> = results.iter().map(|stored| (&*stored.job, stored)).collect();
        assert_eq!((results.len(), by_job.len(), queue.messages("jobs-dead").await), (200, 200, 0));
        for n in 0..200 {
            let stored = by_job[&*format!("job-{n}")];
            let expected = format!("Hello, n{n}");
            assert!(stored.body.starts_with(expected.as_bytes()), "{stored:?}");
            assert_eq!(
                (stored.field("Fuelbox-Status"), &*stored.subject),
                ("200", "fuelbox.results.greet.greet")
            );
        }
        let by_node = |name| results.iter().filter(|stored| stored.field("Fuelbox-Node") == name).count();
        assert!(by_node("a") > 0 && by_node("b") > 0, "{} and {}", by_node("a"), by_node("b"));
    });
    drop(nodes);
}

#[test]
fn what_fails_is_a_dead_letter_with_its_problem() {
    let Some(nats) = Nats::start() else { return };
    let dir = plugins();
    let _node = node(&nats, "a", &dir.0);
    block_on(async {
        let queue = Queue::new(&nats).await;
        let jobs: [(&str, &[(&str, &str)]); 6] = [
            ("fuelbox.jobs.trap", &[("Nats-Msg-Id", "trap"), ("A", "kept")]),
            ("fuelbox.jobs.nobody", &[("Nats-Msg-Id", "nobody")]),
            ("fuelbox.jobs.big", &[("Nats-Msg-Id", "big")]),
            ("fuelbox.jobs.%ZZ", &[("Nats-Msg-Id", "token")]),
            ("fuelbox.jobs.a.b.c", &[("Nats-Msg-Id", "tokens")]),
            ("fuelbox.jobs.greet", &[("Nats-Msg-Id", "header"), ("Fuelbox-Timeout", "soon")]),
        ];
        for (subject, fields) in jobs {
            queue.publish(subject, fields, "in").await;
        }
        queue.publish("fuelbox.jobs.greet.greet", &[("Fuelbox-Job-Id", "good")], "you").await;
        queue.emptied().await;
        let dead = queue.stored("dead").await;
        let mut told: Vec<(&str, &str, &str, &str)> = dead
            .iter()
            .map(|d| {
                (
                    &*d.job,
                    d.field("Fuelbox-Status"),
                    d.field("Fuelbox-Problem"),
                    d.field("Fuelbox-Deliveries"),
                )
            })
            .collect();
        told.sort_unstable();
        let expected = [
            ("big", "500", "urn:fuelbox:problem:output-full", "1"),
            ("header", "400", "urn:fuelbox:problem:bad-request", "1"),
            ("nobody", "404", "urn:fuelbox:problem:no-such-plugin", "5"),
            ("token", "400", "urn:fuelbox:problem:bad-request", "1"),
            ("tokens", "400", "urn:fuelbox:problem:bad-request", "1"),
            ("trap", "500", "urn:fuelbox:problem:trap", "5"),
        ];
        assert_eq!(told, expected, "{dead:#?}");
        let of = |job| dead.iter().find(|dead| dead.job == job).unwrap();
        let trap = of("trap");
        assert_eq!((&*trap.subject, &*trap.body, trap.field("A")), ("fuelbox.dead.trap", &b"in"[..], "kept"));
        assert_eq!(
            (&*of("token").subject, &*of("tokens").subject),
            ("fuelbox.dead.%ZZ", "fuelbox.dead.a.b.c")
        );
        assert!(of("big").field("Fuelbox-Detail").contains("max_payload"), "{:?}", of("big"));
        assert!(of("header").field("Fuelbox-Detail").contains("Fuelbox-Timeout"));
        let results = queue.stored("results").await;
        assert_eq!((results.len(), &*results[0].job, &*results[0].body), (1, "good", &b"Hello, you"[..]));
    });
}

#[test]
fn the_largest_job_is_a_job_and_can_be_a_dead_letter() {
    let Some(nats) = Nats::start() else { return };
    let dir = plugins();
    let _node = node(&nats, "a", &dir.0);
    block_on(async {
        let queue = Queue::new(&nats).await;
        let stream = queue.context.get_stream(STREAM).await.unwrap();
        let most = usize::try_from(stream.cached_info().config.max_message_size).unwrap();
        assert!(most > 1_000_000);
        let sizes = [("less", most - 1), ("most", most), ("more", most + 1)];
        for (name, size) in sizes {
            let sent = queue.context.publish(format!("fuelbox.jobs.{name}"), vec![b'x'; size].into()).await;
            assert_eq!(sent.unwrap().await.is_ok(), size <= most, "{size}");
        }
        queue.emptied().await;
        let mut bodies: Vec<usize> = queue.stored("dead").await.iter().map(|dead| dead.body.len()).collect();
        bodies.sort_unstable();
        assert_eq!(bodies, [most - 1, most]);
    });
}

#[test]
fn nothing_is_lost_or_stored_twice_when_nodes_are_killed() {
    const JOBS: usize = 200;
    let Some(nats) = Nats::start() else { return };
    let dir = plugins();
    block_on(async {
        let queue = Queue::new(&nats).await;
        queue.set_ack_wait(Duration::from_secs(1)).await;
        for n in 0..JOBS {
            queue.publish("fuelbox.jobs.slow", &[("Nats-Msg-Id", &format!("job-{n}"))], "").await;
        }
    });
    // The first dies with jobs in its hands, and so do those after it; the last one goes on.
    let mut most = 0;
    for name in ["a", "b", "c"] {
        let mut server = serve(&nats, name, &dir.0);
        most = block_on(async {
            let queue = Queue::connect(&nats).await;
            let until = Instant::now() + PATIENCE;
            loop {
                let stored = queue.messages("jobs-results").await;
                if stored >= most + 20 || Instant::now() > until {
                    break stored;
                }
            }
        });
        server.child.kill().unwrap();
    }
    assert!((60..JOBS as u64).contains(&most), "the kills came in the middle: {most}");
    let last = serve(&nats, "d", &dir.0);
    block_on(async {
        let queue = Queue::connect(&nats).await;
        queue.emptied().await;
        let results = queue.stored("results").await;
        let mut jobs: Vec<&str> = results.iter().map(|stored| &*stored.job).collect();
        jobs.sort_unstable();
        jobs.dedup();
        assert_eq!((results.len(), jobs.len(), queue.messages("jobs-dead").await), (JOBS, JOBS, 0));
        assert!(results.iter().all(|stored| stored.body == b"done"));
    });
    drop(last);
}

#[test]
fn no_job_ends_while_its_result_cannot_be_stored() {
    let Some(nats) = Nats::start() else { return };
    let dir = plugins();
    let _node = node(&nats, "a", &dir.0);
    block_on(async {
        let queue = Queue::new(&nats).await;
        // The node has found all that it needs.
        queue.publish("fuelbox.jobs.greet.greet", &[], "first").await;
        queue.emptied().await;
        queue.context.delete_stream("jobs-results").await.unwrap();
        for n in 0..20 {
            queue.publish("fuelbox.jobs.greet.greet", &[], format!("{n}")).await;
        }
        // Until results have nowhere to go.
        let until = Instant::now() + PATIENCE;
        loop {
            let stream = queue.context.get_stream(STREAM).await.unwrap();
            let consumer = stream.consumer_info("fuelbox").await.unwrap();
            if consumer.num_ack_pending > 0 {
                break;
            }
            assert!(Instant::now() < until, "the node takes no job: {consumer:?}");
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert_eq!(queue.messages(STREAM).await, 20);
        let made = setup::create_jobs(&queue.context.client(), STREAM, 1).await.unwrap();
        assert_eq!(made, ["stream jobs-results: made"]);
        queue.emptied().await;
        let mut bodies: Vec<Vec<u8>> =
            queue.stored("results").await.into_iter().map(|stored| stored.body).collect();
        bodies.sort_unstable();
        let mut expected: Vec<Vec<u8>> = (0..20).map(|n| format!("Hello, {n}").into_bytes()).collect();
        expected.sort_unstable();
        assert_eq!(bodies, expected);
        assert_eq!(queue.messages("jobs-dead").await, 0);
    });
}

#[test]
fn a_node_that_leaves_has_ended_what_it_began() {
    let Some(nats) = Nats::start() else { return };
    let dir = plugins();
    let first = node(&nats, "a", &dir.0);
    block_on(async {
        let queue = Queue::new(&nats).await;
        for n in 0..40 {
            queue.publish("fuelbox.jobs.slow", &[("Nats-Msg-Id", &format!("job-{n}"))], "").await;
        }
        while queue.messages("jobs-results").await < 5 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    drop(first);
    block_on(async {
        let queue = Queue::connect(&nats).await;
        // What it had is acknowledged or given back: nobody waits for it.
        let (stored, left) = (queue.messages("jobs-results").await, queue.messages(STREAM).await);
        assert_eq!(stored + left, 40, "{stored} and {left}");
        assert!(left > 0, "it left in the middle");
        let _second = node(&nats, "b", &dir.0);
        queue.emptied().await;
        assert_eq!((queue.messages("jobs-results").await, queue.messages("jobs-dead").await), (40, 0));
    });
}
