//! Arguments, environment, exit and terminals.

use super::{World, rep, traps};
use crate::base::limits::Limits;
use crate::host::component::function::Fail;
use crate::host::component::value::Value;
use crate::host::streams::Stdin;
use crate::host::wasi::ctx::GuestEnv;

fn text(text: &str) -> Value {
    Value::String(text.into())
}

#[test]
fn the_environment_is_pairs() {
    let mut world = World::new(Stdin::Empty);
    world.ctx.env = [&b"K=V=W"[..], b"EMPTY=", b"odd", b"\xff=\xfe"].map(<[u8]>::to_vec).into();
    let pair = |a, b| Value::Record(vec![text(a), text(b)]);
    let expected = vec![pair("K", "V=W"), pair("EMPTY", ""), pair("odd", ""), pair("\u{fffd}", "\u{fffd}")];
    assert_eq!(world.get("wasi:cli/environment", "get-environment", &[]), Value::List(expected));
    assert_eq!((world.ctx.moved_bytes, world.ctx.extra_fuel), (17, 4));
}

#[test]
fn arguments_are_strings() {
    let mut world = World::new(Stdin::Empty);
    world.ctx.args = [&b"prog"[..], b"", b"a\xffb"].map(<[u8]>::to_vec).into();
    let expected = Value::List(vec![text("prog"), text(""), text("a\u{fffd}b")]);
    assert_eq!(world.get("wasi:cli/environment", "get-arguments", &[]), expected);
    assert_eq!((world.ctx.moved_bytes, world.ctx.extra_fuel), (7, 3));
    assert_eq!(world.get("wasi:cli/environment", "initial-cwd", &[]), Value::NONE);
}

#[test]
fn exit_ends_the_run() {
    let mut world = World::new(Stdin::Empty);
    for (status, code) in [(Value::ok(None), 0), (Value::err(None), 1)] {
        assert_eq!(world.call("wasi:cli/exit", "exit", &[status]), Err(Fail::Exit(code)));
    }
    for code in [0, 1, 254, 255] {
        let exited = world.call("wasi:cli/exit", "exit-with-code", &[Value::U8(code)]);
        assert_eq!(exited, Err(Fail::Exit(code.into())));
    }
    traps(world.call("wasi:cli/exit", "exit-with-code", &[Value::U32(3)]), "argument 0");
}

#[test]
fn a_terminal_is_there_if_the_stream_is_one() {
    let functions = [
        ("wasi:cli/terminal-stdin", "get-terminal-stdin"),
        ("wasi:cli/terminal-stdout", "get-terminal-stdout"),
        ("wasi:cli/terminal-stderr", "get-terminal-stderr"),
    ];
    for only in 0..3 {
        let mut terminals = [false; 3];
        terminals[only] = true;
        let given = GuestEnv { terminals, ..GuestEnv::default() };
        let mut world = World::with(Stdin::Empty, &Limits::default(), given);
        for (i, (interface, name)) in functions.into_iter().enumerate() {
            match world.get(interface, name, &[]) {
                Value::Variant(1, Some(handle)) if i == only => {
                    world.table.drop(rep(&handle), &mut world.ctx).unwrap()
                }
                answer => assert!(i != only && answer == Value::NONE, "{name}: {answer:?}"),
            }
        }
        assert!(world.table.is_empty());
    }
}
