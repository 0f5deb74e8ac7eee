//! The response and its body.

use super::*;
use crate::base::limits::Limits;
use crate::host::component::fail::Fail;
use crate::host::streams::Stdin;
use crate::host::wasi::ctx::GuestEnv;

/// `error-code`, with a number of bytes.
fn body_size(bytes: u64) -> Value {
    Value::Variant(28, Some(Box::new(Value::some(Value::U64(bytes)))))
}

/// Answers with these fields and this body, at once or later, and gives what was printed.
fn printed(fields: &[(&str, &str)], body: &[u8], sets_first: bool) -> String {
    let mut world = world();
    let response = world.response(fields);
    let parts = world.body(response);
    let mut outcome = None;
    if sets_first {
        outcome = Some(world.send(response));
    }
    for piece in body.chunks(3) {
        assert_eq!(world.write(parts.1, piece), Value::ok(None));
    }
    assert_eq!(world.finish(parts), Value::ok(None));
    let outcome = outcome.unwrap_or_else(|| world.send(response));
    assert_eq!(check(&outcome), Ok(()));
    drop(outcome);
    assert_eq!((world.table.len(), world.table.account.bytes()), (0, 0));
    String::from_utf8(world.stdout()).unwrap()
}

#[test]
fn a_response_is_what_a_cgi_program_prints() {
    for sets_first in [true, false] {
        let fields = [("Content-Type", "text/x"), ("set-cookie", "a"), ("Set-Cookie", "b")];
        let expected =
            "Status: 200\r\nContent-Type: text/x\r\nset-cookie: a\r\nSet-Cookie: b\r\n\r\nhello, world";
        assert_eq!(printed(&fields, b"hello, world", sets_first), expected);
        assert_eq!(printed(&[], b"", sets_first), "Status: 200\r\n\r\n");
        // It would be the status.
        assert_eq!(printed(&[("Status", "404")], b"x", sets_first), "Status: 200\r\n\r\nx");
    }
}

#[test]
fn what_is_written_before_and_after_comes_in_order() {
    let mut world = world();
    let response = world.response(&[]);
    let parts = world.body(response);
    let large = vec![b'x'; 4096];
    for _ in 0..40 {
        assert_eq!(world.write(parts.1, &large), Value::ok(None));
    }
    assert_eq!(world.write(parts.1, b"early, "), Value::ok(None));
    assert!(world.ctx.files.stdout.room() == Limits::default().output_bytes, "nothing is written yet");
    let outcome = world.send(response);
    assert_eq!(world.write(parts.1, b"late"), Value::ok(None));
    assert_eq!(world.finish(parts), Value::ok(None));
    assert_eq!(check(&outcome), Ok(()));
    let out = world.stdout();
    assert_eq!(out.len(), 15 + 40 * 4096 + 11);
    assert!(out.starts_with(b"Status: 200\r\n\r\nxx") && out.ends_with(b"xxearly, late"));
}

#[test]
fn status_codes_are_those_of_final_responses() {
    let mut world = world();
    let response = world.response(&[]);
    for (code, is_valid) in [(0, false), (100, false), (199, false), (200, true), (599, true), (600, false)] {
        let set =
            world.http("[method]outgoing-response.set-status-code", &[borrow(response), Value::U16(code)]);
        assert_eq!(set, if is_valid { Value::ok(None) } else { Value::err(None) }, "{code}");
    }
    let code = world.http("[method]outgoing-response.status-code", &[borrow(response)]);
    assert_eq!(code, Value::U16(599));
    world.send(response);
    assert_eq!(world.stdout(), b"Status: 599\r\n\r\n");
}

#[test]
fn a_body_has_the_length_that_was_said() {
    for (written, whole) in [("1234", false), ("12345", true)] {
        let mut world = world();
        let response = world.response(&[("content-length", "5")]);
        let parts = world.body(response);
        let outcome = world.send(response);
        world.write(parts.1, written.as_bytes());
        if whole {
            // One byte more.
            let Value::Variant(1, Some(failed)) = world.write(parts.1, b"6") else { panic!() };
            let Value::Variant(0, Some(failed)) = *failed else { panic!("{failed:?}") };
            let code = world.http("http-error-code", &[borrow(rep(&failed))]);
            assert_eq!(code, Value::some(body_size(6)));
            assert_eq!(world.finish(parts), Value::ok(None));
            assert_eq!(check(&outcome), Ok(()));
        } else {
            assert_eq!(world.finish(parts), Value::err(body_size(4)));
            let Err(Stop::Convention(why)) = check(&outcome) else { panic!() };
            assert!(why.contains("4 bytes, but its content-length is 5"), "{why}");
        }
    }
}

#[test]
fn an_answer_to_head_needs_no_body() {
    let mut world = world();
    world.ctx.http = Some(HttpRun { is_head: true });
    let response = world.response(&[("content-length", "5")]);
    let parts = world.body(response);
    let outcome = world.send(response);
    assert_eq!(world.finish(parts), Value::ok(None));
    assert_eq!(check(&outcome), Ok(()));
    assert_eq!(world.stdout(), b"Status: 200\r\ncontent-length: 5\r\n\r\n");
}

#[test]
fn two_lengths_are_none() {
    let mut world = world();
    let response = world.response(&[("content-length", "5"), ("content-length", "05")]);
    world.body(response);
    let response = world.response(&[("content-length", "5"), ("content-length", "6")]);
    assert_eq!(world.http("[method]outgoing-response.body", &[borrow(response)]), Value::err(None));
}

