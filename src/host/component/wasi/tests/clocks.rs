//! Clocks, and waiting for a time.

use super::{FOR_INPUT, NOW, World, borrow, rep, traps};
use crate::base::limits::COMPONENT_HANDLES_MAX;
use crate::host::component::function::Fail;
use crate::host::component::value::Value;
use crate::host::streams::Stdin;
use crate::host::wasi::time::Clock;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

const MONOTONIC: &str = "wasi:clocks/monotonic-clock";
const POLL: &str = "wasi:io/poll";

/// A pollable for a point in time, or for a span.
fn timer(world: &mut World, name: &str, ns: u64) -> Value {
    borrow(rep(&world.get(MONOTONIC, name, &[Value::U64(ns)])))
}

fn places(places: &[u32]) -> Value {
    Value::List(places.iter().copied().map(Value::U32).collect())
}

#[test]
fn clocks_tell_the_time_of_the_run() {
    let mut world = World::new(Stdin::Empty);
    assert_eq!(world.get(MONOTONIC, "now", &[]), Value::U64(NOW));
    assert_eq!(world.get(MONOTONIC, "resolution", &[]), Value::U64(1));
    let datetime = |seconds, ns| Value::Record(vec![Value::U64(seconds), Value::U32(ns)]);
    assert_eq!(world.get("wasi:clocks/wall-clock", "now", &[]), datetime(5, 7));
    assert_eq!(world.get("wasi:clocks/wall-clock", "resolution", &[]), datetime(0, 1));
}

#[test]
fn an_instant_is_ready_when_it_has_come() {
    let mut world = World::new(Stdin::Empty);
    for (at, is_ready) in [(0, true), (NOW - 1, true), (NOW, true), (NOW + 1, false), (u64::MAX, false)] {
        let timer = timer(&mut world, "subscribe-instant", at);
        assert_eq!(world.get(POLL, "[method]pollable.ready", &[timer]), Value::Bool(is_ready), "{at}");
    }
}

#[test]
fn a_span_counts_from_when_it_was_subscribed_to() {
    let mut world = World::new(Stdin::Empty);
    let never = timer(&mut world, "subscribe-duration", u64::MAX);
    let soon = timer(&mut world, "subscribe-duration", 2);
    for (clock, is_ready) in [(NOW + 1, false), (NOW + 2, true)] {
        world.ctx.clock = Clock::Fixed(clock);
        assert_eq!(
            world.get(POLL, "[method]pollable.ready", std::slice::from_ref(&soon)),
            Value::Bool(is_ready)
        );
        assert_eq!(
            world.get(POLL, "[method]pollable.ready", std::slice::from_ref(&never)),
            Value::Bool(false)
        );
    }
}

#[test]
fn a_wait_lasts_until_the_first_of_the_times() {
    let mut world = World::new(Stdin::Empty);
    let (first, second) = (
        timer(&mut world, "subscribe-duration", 3_000_000_000),
        timer(&mut world, "subscribe-duration", 9_000_000_000),
    );
    let begin = Instant::now();
    let list = Value::List(vec![second, first.clone()]);
    for answer in [world.call(POLL, "poll", &[list]), world.call(POLL, "[method]pollable.block", &[first])] {
        let Err(Fail::Wait(wait)) = answer else { panic!("{answer:?}") };
        let left = wait.until.unwrap().duration_since(begin);
        assert!((Duration::from_secs(3)..Duration::from_secs(4)).contains(&left), "{left:?}");
        assert!(!wait.stdin);
    }
    assert_eq!((world.ctx.moved_bytes, world.ctx.extra_fuel), (0, 0), "it is paid for when it is made again");
}

#[test]
fn poll_gives_the_places_of_all_that_are_ready() {
    let mut world = World::new(Stdin::Empty);
    let (past, future) =
        (timer(&mut world, "subscribe-instant", 1), timer(&mut world, "subscribe-instant", u64::MAX));
    let list = vec![future.clone(), past.clone(), future, past];
    assert_eq!(world.get(POLL, "poll", &[Value::List(list)]), places(&[1, 3]));
    assert_eq!((world.ctx.moved_bytes, world.ctx.may_have_waited), (4 * 48, true));
}

