//! Jobs: each is done, its result is stored once, and what fails is a dead letter.

use super::queue::{Queue, STREAM, Stored, node, plugins, serve};
use super::{Nats, PATIENCE, block_on};
use fuelbox::fleet::jobs::setup;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

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

#[test]
fn a_job_whose_result_is_there_is_not_stored_again() {
    let Some(nats) = Nats::start() else { return };
    let dir = plugins();
    block_on(async {
        let queue = Queue::new(&nats).await;
        for name in ["kept", "other"] {
            queue.publish("fuelbox.jobs.greet.greet", &[("Nats-Msg-Id", name)], name).await;
        }
        // As a node leaves it that dies between the result and the acknowledgement.
        let jobs = queue.context.get_stream(STREAM).await.unwrap();
        let published = jobs.get_raw_message(1).await.unwrap().time.unix_timestamp_nanos();
        let fields = [("Nats-Msg-Id", &*format!("{STREAM}.1.{published}")), ("Fuelbox-Job-Id", "kept")];
        queue.publish("fuelbox.results.greet.greet", &fields, "first").await;
        let _node = node(&nats, "a", &dir.0);
        queue.emptied().await;
        let results = queue.stored("results").await;
        let told: Vec<(&str, &[u8])> = results.iter().map(|stored| (&*stored.job, &*stored.body)).collect();
        assert_eq!(told, [("kept", &b"first"[..]), ("other", b"Hello, other")]);
    });
}
