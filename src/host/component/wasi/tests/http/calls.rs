//! Calls out: requests of a guest that may send them, and their responses.

use super::*;
use crate::base::limits::Limits;
use crate::host::component::function::Fail;
use crate::host::outbound::message::{Answered, OutRequest, OutResponse, Refusal, Why};
use crate::host::outbound::way::Remote;
use crate::host::streams::Stdin;
use crate::host::wasi::ctx::GuestEnv;
use std::time::{Duration, Instant};

/// Answers each call with this, and keeps what it was asked.
#[derive(Debug)]
struct Fake {
    answer: Result<Answered, Refusal>,
    asked: Mutex<Vec<(OutRequest, Vec<u8>)>>,
}

impl Remote for Fake {
    fn call(&self, request: &OutRequest, body: &[u8], _: Option<Instant>) -> Result<Answered, Refusal> {
        self.asked.lock().unwrap().push((request.clone(), body.to_vec()));
        self.answer.clone()
    }
}

fn answering(answer: Result<Answered, Refusal>, limits: &Limits) -> (World, Arc<Fake>) {
    let fake = Arc::new(Fake { answer, asked: Mutex::default() });
    let remote: Arc<dyn Remote> = fake.clone();
    let env = GuestEnv { remote: Some(remote), ..GuestEnv::default() };
    (World::with(Stdin::Empty, limits, env), fake)
}

fn response(body: &str) -> Result<Answered, Refusal> {
    let fields = [("x-answer", "1"), ("connection", "close"), ("x-answer", "2")];
    let headers = fields.map(|(name, value)| (name.to_string(), value.as_bytes().to_vec())).to_vec();
    Ok((OutResponse { status: 203, headers }, body.as_bytes().to_vec()))
}

impl World {
    /// Calls what may wait for a response: first it asks that others be seen to.
    fn slow(&mut self, interface: &str, name: &str, args: &[Value]) -> Value {
        let first = self.call(interface, name, args);
        assert!(matches!(first, Err(Fail::Wait(wait)) if wait.until.is_some()), "{first:?}");
        self.get(interface, name, args)
    }

    fn outgoing(&mut self, authority: &str, path: &str) -> u32 {
        let fields = self.fields(&[("x-a", "1")]);
        let request = rep(&self.http("[constructor]outgoing-request", &[own(fields)]));
        let set = |part: &str| format!("[method]outgoing-request.set-{part}");
        let some = |value| [borrow(request), Value::some(value)];
        assert_eq!(self.http(&set("authority"), &some(text(authority))), Value::ok(None));
        assert_eq!(self.http(&set("path-with-query"), &some(text(path))), Value::ok(None));
        request
    }

    fn get_response(&mut self, future: u32) -> Value {
        self.http("[method]future-incoming-response.get", &[borrow(future)])
    }
}

const HANDLER: &str = "wasi:http/outgoing-handler";

#[test]
fn a_request_without_a_body_is_sent_at_once() {
    let (mut world, fake) = answering(response("the body"), &Limits::default());
    let request = world.outgoing("a.example:8443", "/x?y");
    let options = rep(&world.http("[constructor]request-options", &[]));
    let time = [borrow(options), Value::some(Value::U64(7))];
    assert_eq!(world.http("[method]request-options.set-first-byte-timeout", &time), Value::ok(None));
    let future = rep(&ok(world.slow(HANDLER, "handle", &[own(request), Value::some(own(options))])));
    let (sent, body) = fake.asked.lock().unwrap()[0].clone();
    assert_eq!(
        (sent.method.as_str(), sent.url.as_str(), body.as_slice()),
        ("GET", "https://a.example:8443/x?y", &b""[..])
    );
    assert_eq!((sent.headers, sent.follows), (vec![("x-a".into(), b"1".to_vec())], false));
    assert_eq!(sent.times, [None, Some(Duration::from_nanos(7)), None]);
    let pollable = rep(&world.http("[method]future-incoming-response.subscribe", &[borrow(future)]));
    assert_eq!(world.get("wasi:io/poll", "[method]pollable.ready", &[borrow(pollable)]), Value::Bool(true));
    let got = ok(ok(some(world.get_response(future))));
    // There is one.
    assert_eq!(world.get_response(future), Value::some(Value::err(None)));
    let incoming = rep(&got);
    assert_eq!(world.http("[method]incoming-response.status", &[borrow(incoming)]), Value::U16(203));
    let headers = rep(&world.http("[method]incoming-response.headers", &[borrow(incoming)]));
    let values = world.http("[method]fields.get", &[borrow(headers), text("X-Answer")]);
    assert_eq!(values, list(&["1", "2"]));
    assert_eq!(world.http("[method]fields.has", &[borrow(headers), text("connection")]), Value::Bool(false));
    let delete = world.http("[method]fields.delete", &[borrow(headers), text("x-answer")]);
    assert_eq!(delete, error(2));
    let body = rep(&ok(world.http("[method]incoming-response.consume", &[borrow(incoming)])));
    assert_eq!(world.http("[method]incoming-response.consume", &[borrow(incoming)]), Value::err(None));
    let stream = rep(&ok(world.http("[method]incoming-body.stream", &[borrow(body)])));
    assert_eq!(world.http("[method]incoming-body.stream", &[borrow(body)]), Value::err(None));
    for (len, piece) in [(3, "the"), (99, " body")] {
        let read = world.of_stream("input-stream.read", &[borrow(stream), Value::U64(len)]);
        assert_eq!(read, Value::ok(bytes(piece)));
    }
    assert_eq!(world.of_stream("input-stream.read", &[borrow(stream), Value::U64(1)]), error(1));
    for resource in [stream, body, headers, incoming, pollable, future] {
        world.table.drop(resource, &mut world.ctx).unwrap();
    }
    assert_eq!((world.table.len(), world.table.account.bytes(), world.table.responses.bytes()), (0, 0, 0));
}

