//! Trailers of responses.

use super::streams;
use crate::support::{Client, Server};
use fuelbox::Limits;
use fuelbox::base::limits::DoorLimits;

const TAKES: (&str, &str) = ("TE", "trailers");

fn get(server: &Server, steps: &str, fields: &[(&str, &str)]) -> crate::support::Reply {
    Client::connect(server.address).ask("GET", &format!("/execute/s/{steps}"), fields, b"")
}

#[test]
fn trailers_come_behind_the_body_for_those_who_take_them() {
    for (server, _dir) in streams(&Limits::default(), &DoorLimits::default()) {
        for steps in ["say-one", "say-one/sleep-20", "sleep-20/say-one", "say-one/sleep-20/finish/sleep-20"] {
            let steps = format!("trailer-x-sum-42/trailer-grpc-status-0/{steps}");
            let reply = get(&server, &steps, &[TAKES]);
            assert_eq!(
                (&*reply.text(), &*reply.trailers),
                ("one\n", "x-sum: 42\ngrpc-status: 0\n"),
                "{steps}"
            );
            assert_eq!(reply.header("content-length"), None);
            let reply = get(&server, &steps, &[("TE", "gzip")]);
            assert_eq!((&*reply.text(), &*reply.trailers), ("one\n", ""), "{steps}");
        }
        // What is known before the head is sent is announced.
        let reply = get(&server, "trailer-x-sum-42/trailer-grpc-status-0", &[TAKES]);
        assert_eq!(reply.header("trailer"), Some("x-sum, grpc-status"));
        assert_eq!((&*reply.text(), &*reply.trailers), ("", "x-sum: 42\ngrpc-status: 0\n"));
        // A body with a length has no place for them, once it was begun.
        let reply = get(&server, "length-4/trailer-x-sum-42/say-one/sleep-20", &[TAKES]);
        assert_eq!((&*reply.text(), reply.header("content-length")), ("one\n", Some("4")));
        for status in [204, 304] {
            let reply = get(&server, &format!("status-{status}/trailer-x-sum-42"), &[TAKES]);
            assert_eq!((reply.status, reply.header("transfer-encoding")), (status, None));
        }
    }
}

#[test]
fn what_concerns_the_message_is_left_out() {
    for (server, _dir) in streams(&Limits::default(), &DoorLimits::default()) {
        let names =
            ["content-length-5", "content-type-text", "set-cookie-a", "server-x", "location-x", "date-x"];
        let bad: String = names.map(|name| format!("trailer-{name}/")).concat();
        for end in ["say-one", "say-one/sleep-20"] {
            let reply = get(&server, &format!("{bad}trailer-x-good-1/{end}"), &[TAKES]);
            assert_eq!((&*reply.text(), &*reply.trailers), ("one\n", "x-good: 1\n"), "{reply:?}");
        }
        // The host refuses these: the guest is told.
        for name in ["transfer-encoding-chunked", "trailer-x", "host-x"] {
            assert_eq!(
                get(&server, &format!("trailer-{name}/say-one"), &[TAKES]).problem(),
                "trap",
                "{name}"
            );
        }
    }
}

#[test]
fn as_many_as_header_fields() {
    for (server, _dir) in streams(&Limits::default(), &DoorLimits::default()) {
        for (count, is_sent) in [(98, true), (99, true), (100, false)] {
            let steps: String = (0..count).map(|n| format!("trailer-x{n}-1/")).collect();
            let reply = get(&server, &format!("{steps}say-one/sleep-20"), &[TAKES]);
            assert_eq!(reply.status, if is_sent { 200 } else { 500 }, "{count}");
            assert_eq!(reply.trailers.lines().count(), if is_sent { count } else { 0 });
        }
    }
}
