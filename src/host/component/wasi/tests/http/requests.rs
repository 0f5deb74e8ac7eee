//! The request that is answered: out of a CGI program's environment, and standard input.

use super::*;
use crate::host::component::wasi::http::head::{Variables, is_request};
use crate::host::streams::Stdin;

fn variables(pairs: &[(&str, &str)]) -> Variables {
    pairs.iter().map(|(name, value)| (name.as_bytes().to_vec(), value.as_bytes().to_vec())).collect()
}

fn get(world: &mut World, request: u32, what: &str) -> Value {
    world.http(&format!("[method]incoming-request.{what}"), &[borrow(request)])
}

#[test]
fn without_a_request_it_is_a_get_and_all_variables_are_the_guests() {
    let given = [("HTTP_X", "1"), ("PATH_INFO", "/x"), ("A", "b")];
    let mut left = variables(&given);
    assert!(!is_request(&left));
    let head = Head::take(&mut left);
    assert_eq!((&*head.method, &*head.path, head.scheme, head.length), ("GET", "/", "http", None));
    assert_eq!((&*head.authority, head.headers.entries().len()), ("localhost", 0));
    assert_eq!(left, variables(&given));
}

#[test]
fn variables_of_a_request_are_not_the_guests() {
    let mut given = variables(&[
        ("GATEWAY_INTERFACE", "CGI/1.1"),
        ("REQUEST_METHOD", "POST"),
        ("A", "b"),
        ("X_FULL_URL", "http://h/"),
        ("HTTP_X_Y", "1"),
        ("HTTPX", "2"),
        ("REMOTE_ADDR", "::1"),
    ]);
    let head = Head::take(&mut given);
    assert_eq!(given, variables(&[("A", "b"), ("HTTPX", "2")]));
    assert_eq!(head.headers.entries(), [("x-y".to_string(), b"1".to_vec())]);
}

#[test]
fn the_target_is_as_the_client_wrote_it() {
    for (raw, path, query, expected) in [
        ("", "", "", "/"),
        ("/a%20b", "/a b", "x=%31", "/a%20b?x=%31"),
        ("", "/a b%?#é", "", "/a%20b%25%3F%23%C3%A9"),
        ("/x", "", "?&#\u{1}", "/x??&%23%01"),
        ("x", "", "", "/x"),
    ] {
        let given = [
            ("REQUEST_METHOD", "GET"),
            ("X_RAW_PATH_INFO", raw),
            ("PATH_INFO", path),
            ("QUERY_STRING", query),
        ];
        assert_eq!(Head::take(&mut variables(&given)).path, expected, "{raw} {path} {query}");
    }
}

#[test]
fn a_request_has_its_parts() {
    let mut world = world();
    let given = [
        ("REQUEST_METHOD", "PATCH"),
        ("HTTPS", "on"),
        ("HTTP_HOST", "example.org:81"),
        ("HTTP_CONNECTION", "close"),
        ("CONTENT_TYPE", "text/x"),
        ("CONTENT_LENGTH", "3"),
        ("HTTP_BAD(NAME", "x"),
        ("HTTP_BAD", "a\nb"),
    ];
    let request = world.request(&given);
    assert_eq!(get(&mut world, request, "method"), Value::case(8));
    assert_eq!(get(&mut world, request, "scheme"), Value::some(Value::case(1)));
    assert_eq!(get(&mut world, request, "authority"), Value::some(text("example.org:81")));
    assert_eq!(get(&mut world, request, "path-with-query"), Value::some(text("/")));
    let fields = rep(&get(&mut world, request, "headers"));
    let all = world.http("[method]fields.entries", &[borrow(fields)]);
    assert_eq!(all, pairs(&[("content-type", "text/x"), ("content-length", "3")]));
}

#[test]
fn methods_and_schemes_are_cases() {
    let names = ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"];
    let mut world = world();
    for (case, name) in names.into_iter().enumerate() {
        let request = world.request(&[("REQUEST_METHOD", name)]);
        assert_eq!(get(&mut world, request, "method"), Value::case(case as u32), "{name}");
    }
    let request = world.request(&[("REQUEST_METHOD", "get")]);
    assert_eq!(get(&mut world, request, "method"), Value::Variant(9, Some(Box::new(text("get")))));
    assert_eq!(get(&mut world, request, "scheme"), Value::some(Value::case(0)));
    assert_eq!(get(&mut world, request, "authority"), Value::some(text("localhost")));
}

#[test]
fn the_body_is_standard_input_once() {
    let mut world = World::new(Stdin::Bytes(b"hello".to_vec()));
    world.ctx.http = Some(HttpRun { is_head: false });
    let request = world.request(&[("REQUEST_METHOD", "POST"), ("CONTENT_LENGTH", "4")]);
    let body = rep(&ok(get(&mut world, request, "consume")));
    assert_eq!(get(&mut world, request, "consume"), Value::err(None));
    let stream = rep(&ok(world.http("[method]incoming-body.stream", &[borrow(body)])));
    assert_eq!(world.http("[method]incoming-body.stream", &[borrow(body)]), Value::err(None));
    let read =
        |world: &mut World, len| world.of_stream("input-stream.read", &[borrow(stream), Value::U64(len)]);
    assert_eq!(read(&mut world, 3), Value::ok(bytes("hel")));
    // What follows is not the body's.
    assert_eq!(read(&mut world, 3), Value::ok(bytes("l")));
    assert_eq!(read(&mut world, 3), super::super::closed());
    let finish =
        |world: &mut World| world.call("wasi:http/types", "[static]incoming-body.finish", &[own(body)]);
    traps(finish(&mut world), "before what was made of it");
    world.table.drop(stream, &mut world.ctx).unwrap();
    let trailers = rep(&finish(&mut world).unwrap().unwrap());
    let pollable = rep(&world.http("[method]future-trailers.subscribe", &[borrow(trailers)]));
    assert_eq!(world.get("wasi:io/poll", "[method]pollable.ready", &[borrow(pollable)]), Value::Bool(true));
    let got = |world: &mut World| world.http("[method]future-trailers.get", &[borrow(trailers)]);
    assert_eq!(got(&mut world), Value::some(Value::ok(Value::ok(Value::NONE))));
    assert_eq!(got(&mut world), Value::some(Value::err(None)));
    // Standard input itself is empty for the guest.
    let stdin = rep(&world.get("wasi:cli/stdin", "get-stdin", &[]));
    let read = world.of_stream("input-stream.blocking-read", &[borrow(stdin), Value::U64(1)]);
    assert_eq!(read, super::super::closed());
}

#[test]
fn a_body_is_waited_for() {
    let (send, receive) = std::sync::mpsc::channel();
    let mut world = World::new(Stdin::Pipe(receive));
    let request = world.request(&[]);
    let body = rep(&ok(get(&mut world, request, "consume")));
    let stream = rep(&ok(world.http("[method]incoming-body.stream", &[borrow(body)])));
    let args = [borrow(stream), Value::U64(9)];
    assert_eq!(world.stream("input-stream.blocking-read", &args), FOR_INPUT);
    send.send(b"late".to_vec()).unwrap();
    assert_eq!(world.of_stream("input-stream.blocking-read", &args), Value::ok(bytes("late")));
    drop(send);
    assert_eq!(world.of_stream("input-stream.blocking-read", &args), super::super::closed());
}
