//! The resource `fields`.

use super::*;

fn append(world: &mut World, fields: u32, name: &str, value: &[u8]) -> Value {
    world.http("[method]fields.append", &[borrow(fields), text(name), Value::Bytes(value.into())])
}

fn set(world: &mut World, fields: u32, name: &str, values: &[&str]) -> Value {
    world.http("[method]fields.set", &[borrow(fields), text(name), list(values)])
}

fn delete(world: &mut World, fields: u32, name: &str) -> Value {
    world.http("[method]fields.delete", &[borrow(fields), text(name)])
}

fn get(world: &mut World, fields: u32, name: &str) -> Value {
    world.http("[method]fields.get", &[borrow(fields), text(name)])
}

fn entries(world: &mut World, fields: u32) -> Value {
    world.http("[method]fields.entries", &[borrow(fields)])
}

#[test]
fn names_are_compared_without_case_and_kept_as_they_are() {
    let mut world = world();
    let fields = world.fields(&[("X-One", "a"), ("two", ""), ("x-one", "b")]);
    assert_eq!(entries(&mut world, fields), pairs(&[("X-One", "a"), ("two", ""), ("x-one", "b")]));
    assert_eq!(get(&mut world, fields, "x-ONE"), list(&["a", "b"]));
    assert_eq!(get(&mut world, fields, "two"), list(&[""]));
    for (name, has) in [("TWO", true), ("three", false), ("not a name", false), ("", false)] {
        let args = [borrow(fields), text(name)];
        assert_eq!(world.http("[method]fields.has", &args), Value::Bool(has), "{name}");
    }
    assert_eq!(get(&mut world, fields, "not a name"), list(&[]));
    assert_eq!(set(&mut world, fields, "X-ONE", &["c", "d"]), Value::ok(None));
    assert_eq!(entries(&mut world, fields), pairs(&[("two", ""), ("X-ONE", "c"), ("X-ONE", "d")]));
    assert_eq!(set(&mut world, fields, "two", &[]), Value::ok(None));
    assert_eq!(delete(&mut world, fields, "x-one"), Value::ok(None));
    assert_eq!(delete(&mut world, fields, "x-one"), Value::ok(None));
    assert_eq!(entries(&mut world, fields), pairs(&[]));
    world.table.drop(fields, &mut world.ctx).unwrap();
    assert_eq!(world.table.account.bytes(), 0);
}

#[test]
fn what_is_no_field_is_told() {
    let mut world = world();
    let fields = world.fields(&[]);
    for name in ["", "a b", "a:b", "a\r\nb", "\0", "é", "(", "a\n"] {
        assert_eq!(append(&mut world, fields, name, b"x"), error(INVALID_SYNTAX), "{name:?}");
        assert_eq!(set(&mut world, fields, name, &["x"]), error(INVALID_SYNTAX), "{name:?}");
        assert_eq!(delete(&mut world, fields, name), error(INVALID_SYNTAX), "{name:?}");
    }
    for name in ["Connection", "HOST", "keep-alive", "te", "Trailer", "transfer-encoding", "upgrade"] {
        assert_eq!(append(&mut world, fields, name, b"x"), error(FORBIDDEN), "{name}");
        assert_eq!(set(&mut world, fields, name, &["x"]), error(FORBIDDEN), "{name}");
        assert_eq!(delete(&mut world, fields, name), error(FORBIDDEN), "{name}");
    }
    for byte in 0..=255 {
        let is_control = byte != b'\t' && (byte < b' ' || byte == 0x7f);
        let expected = if is_control { error(INVALID_SYNTAX) } else { Value::ok(None) };
        assert_eq!(append(&mut world, fields, &format!("x{byte}"), &[b'a', byte]), expected, "{byte}");
        assert_eq!(delete(&mut world, fields, &format!("x{byte}")), Value::ok(None));
    }
    for length in ["", "x", "-1", "+1", "1 ", "18446744073709551616"] {
        assert_eq!(set(&mut world, fields, "Content-Length", &[length]), error(INVALID_SYNTAX), "{length}");
    }
    // One wrong value, and none of them is set.
    assert_eq!(set(&mut world, fields, "y", &["old"]), Value::ok(None));
    assert_eq!(set(&mut world, fields, "y", &["new", "a\nb"]), error(INVALID_SYNTAX));
    assert_eq!(entries(&mut world, fields), pairs(&[("y", "old")]));
}

#[test]
fn a_list_is_fields_if_all_of_it_is_valid() {
    let mut world = world();
    let from = |world: &mut World, fields| world.http("[static]fields.from-list", &[pairs(fields)]);
    let both = [("a", "1"), ("A", "2")];
    let made = rep(&ok(from(&mut world, &both)));
    assert_eq!(entries(&mut world, made), pairs(&both));
    assert_eq!(from(&mut world, &[("a", "1"), ("host", "2")]), error(FORBIDDEN));
    assert_eq!(from(&mut world, &[("a", "1"), ("b", "\n")]), error(INVALID_SYNTAX));
    assert_eq!(world.table.len(), 1);
}

