//! Handlers that are made by hand: what they may do, and how a run ends.

use super::{handler, run, wat};
use crate::support::wat as compile;
use fuelbox::{Limits, Program, Stop};

const GET: &[(&str, &str)] = &[("REQUEST_METHOD", "GET")];

fn convention(body: &str) -> String {
    match run(&handler(body), GET, b"") {
        Err(Stop::Convention(why)) => why,
        other => panic!("{other:?}"),
    }
}

fn trap(body: &str) -> String {
    match run(&handler(body), GET, b"") {
        Err(Stop::Trap(why)) => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_handler_answers_with_a_status() {
    let wasm = handler("(call $answer (local.get $out) (i32.const 204))");
    assert_eq!(run(&wasm, GET, b"").unwrap(), "Status: 204\r\n\r\n");
    // Without a request it is a GET.
    assert_eq!(run(&wasm, &[], b"").unwrap(), "Status: 204\r\n\r\n");
}

#[test]
fn a_request_always_has_an_authority() {
    let wasm = handler(
        "(call $answer (local.get $out) (i32.add (i32.const 200) (call $authority (local.get $request))))",
    );
    let (host, name) = (("HTTP_HOST", "a:80"), ("SERVER_NAME", "ab"));
    for (env, length) in [(&[host, name][..], "a:80".len()), (&[name], "ab".len()), (&[], "localhost".len())]
    {
        let env = [GET, env].concat();
        assert_eq!(run(&wasm, &env, b"").unwrap(), format!("Status: {}\r\n\r\n", 200 + length), "{env:?}");
    }
}

#[test]
fn a_handler_sends_headers_and_a_body() {
    let wasm = handler(
        "(local.set $f (call $fields))
        (if (call $append (local.get $f) (i32.const 0) (i32.const 6) (i32.const 16) (i32.const 7)) (then (unreachable)))
        (local.set $r (call $response (local.get $f)))
        (local.set $b (call $body (local.get $r)))
        (local.set $s (call $stream (local.get $b)))
        (if (call $write (local.get $s) (i32.const 18) (i32.const 5)) (then (unreachable)))
        (call $send (local.get $out) (local.get $r))
        (if (call $write (local.get $s) (i32.const 0) (i32.const 6)) (then (unreachable)))
        (call $drop-stream (local.get $s))
        (if (call $finish (local.get $b)) (then (unreachable)))",
    );
    assert_eq!(run(&wasm, GET, b"").unwrap(), "Status: 200\r\nx-name: a value\r\n\r\nvaluex-name");
}

#[test]
fn a_handler_has_to_answer_once() {
    assert!(convention("").contains("returned without a response"));
    let twice =
        "(call $answer (local.get $out) (i32.const 200)) (call $answer (local.get $out) (i32.const 200))";
    assert!(trap(twice).contains("unknown handle"));
    // The number of a handle of another type.
    assert!(trap("(call $answer (local.get $request) (i32.const 200))").contains("of another resource type"));
}

#[test]
fn an_error_is_no_answer() {
    for (code, name) in [(0, "DNS-timeout"), (15, "HTTP-request-denied"), (37, "configuration-error")] {
        let body = format!("(call $fail (local.get $out) (i32.const {code}))");
        let Err(Stop::Failed { message, .. }) = run(&handler(&body), GET, b"") else { panic!() };
        assert_eq!(message, format!("it answered with the error {name}"));
    }
    // There is no such code.
    assert!(trap("(call $fail (local.get $out) (i32.const 39))").contains("39"));
}

#[test]
fn a_body_that_is_dropped_is_no_answer() {
    let begin = "(local.set $r (call $response (call $fields)))
        (local.set $b (call $body (local.get $r)))
        (call $send (local.get $out) (local.get $r))";
    assert!(convention(&format!("{begin} (call $drop-body (local.get $b))")).contains("dropped before"));
    let early = "(local.set $r (call $response (call $fields)))
        (local.set $b (call $body (local.get $r))) (local.set $s (call $stream (local.get $b)))
        (drop (call $finish (local.get $b)))";
    assert!(trap(early).contains("before what was made of it"));
    // What is left alone ends with the run.
    let left = format!(
        "{begin} (local.set $s (call $stream (local.get $b)))
        (drop (call $write (local.get $s) (i32.const 0) (i32.const 6)))"
    );
    assert_eq!(run(&handler(&left), GET, b"").unwrap(), "Status: 200\r\n\r\nx-name");
}

#[test]
fn variables_of_the_request_are_not_in_the_environment() {
    let wasm = handler("(call $answer (local.get $out) (i32.add (i32.const 200) (call $variables)))");
    let request =
        [("REQUEST_METHOD", "GET"), ("HTTP_X", "1"), ("QUERY_STRING", "x"), ("MINE", "2"), ("A", "")];
    assert_eq!(run(&wasm, &request, b"").unwrap(), "Status: 202\r\n\r\n");
    assert_eq!(run(&wasm, &request[1..], b"").unwrap(), "Status: 204\r\n\r\n");
}

/// A component that is both answers a request, and is a command where there is none.
#[test]
fn a_command_answers_requests_too() {
    let both = compile(
        &wat::HANDLER
            .replace("BODY", "(call $answer (local.get $out) (i32.const 201))")
            .replace("EXPORTS", wat::RUN),
    );
    assert_eq!(run(&both, GET, b"").unwrap(), "Status: 201\r\n\r\n");
    assert_eq!(run(&both, &[], b"").unwrap(), "");
    let program = Program::compile("both", &both, &Limits::default()).unwrap();
    let functions: Vec<_> = program.functions().map(|(name, _)| name.to_string()).collect();
    assert_eq!(functions, ["_start"]);
}

/// What only has the name of a handler is none.
#[test]
fn a_handler_has_the_type_of_one() {
    for (params, result) in [
        (r#"(param "request" u32) (param "response-out" u32)"#, ""),
        (r#"(param "request" u32)"#, ""),
        ("", "(result u32)"),
    ] {
        let core = params.matches("param").map(|_| "(param i32)").collect::<String>();
        let (core_result, value) =
            if result.is_empty() { ("", "") } else { ("(result i32)", "(i32.const 7)") };
        let wasm = compile(&format!(
            r#"(component (core module $m (func (export "f") {core} {core_result} {value}))
              (core instance $i (instantiate $m))
              (func $f {params} {result} (canon lift (core func $i "f")))
              (instance $h (export "handle" (func $f)))
              (export "wasi:http/incoming-handler@0.2.3" (instance $h)))"#
        ));
        let program = Program::compile("odd", &wasm, &Limits::default()).unwrap();
        let functions: Vec<_> = program.functions().map(|(name, _)| name.to_string()).collect();
        assert_eq!(functions, ["incoming-handler/handle"], "{params}");
    }
}
