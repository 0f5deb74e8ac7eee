//! Requests of the guest.

use super::*;

/// A request, and what its setters and getters are called with.
fn request(world: &mut World) -> u32 {
    let fields = world.fields(&[("x-a", "1")]);
    rep(&world.http("[constructor]outgoing-request", &[own(fields)]))
}

/// Sets a part and gets it.
fn keeps(world: &mut World, request: u32, part: &str, value: Value, is_valid: bool) {
    let method = |name: String| format!("[method]outgoing-request.{name}");
    let before = world.http(&method(part.into()), &[borrow(request)]);
    let done = world.http(&method(format!("set-{part}")), &[borrow(request), value.clone()]);
    assert_eq!(done, if is_valid { Value::ok(None) } else { Value::err(None) }, "{part} {value:?}");
    let after = world.http(&method(part.into()), &[borrow(request)]);
    assert_eq!(after, if is_valid { value } else { before }, "{part}");
}

#[test]
fn a_request_keeps_valid_parts() {
    let mut world = world();
    let request = request(&mut world);
    let other = |case, name: &str| Value::Variant(case, Some(Box::new(text(name))));
    assert_eq!(world.http("[method]outgoing-request.method", &[borrow(request)]), Value::case(0));
    for (name, is_valid) in [("get", true), ("X-Y", true), ("", false), ("a b", false)] {
        keeps(&mut world, request, "method", other(9, name), is_valid);
    }
    keeps(&mut world, request, "method", Value::case(4), true);
    for (path, is_valid) in
        [("/a?b", true), ("?x", true), ("", true), ("a", false), ("/ b", false), ("/é", false)]
    {
        keeps(&mut world, request, "path-with-query", Value::some(text(path)), is_valid);
    }
    keeps(&mut world, request, "path-with-query", Value::NONE, true);
    for (scheme, is_valid) in [("ftp+x", true), ("1x", false), ("", false), ("a b", false)] {
        keeps(&mut world, request, "scheme", Value::some(other(2, scheme)), is_valid);
    }
    keeps(&mut world, request, "scheme", Value::some(Value::case(1)), true);
    for (authority, is_valid) in
        [("h:80", true), ("[::1]:8", true), ("", false), ("a/b", false), ("a b", false)]
    {
        keeps(&mut world, request, "authority", Value::some(text(authority)), is_valid);
    }
    for (length, is_valid) in [(16_383, true), (16_384, true), (16_385, false)] {
        keeps(&mut world, request, "authority", Value::some(text(&"h".repeat(length))), is_valid);
    }
    world.table.drop(request, &mut world.ctx).unwrap();
    assert_eq!((world.table.len(), world.table.account.bytes()), (0, 0));
}

#[test]
fn every_request_is_denied() {
    let mut world = world();
    let request = request(&mut world);
    let options = rep(&world.http("[constructor]request-options", &[]));
    for name in ["connect-timeout", "first-byte-timeout", "between-bytes-timeout"] {
        let get = format!("[method]request-options.{name}");
        assert_eq!(world.http(&get, &[borrow(options)]), Value::NONE);
        let args = [borrow(options), Value::some(Value::U64(name.len() as u64))];
        assert_eq!(world.http(&format!("[method]request-options.set-{name}"), &args), Value::ok(None));
        assert_eq!(world.http(&get, &[borrow(options)]), args[1]);
    }
    let body = rep(&ok(world.http("[method]outgoing-request.body", &[borrow(request)])));
    assert_eq!(world.http("[method]outgoing-request.body", &[borrow(request)]), Value::err(None));
    let stream = rep(&ok(world.http("[method]outgoing-body.write", &[borrow(body)])));
    assert_eq!(world.write(stream, b"to nobody"), Value::ok(None));
    let args = [own(request), Value::some(own(options))];
    let denied = world.get("wasi:http/outgoing-handler", "handle", &args);
    assert_eq!(denied, error(15));
    assert_eq!(world.finish((body, stream)), Value::ok(None));
    assert_eq!((world.table.len(), world.table.account.bytes()), (0, 0));
    assert_eq!(world.stdout(), b"");
}

#[test]
fn there_are_no_responses() {
    let mut world = world();
    for name in ["incoming-response.status", "incoming-response.consume", "future-incoming-response.get"] {
        traps(world.call("wasi:http/types", &format!("[method]{name}"), &[borrow(0)]), "gone");
    }
}