#[test]
fn fields_of_a_message_cannot_be_changed_and_a_copy_can() {
    let mut world = world();
    let request = world.request(&[("REQUEST_METHOD", "GET"), ("HTTP_X_A", "1")]);
    let fields = rep(&world.http("[method]incoming-request.headers", &[borrow(request)]));
    assert_eq!(append(&mut world, fields, "b", b"1"), error(IMMUTABLE));
    assert_eq!(set(&mut world, fields, "x-a", &[]), error(IMMUTABLE));
    assert_eq!(delete(&mut world, fields, "x-a"), error(IMMUTABLE));
    assert_eq!(append(&mut world, fields, "b c", b"1"), error(INVALID_SYNTAX));
    let copy = rep(&world.http("[method]fields.clone", &[borrow(fields)]));
    assert_eq!(append(&mut world, copy, "b", b"2"), Value::ok(None));
    assert_eq!(entries(&mut world, copy), pairs(&[("x-a", "1"), ("b", "2")]));
    assert_eq!(entries(&mut world, fields), pairs(&[("x-a", "1")]));
    // They belong to the request.
    let gone = world.table.drop(request, &mut world.ctx);
    traps(gone.map(|()| None), "before what was made of it");
}

#[test]
fn there_are_99_fields_at_most() {
    for count in [98, 99, 100] {
        let mut world = world();
        let names: Vec<String> = (0..count).map(|n| format!("x{n}")).collect();
        let fields: Vec<(&str, &str)> = names.iter().map(|name| (&**name, "v")).collect();
        let made = world.http("[static]fields.from-list", &[pairs(&fields)]);
        if count == 100 {
            assert_eq!(made, error(FORBIDDEN));
            continue;
        }
        let made = rep(&ok(made));
        let more: &[&str] = if count == 98 { &["1"] } else { &[] };
        assert_eq!(set(&mut world, made, "y", more), Value::ok(None));
        assert_eq!(append(&mut world, made, "y", b"2"), error(FORBIDDEN));
        assert_eq!(set(&mut world, made, "x1", &["a", "b"]), error(FORBIDDEN));
        assert_eq!(set(&mut world, made, "x1", &["a"]), Value::ok(None));
    }
}

#[test]
fn fields_have_16_kib_at_most() {
    // With `Status: 200`, its line end, `x: `, the field's line end, and the empty line.
    const MOST: usize = 16 * 1024 - 13 - 3 - 2 - 2;
    for (length, expected) in
        [(MOST - 1, Value::ok(None)), (MOST, Value::ok(None)), (MOST + 1, error(FORBIDDEN))]
    {
        let mut world = world();
        let fields = world.fields(&[]);
        let value = "v".repeat(length);
        assert_eq!(append(&mut world, fields, "x", value.as_bytes()), expected, "{length}");
        assert_eq!(set(&mut world, fields, "x", &[&value]), expected, "{length}");
        let made = world.http("[static]fields.from-list", &[pairs(&[("x", &value)])]);
        assert_eq!(matches!(made, Value::Variant(0, _)), length <= MOST);
    }
}

#[test]
fn what_is_kept_for_a_guest_has_a_limit() {
    let mut world = world();
    let most = world.ctx.files.stdout.room() + 256 * 1024;
    let fields = world.fields(&[("x", &"v".repeat(16_000))]);
    let each = world.table.account.bytes();
    let mut kept = each;
    while kept + each <= most {
        world.http("[method]fields.clone", &[borrow(fields)]);
        kept += each;
        assert_eq!(world.table.account.bytes(), kept);
    }
    traps(
        world.call("wasi:http/types", "[method]fields.clone", &[borrow(fields)]),
        &format!("take more than {most} bytes"),
    );
    assert_eq!(world.table.account.bytes(), kept);
}

/// Calls cost fuel for what they move and look through.
#[test]
fn fields_are_counted() {
    let mut world = world();
    let fields = world.fields(&[("ab", "cde"), ("f", "gh")]);
    for (name, args, moved) in [
        ("[method]fields.entries", vec![borrow(fields)], 8),
        ("[method]fields.clone", vec![borrow(fields)], 8),
        ("[method]fields.set", vec![borrow(fields), text("ab"), list(&["xy", "z"])], 5),
        ("[method]fields.append", vec![borrow(fields), text("ab"), bytes("1234")], 6),
        ("[method]fields.delete", vec![borrow(fields), text("ab")], 2),
    ] {
        (world.ctx.moved_bytes, world.ctx.extra_fuel) = (0, 0);
        world.http(name, &args);
        assert_eq!(world.ctx.moved_bytes, moved, "{name}");
        assert!(world.ctx.extra_fuel > 0, "{name}");
    }
}
