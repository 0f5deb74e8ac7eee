//! More connections than there is room for, no descriptors left, no threads to be had (item 4 of issue 3).

use super::{Target, connect, message, post, read_reply, scale, turn, under_attack};
use crate::skip::skip;
use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::process::{Command, Stdio};
use std::thread::{sleep, spawn};
use std::time::{Duration, Instant};

#[test]
fn three_times_as_many_connections_as_allowed() {
    let _turn = turn();
    let target = Target::start(&["--max-connections=100", "--max-connections-per-client=100"]);
    under_attack("4 connection flood", &target, false, |address| {
        let mut streams = Vec::new();
        let before = target.vitals().descriptors;
        for number in 0..300 {
            streams.push(connect(address));
            if number % 20 == 0 {
                // Only who has had time to send a request makes room for another one of the same client: those that
                // came before this one, as it has an answer.
                post(&mut streams[number], "/healthz", b"").unwrap();
                sleep(Duration::from_millis(20));
            }
        }
        assert!(target.vitals().descriptors <= before + 100 + 5, "{:?}", target.vitals());
        // The latest to come have their place; those before made room.
        for stream in streams.iter_mut().rev().take(50) {
            assert_eq!(post(stream, "/execute/greet", b"World").unwrap().text(), "Hello, World");
        }
        let closed = streams.iter_mut().filter_map(|stream| post(stream, "/healthz", b"").err()).count();
        assert!((200..=230).contains(&closed), "{closed}");
    });
}

#[test]
fn connections_that_come_and_go_as_fast_as_they_can() {
    let _turn = turn();
    let target = Target::start(&[]);
    under_attack("4 connection churn", &target, false, |address| {
        let until = Instant::now() + scale(Duration::from_millis(500), Duration::from_secs(20));
        let floods: Vec<_> = (0..4).map(|_| spawn(move || churn(address, until))).collect();
        let opened: usize = floods.into_iter().map(|flood| flood.join().unwrap()).sum();
        println!("attack note | connections opened by the churn | {opened}");
    });
}

/// Holds 192 connections, always closing the oldest for a new one that says half a word.
fn churn(address: SocketAddr, until: Instant) -> usize {
    let mut held = std::collections::VecDeque::new();
    let mut opened = 0;
    while Instant::now() < until {
        let Ok(mut stream) = TcpStream::connect(address) else { continue };
        let _ = stream.write_all(b"POST /exe");
        held.push_back(stream);
        opened += 1;
        if held.len() > 192 {
            held.pop_front();
        }
    }
    opened
}

#[test]
fn no_descriptor_left() {
    let _turn = turn();
    let target = Target::start_under(Some("ulimit -n 64"), &[]);
    under_attack("4 descriptor limit", &target, false, |address| {
        let begin = Instant::now();
        let mut count = 0;
        while begin.elapsed() < scale(Duration::from_millis(500), Duration::from_secs(10)) {
            let streams: Vec<TcpStream> = (0..200).map(|_| connect(address)).collect();
            sleep(Duration::from_millis(100));
            count += streams.len();
        }
        println!("attack note | connections opened against 64 descriptors | {count}");
        // The moment the flood ends, all is as before.
        assert_eq!(post(&mut connect(address), "/execute/greet", b"World").unwrap().text(), "Hello, World");
    });
}

/// A user that no other process has, whom the system may deny threads; root it may not.
const USER: [&str; 4] = ["setpriv", "--reuid=54321", "--regid=54321", "--clear-groups"];

/// What makes the server run as that user, with at most `threads`; none if that cannot be done here.
fn as_limited_user(threads: usize) -> Option<String> {
    let there = Command::new("sh").args(["-c", "command -v setpriv && command -v prlimit"]).output();
    if !is_root() || !there.is_ok_and(|output| output.status.success()) {
        skip("limiting threads needs root, and setpriv and prlimit of util-linux");
        return None;
    }
    Some(format!("chmod 755 .; set -- prlimit --nproc={threads} {} \"$@\"", USER.join(" ")))
}

fn is_root() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    status.lines().any(|line| line.starts_with("Uid:\t0\t"))
}

#[test]
fn no_thread_to_be_had_while_serving() {
    let _turn = turn();
    let Some(setup) = as_limited_user(1000) else { return };
    let target = Target::start_under(Some(&setup), &["--timeout=200ms", "--max-connections-per-client=256"]);
    target.warm_up();
    // From here on not one thread more.
    let id = target.serve.child.id().to_string();
    let limited =
        Command::new(USER[0]).args(&USER[1..]).args(["prlimit", "--pid", &id, "--nproc=1:1"]).status();
    assert!(limited.unwrap().success());
    under_attack("4 no threads", &target, true, |address| {
        let clients: Vec<_> = (0..scale(100, 200))
            .map(|_| {
                spawn(move || {
                    let mut stream = connect(address);
                    stream.write_all(&message("/execute/infinite-loop", b"World")).unwrap();
                    read_reply(&mut stream).unwrap().status
                })
            })
            .collect();
        for client in clients {
            assert!(matches!(client.join().unwrap(), 503 | 504));
        }
    });
}

#[test]
fn no_thread_to_be_had_at_the_start() {
    let _turn = turn();
    for limit in [1, 3, 8] {
        let Some(setup) = as_limited_user(limit) else { return };
        let mut command = Target::command(Some(&setup), &std::env::temp_dir(), &[]);
        let mut child = command.stderr(Stdio::piped()).stdin(Stdio::null()).spawn().unwrap();
        let begin = Instant::now();
        let status = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break status;
            }
            if begin.elapsed() > Duration::from_secs(20) {
                let _ = child.kill();
                panic!("with {limit} threads it neither serves nor ends");
            }
            sleep(Duration::from_millis(20));
        };
        let mut errors = String::new();
        std::io::Read::read_to_string(&mut child.stderr.take().unwrap(), &mut errors).unwrap();
        println!("with {limit} threads: {status}: {}", errors.lines().last().unwrap_or_default());
        assert!(status.code().is_some_and(|code| code != 0), "{status}: {errors}");
    }
}
