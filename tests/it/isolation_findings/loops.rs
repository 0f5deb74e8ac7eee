//! All of it, time and again, while others are served: what they get is right, and nothing of theirs is found elsewhere.

use super::{MARK, Scene, Seen, beside, beside_greetings, costly, modules, seconds};
use crate::support::{Client, Reply, wat};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// What attackers ask: the target and the body.
type Call = (&'static str, &'static [u8]);

/// Calls of guests that read cells which they never wrote, or call what a number points to.
const LEAKING: &[Call] = &[
    ("leak", MARK),
    ("leak?func=own", MARK),
    ("leak?func=put", MARK),
    ("jump?func=put", MARK),
    ("jump", MARK),
    ("skip?func=if", b"77 0"),
    ("skip?func=loop", b"77 3"),
    ("forge", b""),
    ("forge?func=call", b"93824992215040"),
    ("forge?func=is_null", b"100"),
];

/// Calls of the others.
const OTHERS: &[Call] = &[
    ("select?func=i32", b"5"),
    ("nan?func=constants", b""),
    ("square?func=f", b""),
    ("zeroed?func=f", b""),
    ("results?func=f", b""),
    ("stderr", b"x"),
    ("log?func=one", b""),
    ("log?func=all", b""),
    ("hold", b"x"),
    ("denied", b""),
];

fn leaking() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("leak", modules::leak(1_000, 0)),
        ("jump", modules::leak(100, 20_000)),
        ("skip", wat(modules::SKIP)),
        ("forge", modules::forge()),
    ]
}

fn others() -> Vec<(&'static str, Vec<u8>)> {
    let mut modules = costly::full_of(150_000);
    modules.retain(|(name, _)| *name == "results");
    modules.extend([
        ("square", costly::square(20_000, 40_000)),
        ("zeroed", costly::zeroed(4_096, 31)),
        ("select", wat(modules::SELECT)),
        ("nan", wat(modules::NAN)),
        ("stderr", wat(modules::STDERR)),
        ("log", wat(modules::LOG)),
        ("hold", wat(modules::HOLD)),
        ("denied", wat(modules::DENIED)),
    ]);
    modules
}

/// Asks for all of `calls`, one after the other from the `first` on, at least once and until `until`.
fn attack(
    (host, address): (u8, SocketAddr),
    (calls, first): (&[Call], usize),
    until: Instant,
    mut look: impl FnMut(&'static str, &Reply),
) {
    let mut client = Client::from(host, address);
    let mut asked = 0;
    while asked < calls.len() || Instant::now() < until {
        let (target, body) = calls[(first + asked) % calls.len()];
        let reply = client.send("POST", &format!("/execute/{target}"), body);
        assert!([200, 500, 504].contains(&reply.status), "{target}: {} {}", reply.status, reply.text());
        look(target, &reply);
        asked += 1;
    }
}

#[test]
fn others_get_right_answers_while_everything_is_tried() {
    let scene = Scene::of(&[leaking(), others()].concat());
    let address = scene.server.address;
    let time = seconds(2.5);
    beside_greetings("without attackers", address, || std::thread::sleep(time / 4));
    let statuses: Mutex<BTreeMap<(&str, u16), usize>> = Mutex::default();
    let calls = [LEAKING, OTHERS].concat();
    beside_greetings("with attackers", address, || {
        let until = Instant::now() + time;
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let (calls, statuses) = (&calls, &statuses);
                let count = |target, reply: &Reply| {
                    *statuses.lock().unwrap().entry((target, reply.status)).or_default() += 1;
                };
                scope.spawn(move || attack((10, address), (calls, 5 * thread), until, count));
            }
        });
    });
    for ((target, status), count) in statuses.lock().unwrap().iter() {
        println!("{target}: {status}, {count} times");
    }
    let metrics = scene.server.send("GET", "/metrics", b"").text();
    let died = metrics.contains(r#"fuelbox_guest_deaths_total{plugin="forge","#);
    assert!(died, "no process died: {metrics}");
    scene.lives();
}

/// What victims send, as often as it fits: as long as a cell of the value stack.
const SECRET: &[u8] = b"~sEcReT~";