#[test]
fn a_request_is_sent_when_its_body_is_finished() {
    for is_finished_before in [false, true] {
        let (mut world, fake) = answering(response(""), &Limits::default());
        let request = world.outgoing("a.example", "/");
        let body = rep(&ok(world.http("[method]outgoing-request.body", &[borrow(request)])));
        let stream = rep(&ok(world.http("[method]outgoing-body.write", &[borrow(body)])));
        assert_eq!(world.write(stream, b"one "), Value::ok(None));
        let future = if is_finished_before {
            assert_eq!(world.write(stream, b"two"), Value::ok(None));
            assert_eq!(world.finish((body, stream)), Value::ok(None));
            rep(&ok(world.slow(HANDLER, "handle", &[own(request), Value::NONE])))
        } else {
            let future = rep(&ok(world.get(HANDLER, "handle", &[own(request), Value::NONE])));
            assert!(fake.asked.lock().unwrap().is_empty());
            assert_eq!(world.get_response(future), Value::NONE);
            let pollable = rep(&world.http("[method]future-incoming-response.subscribe", &[borrow(future)]));
            let blocked = world.call("wasi:io/poll", "[method]pollable.block", &[borrow(pollable)]);
            assert!(matches!(blocked, Err(Fail::Wait(_))), "{blocked:?}");
            assert_eq!(world.write(stream, b"two"), Value::ok(None));
            world.table.drop(stream, &mut world.ctx).unwrap();
            let args = [own(body), Value::NONE];
            assert_eq!(world.slow("wasi:http/types", "[static]outgoing-body.finish", &args), Value::ok(None));
            future
        };
        assert_eq!(fake.asked.lock().unwrap()[0].1, b"one two");
        ok(ok(some(world.get_response(future))));
    }
}

#[test]
fn a_body_that_is_not_finished_sends_nothing() {
    let (mut world, fake) = answering(response(""), &Limits::default());
    let request = world.outgoing("a.example", "/");
    let body = rep(&ok(world.http("[method]outgoing-request.body", &[borrow(request)])));
    let future = rep(&ok(world.get(HANDLER, "handle", &[own(request), Value::NONE])));
    world.table.drop(body, &mut world.ctx).unwrap();
    assert_eq!(ok(some(world.get_response(future))), error(35));
    let (mut world, _) = answering(response(""), &Limits { output_bytes: 3, ..Limits::default() });
    let request = world.outgoing("a.example", "/");
    let body = rep(&ok(world.http("[method]outgoing-request.body", &[borrow(request)])));
    let stream = rep(&ok(world.http("[method]outgoing-body.write", &[borrow(body)])));
    assert_eq!(world.write(stream, b"123"), Value::ok(None));
    assert!(matches!(world.write(stream, b"4"), Value::Variant(1, _)), "more than the output may have");
    assert!(fake.asked.lock().unwrap().is_empty());
}

#[test]
fn each_reason_has_its_error_code() {
    for (why, case) in [
        (Why::Denied, 15),
        (Why::Address, 4),
        (Why::Calls, 11),
        (Why::Url, 19),
        (Why::Method, 18),
        (Why::Connect, 6),
        (Why::ConnectTime, 8),
        (Why::Ended, 7),
        (Why::Time, 33),
        (Why::Tls, 12),
        (Why::Certificate, 13),
        (Why::Redirects, 36),
        (Why::Protocol, 35),
    ] {
        let (mut world, _) = answering(Err(Refusal::new(why, "why")), &Limits::default());
        let request = world.outgoing("a.example", "/");
        let future = rep(&ok(world.slow(HANDLER, "handle", &[own(request), Value::NONE])));
        assert_eq!(ok(some(world.get_response(future))), error(case), "{why:?}");
    }
    for (why, case) in [
        (Why::Name, 1),
        (Why::RequestSize, 17),
        (Why::HeadSize, 26),
        (Why::ResponseSize, 28),
        (Why::Host, 38),
    ] {
        let (mut world, _) = answering(Err(Refusal::new(why, "why")), &Limits::default());
        let request = world.outgoing("a.example", "/");
        let future = rep(&ok(world.slow(HANDLER, "handle", &[own(request), Value::NONE])));
        let told = ok(some(world.get_response(future)));
        assert!(
            matches!(&told, Value::Variant(1, Some(code)) if matches!(**code, Value::Variant(own, Some(_)) if own == case)),
            "{told:?}"
        );
    }
}

#[test]
fn responses_that_are_kept_have_a_limit() {
    let limits = Limits { input_bytes: 700_000, output_bytes: 0, ..Limits::default() };
    let (mut world, _) = answering(response(&"a".repeat(700_000)), &limits);
    let mut results = Vec::new();
    for _ in 0..3 {
        let request = world.outgoing("a.example", "/");
        let future = rep(&ok(world.slow(HANDLER, "handle", &[own(request), Value::NONE])));
        results.push(matches!(some(world.get_response(future)), Value::Variant(0, Some(got)) if matches!(*got, Value::Variant(0, _))));
    }
    assert_eq!(results, [true, true, false]);
}

/// What is in `some(..)`.
fn some(value: Value) -> Value {
    match value {
        Value::Variant(1, Some(value)) => *value,
        other => panic!("nothing: {other:?}"),
    }
}