#[test]
fn a_body_is_given_once_and_finished() {
    let mut world = world();
    let response = world.response(&[]);
    let (body, stream) = world.body(response);
    assert_eq!(world.http("[method]outgoing-response.body", &[borrow(response)]), Value::err(None));
    assert_eq!(world.http("[method]outgoing-body.write", &[borrow(body)]), Value::err(None));
    let finish = "[static]outgoing-body.finish";
    traps(world.call("wasi:http/types", finish, &[own(body), Value::NONE]), "before what was made of it");
    let outcome = world.send(response);
    // Left alone it ends with the run.
    assert_eq!(check(&outcome), Ok(()));
    world.table.drop(stream, &mut world.ctx).unwrap();
    world.table.drop(body, &mut world.ctx).unwrap();
    let Err(Stop::Convention(why)) = check(&outcome) else { panic!() };
    assert!(why.contains("dropped before it was finished"), "{why}");
}

#[test]
fn trailers_are_dropped() {
    let mut world = world();
    let response = world.response(&[]);
    let (body, stream) = world.body(response);
    world.send(response);
    world.table.drop(stream, &mut world.ctx).unwrap();
    let trailers = world.fields(&[("x-t", "1")]);
    let done = world.http("[static]outgoing-body.finish", &[own(body), Value::some(own(trailers))]);
    assert_eq!(done, Value::ok(None));
    assert!(world.table.is_empty());
    assert_eq!(world.stdout(), b"Status: 200\r\n\r\n");
}

#[test]
fn errors_and_silence_are_no_answers() {
    let mut world = world();
    let outcome = Outcome::default();
    let Err(Stop::Convention(why)) = outcome.check() else { panic!() };
    assert!(why.contains("without a response"), "{why}");
    let said = |text: &str| Value::Variant(38, Some(Box::new(Value::some(super::text(text)))));
    for (error, message) in [
        (Value::case(36), "it answered with the error loop-detected"),
        (Value::Variant(38, Some(Box::new(Value::NONE))), "it answered with the error internal-error"),
        (said("a\nb"), "it answered with the error internal-error: a\\nb"),
    ] {
        let outcome = world.set(Value::err(error));
        let Err(Stop::Failed { message: found, .. }) = check(&outcome) else { panic!() };
        assert_eq!(found, message);
    }
    let outcome = world.set(Value::err(said(&"\u{1b}".repeat(100_000))));
    let Err(Stop::Failed { message, .. }) = check(&outcome) else { panic!() };
    assert!(message.len() <= 1024, "{}", message.len());
    assert_eq!(world.stdout(), b"");
}

/// Fields of a request may be more than a response may have.
#[test]
fn a_head_that_no_reader_would_take_is_not_printed() {
    for (count, is_sent) in [(98, true), (99, true), (100, false)] {
        let mut world = world();
        let names: Vec<String> = (0..count).map(|n| format!("HTTP_X{n}")).collect();
        let mut given: Vec<(&str, &str)> = names.iter().map(|name| (&**name, "v")).collect();
        given.push(("REQUEST_METHOD", "GET"));
        let request = world.request(&given);
        let fields = world.http("[method]incoming-request.headers", &[borrow(request)]);
        let copy = world.http("[method]fields.clone", &[fields]);
        let response = rep(&world.http("[constructor]outgoing-response", &[copy]));
        let outcome = world.send(response);
        assert_eq!(check(&outcome).is_ok(), is_sent, "{count}");
        assert_eq!(world.stdout().is_empty(), !is_sent, "{count}");
    }
}

#[test]
fn the_output_limit_holds_for_bodies_that_wait() {
    let limits = Limits { output_bytes: 100, ..Limits::default() };
    let full = Fail::Stop(Stop::OutputFull { stream: "stdout", limit: 100 });
    let mut world = World::with(Stdin::Empty, &limits, GuestEnv::default());
    for (length, is_sent) in [(84, true), (85, true), (86, false)] {
        world = World::with(Stdin::Empty, &limits, GuestEnv::default());
        let response = world.response(&[]);
        let (_, stream) = world.body(response);
        assert_eq!(world.write(stream, &vec![b'x'; length]), Value::ok(None));
        let out = world.keep(ResponseOutparam::default());
        let args = [own(out), Value::ok(own(response))];
        let answer = world.call("wasi:http/types", "[static]response-outparam.set", &args);
        assert_eq!(answer, if is_sent { Ok(None) } else { Err(full.clone()) }, "{length}");
    }
    let response = world.response(&[]);
    let (_, stream) = world.body(response);
    let args = [borrow(stream), Value::Bytes(vec![b'x'; 101])];
    assert_eq!(world.stream("output-stream.blocking-write-and-flush", &args), Err(full));
}

#[test]
fn what_is_printed_is_no_part_of_the_response() {
    let mut world = world();
    let stdout = rep(&world.get("wasi:cli/stdout", "get-stdout", &[]));
    assert_eq!(world.write(stdout, b"aside"), Value::ok(None));
    let response = world.response(&[]);
    world.send(response);
    let World { ctx, .. } = world;
    assert_eq!(ctx.files.stdout.into_bytes(), b"Status: 200\r\n\r\n");
    assert_eq!(ctx.files.stderr.into_bytes(), b"aside");
}

#[test]
fn there_are_no_informational_responses() {
    let mut world = world();
    let out = world.keep(ResponseOutparam::default());
    for (status, code) in [
        (99, Value::case(35)),
        (100, Value::Variant(38, Some(Box::new(Value::NONE)))),
        (199, Value::Variant(38, Some(Box::new(Value::NONE)))),
        (200, Value::case(35)),
    ] {
        let fields = world.fields(&[]);
        let args = [borrow(out), Value::U16(status), own(fields)];
        assert_eq!(world.http("[method]response-outparam.send-informational", &args), Value::err(code));
    }
    assert_eq!(world.table.len(), 1);
}