/// Whether there is a cell of a secret in this, wherever in the secret it began.
fn holds_secret(bytes: &[u8]) -> bool {
    let twice = SECRET.repeat(2);
    let is_secret = |cell: &[u8]| twice.windows(SECRET.len()).any(|part| part == cell);
    // Every such cell has this byte, and most answers do not.
    bytes.contains(&SECRET[0]) && bytes.windows(SECRET.len()).any(is_secret)
}

/// Sends secrets to two plug-ins until it is to stop, and looks at the answers.
fn victim(host: u8, address: SocketAddr, stop: &AtomicBool) -> Seen {
    let secret = std::str::from_utf8(SECRET).unwrap();
    let (cookie, bearer) = (format!("session={secret}{secret}"), format!("Bearer {}", secret.repeat(4)));
    let fields = [("Cookie", cookie.as_str()), ("Authorization", bearer.as_str())];
    let mut client = Client::from(host, address);
    let mut seen = Seen::default();
    let mut timed = |target: &str, fields: &[(&str, &str)], body: &[u8]| {
        let begin = Instant::now();
        let reply = client.ask("POST", target, fields, body);
        seen.0.push(begin.elapsed());
        std::thread::sleep(Duration::from_millis(2));
        assert!(holds_secret(&reply.body), "{target}: {}", reply.status);
        reply
    };
    for turn in 0.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let body = SECRET.repeat([5, 50, 300, 1_500, 6_000][turn % 5]);
        let reply = timed("/execute/greet", &fields, &body);
        assert_eq!((reply.status, reply.body), (200, [b"Hello, ", &body[..]].concat()));
        let body = SECRET.repeat([1, 100, 2_000][turn % 3]);
        let reply = timed(&format!("/execute/cgi-rust/p?q={secret}{secret}"), &fields, &body);
        assert_eq!(reply.status, 201);
        let text = reply.text();
        assert!(text.starts_with(&format!("POST /p?q={secret}{secret}\n")), "{text:.100}");
        assert!(reply.body.ends_with(&body) && text.contains(&format!("{} bytes:", body.len())));
    }
    seen
}

#[test]
fn no_secret_of_another_plug_in_reaches_an_attacker() {
    // What is looked for would be found, be it a cell only.
    assert!(holds_secret(b"\0\0T~~sEcRe\0\0") && !holds_secret(b"~sEcReT.~sEcReT") && !holds_secret(MARK));
    let scene = Scene::of(&leaking());
    let address = scene.server.address;
    let time = seconds(2.5);
    let victims = |host, stop: &AtomicBool| victim(host, address, stop);
    beside("victims without attackers", victims, || std::thread::sleep(time / 4));
    let found: Mutex<Vec<String>> = Mutex::default();
    let counts: Mutex<BTreeMap<u16, usize>> = Mutex::default();
    let own = AtomicBool::new(false);
    beside("victims with attackers", victims, || {
        let until = Instant::now() + time;
        std::thread::scope(|scope| {
            for thread in 0..6 {
                let (found, counts, own) = (&found, &counts, &own);
                let look = move |target: &'static str, reply: &Reply| {
                    *counts.lock().unwrap().entry(reply.status).or_default() += 1;
                    if target.ends_with("own") && reply.body.chunks(8).any(|cell| cell == MARK) {
                        own.store(true, Ordering::Relaxed);
                    }
                    if holds_secret(&reply.body) || holds_secret(reply.head.as_bytes()) {
                        found.lock().unwrap().push(format!("{target}: {}", reply.text()));
                    }
                };
                // Each is a client of its own, and has the share of one.
                let host = 10 + thread as u8;
                scope.spawn(move || attack((host, address), (LEAKING, thread), until, look));
            }
        });
    });
    let (found, counts) = (found.into_inner().unwrap(), counts.into_inner().unwrap());
    let answers: usize = counts.values().sum();
    println!("{answers} answers for attackers, by status {counts:?}; {} with secrets", found.len());
    assert!(own.into_inner(), "what an attacker left in cells was not found there: nothing leaks at all");
    assert!(found.is_empty(), "{found:?}");
    scene.lives();
}