#[test]
fn in_a_reproducible_run_time_passes_at_once() {
    let mut world = World::reproducible(Stdin::Empty);
    let begin = Instant::now();
    let hours = 3_600_000_000_000;
    let soon = timer(&mut world, "subscribe-duration", hours);
    let later = timer(&mut world, "subscribe-duration", 2 * hours);
    assert_eq!(world.get(POLL, "poll", &[Value::List(vec![later.clone(), soon])]), places(&[1]));
    assert_eq!(world.get(MONOTONIC, "now", &[]), Value::U64(hours));
    assert_eq!(world.call(POLL, "[method]pollable.block", &[later]), Ok(None));
    assert_eq!(world.get(MONOTONIC, "now", &[]), Value::U64(2 * hours));
    let never = timer(&mut world, "subscribe-instant", u64::MAX);
    assert_eq!(world.call(POLL, "[method]pollable.block", &[never]), Ok(None));
    assert!(begin.elapsed() < Duration::from_secs(60));
}

#[test]
fn input_and_a_time_are_waited_for_together() {
    let (send, receive) = channel();
    let mut world = World::new(Stdin::Pipe(receive));
    let stdin = world.get("wasi:cli/stdin", "get-stdin", &[]);
    let input = borrow(rep(&world.of_stream("input-stream.subscribe", &[stdin])));
    assert_eq!(world.call(POLL, "[method]pollable.block", std::slice::from_ref(&input)), FOR_INPUT);
    assert_eq!(world.get(POLL, "[method]pollable.ready", std::slice::from_ref(&input)), Value::Bool(false));
    let timer = timer(&mut world, "subscribe-duration", 1_000);
    let both = [Value::List(vec![timer, input])];
    let Err(Fail::Wait(wait)) = world.call(POLL, "poll", &both) else { panic!("nothing is ready") };
    assert!(wait.stdin && wait.until.is_some());
    send.send(b"in".to_vec()).unwrap();
    assert_eq!(world.get(POLL, "poll", &both), places(&[1]));
}

#[test]
fn whether_all_input_is_there_is_not_seen_beside_a_time() {
    let (send, receive) = channel();
    let limit = 10;
    let whole = Stdin::Whole { begin: Box::new(move || receive), limit };
    let mut world = World::reproducible(whole);
    let stdin = world.get("wasi:cli/stdin", "get-stdin", &[]);
    let input = borrow(rep(&world.of_stream("input-stream.subscribe", &[stdin])));
    let past = timer(&mut world, "subscribe-instant", 0);
    let both = [Value::List(vec![past, input.clone()])];
    assert_eq!(world.call(POLL, "poll", &both), FOR_INPUT);
    assert_eq!(world.call(POLL, "[method]pollable.ready", &[input]), FOR_INPUT);
    send.send(b"in".to_vec()).unwrap();
    drop(send);
    world.ctx.wait(crate::host::wasi::abi::Wait { until: None, stdin: true }, None);
    assert_eq!(world.get(POLL, "poll", &both), places(&[0, 1]));
}

#[test]
fn poll_takes_from_one_to_the_most_pollables() {
    let mut world = World::new(Stdin::Empty);
    let timer = timer(&mut world, "subscribe-instant", 0);
    let list = |n| [Value::List(vec![timer.clone(); n])];
    traps(world.call(POLL, "poll", &list(0)), "no pollables");
    for n in [1, COMPONENT_HANDLES_MAX - 1, COMPONENT_HANDLES_MAX] {
        let Value::List(ready) = world.get(POLL, "poll", &list(n)) else { panic!("no list") };
        assert_eq!(ready.len(), n);
    }
    traps(world.call(POLL, "poll", &list(COMPONENT_HANDLES_MAX + 1)), "more than");
    traps(world.call(POLL, "poll", &[Value::List(vec![Value::U32(0)])]), "argument 0");
    traps(world.call(POLL, "poll", &[Value::Bytes(vec![])]), "argument 0");
}

#[test]
fn a_pollable_is_no_stream() {
    let mut world = World::new(Stdin::Empty);
    let timer = timer(&mut world, "subscribe-instant", 0);
    let stdin = world.get("wasi:cli/stdin", "get-stdin", &[]);
    traps(world.stream("input-stream.read", &[timer, Value::U64(1)]), "another type");
    traps(world.call(POLL, "[method]pollable.ready", &[stdin]), "another type");
    traps(world.call(POLL, "[method]pollable.ready", &[borrow(99)]), "gone");
}
