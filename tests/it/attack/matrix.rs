//! Hostile clients by a matrix: kind of request × connections × requests sent at once × half-close × how answers are read
//! × rate of new connections. Two honest clients at another address must not notice any of them.
//!
//! In small size each pair of values is in some row, in full size each three values of three axes. The attacker works at
//! low priority, and the table says how much of a processor it had.

use super::honest::{Honest, Saw, connect_to, get};
use super::hostile::{Did, Hostile, Kind, Reads};
use super::{Target, full, scale, turn};
use crate::support::Vitals;
use std::collections::HashSet;
use std::net::TcpStream;
use std::thread::{sleep, spawn};
use std::time::{Duration, Instant};

/// Whether the gateway gives each client address a share of connections, places, queue and bytes. Without, a single client
/// can keep others out: then rows only say what honest clients saw, and what must not be left behind is asserted alone.
const HAS_SHARES: bool = true;

/// What a client address may have of the connections, and all of them together, as `serve` is told.
const CONNECTIONS_PER_CLIENT: usize = 64;
const CONNECTIONS_MAX: usize = 256;

/// Connections of the honest clients, and of whoever asks for the metrics.
const OURS: usize = 4;

/// What the gateway may take for bodies and answers under way, in kB: `--body-budget`, and what its workers have in hand.
const BUDGET_KB: usize = (16 + 5 * 5) * 1024;
/// The same where answers and bodies are small: heads of 256 connections, and an allocator's rounding.
const SMALL_KB: usize = 12 * 1024;

/// What all rows together may leave behind, in kB: an allocator keeps most of what it had at the worst of them.
const LEFT_KB: usize = 8 * 1024;

/// How often a row is run whose answers were late, and nothing else: the machine may have had other things to do.
const ATTEMPTS: usize = 3;

const KINDS: [Kind; 8] = [
    Kind::Health,
    Kind::NotModified,
    Kind::Greet,
    Kind::Megabyte,
    Kind::Spin,
    Kind::Head,
    Kind::Body,
    Kind::Rubbish,
];
const CONNECTIONS: [usize; 4] = [1, 8, 64, 256];
const DEPTHS: [usize; 3] = [1, 16, 2000];
const HALF_CLOSES: [bool; 2] = [false, true];
const READS: [Reads; 3] = [Reads::All, Reads::Slowly, Reads::Never];
const RECONNECTS: [Option<u32>; 4] = [None, Some(20), Some(1_000), Some(20_000)];

/// How many values each axis has.
const AXES: [usize; 6] =
    [KINDS.len(), CONNECTIONS.len(), DEPTHS.len(), HALF_CLOSES.len(), READS.len(), RECONNECTS.len()];

/// The number of a value on each axis.
type Place = [usize; AXES.len()];

fn client(place: &Place) -> Hostile {
    Hostile {
        kind: KINDS[place[0]],
        connections: CONNECTIONS[place[1]],
        depth: DEPTHS[place[2]],
        half_closes: HALF_CLOSES[place[3]],
        reads: READS[place[4]],
        reconnects: RECONNECTS[place[5]],
    }
}

/// Whether the values go together.
fn is_sensible(client: &Hostile) -> bool {
    let depth_max = match client.kind {
        // What is never whole has nothing behind it.
        Kind::Head | Kind::Body | Kind::Rubbish => 1,
        // More would still be under way when the row is long over.
        Kind::Megabyte | Kind::Spin => 16,
        Kind::Health | Kind::NotModified | Kind::Greet => 2_000,
    };
    let is_answered = !matches!(client.kind, Kind::Head | Kind::Body);
    // A batch takes longer to send than such a connection lives; and few a second never come to be many.
    let has_time = client.depth < 2_000 || client.reconnects != Some(20_000);
    let comes_up = client.connections <= 64 || client.reconnects != Some(20);
    client.depth <= depth_max && (is_answered || client.reads == Reads::All) && has_time && comes_up
}

/// All rows that make sense.
fn sensible() -> Vec<Place> {
    let mut places = vec![[0; AXES.len()]];
    for (axis, values) in AXES.iter().enumerate() {
        let with = |place: Place| {
            (0..*values).map(move |value| {
                let mut place = place;
                place[axis] = value;
                place
            })
        };
        places = places.into_iter().flat_map(with).collect();
    }
    places.retain(|place| is_sensible(&client(place)));
    places
}

/// The values of each `strength` axes, as sets of axis and value.
fn tuples(place: &Place, strength: u32) -> Vec<u64> {
    let axes = (0_u32..1 << AXES.len()).filter(|axes| axes.count_ones() == strength);
    let number = |axes: u32| {
        let chosen = (0..AXES.len()).filter(|axis| axes & 1 << axis != 0);
        chosen.fold(u64::from(axes), |number, axis| number * 16 + place[axis] as u64)
    };
    axes.map(number).collect()
}

/// Rows in which every combination of values on `strength` axes is that is in any row: the one with the most that are not
/// there yet, again and again.
fn covering(strength: u32) -> Vec<Place> {
    let all: Vec<(Place, Vec<u64>)> =
        sensible().into_iter().map(|place| (place, tuples(&place, strength))).collect();
    let mut missing: HashSet<u64> = all.iter().flat_map(|(_, tuples)| tuples.iter().copied()).collect();
    let mut rows = Vec::new();
    while !missing.is_empty() {
        let gain = |(_, tuples): &&(Place, Vec<u64>)| tuples.iter().filter(|t| missing.contains(t)).count();
        // Of several, the first: `max_by_key` takes the last.
        let (place, tuples) = all.iter().rev().max_by_key(gain).expect("what is missing is in some row");
        tuples.iter().for_each(|tuple| {
            missing.remove(tuple);
        });
        rows.push(*place);
    }
    rows
}

#[test]
fn rows_cover_every_pair_and_make_sense() {
    let rows = covering(2);
    assert!((32..60).contains(&rows.len()), "{} rows", rows.len());
    let of = |places: &[Place]| places.iter().flat_map(|place| tuples(place, 2)).collect::<HashSet<_>>();
    assert_eq!(of(&rows), of(&sensible()));
    assert!(rows.iter().all(|place| is_sensible(&client(place))));
}

/// A row as the table says it.
fn name(client: &Hostile) -> String {
    let kind = match client.kind {
        Kind::Health => "GET /healthz",
        Kind::NotModified => "304s",
        Kind::Greet => "POST greet",
        Kind::Megabyte => "1 MB answers",
        Kind::Spin => "POST spin",
        Kind::Head => "unfinished heads",
        Kind::Body => "unfinished bodies",
        Kind::Rubbish => "rubbish",
    };
    let half = if client.half_closes { ", half-closed" } else { "" };
    let reads = match client.reads {
        Reads::All => "",
        Reads::Slowly => ", read slowly",
        Reads::Never => ", not read",
    };
    let rate = client.reconnects.map_or_else(|| "kept".into(), |rate| format!("{rate} new/s"));
    format!("{kind} × {} on {} connections{half}{reads}, {rate}", client.depth, client.connections)
}

/// What the gateway says and takes while it is attacked.
#[derive(Debug, Default)]
struct Peaks {
    rss_kb: usize,
    connections: usize,
    wrong: Vec<String>,
}

impl Peaks {
    fn look(&mut self, target: &Target, asks: &mut std::io::Result<TcpStream>) {
        self.rss_kb = self.rss_kb.max(target.vitals().rss_kb);
        let metrics = match asks {
            Ok(stream) => get(stream, "/metrics"),
            Err(error) => Err(std::io::Error::new(error.kind(), "no connection")),
        };
        let open = metrics.as_ref().ok().and_then(|reply| {
            let text = reply.text();
            text.lines().find_map(|line| line.strip_prefix("fuelbox_connections_open ")?.parse().ok())
        });
        match open {
            Some(open) => self.connections = self.connections.max(open),
            None => {
                self.wrong.push(format!("/metrics: {:?}", metrics.map(|reply| reply.status)));
                *asks = connect_to(target.address());
            }
        }
    }
}

/// What came of a row.
struct Row {
    client: Hostile,
    took: Duration,
    did: Did,
    saw: Saw,
    peaks: Peaks,
    before: Vitals,
    after: Vitals,
}

/// Whether nothing is left behind. Before, there may have been a connection that was about to be closed.
fn is_back(before: &Vitals, now: &Vitals) -> bool {
    now.descriptors <= before.descriptors
        && now.threads <= before.threads
        && now.rss_kb <= before.rss_kb + scale(4096, 2048)
}

/// Attacks, with honest clients beside it, and waits until all of it is over.
fn run(client: Hostile, target: &Target) -> Row {
    let address = target.address();
    let before = target.vitals();
    let mut asks = connect_to(address);
    let tag = asks.as_mut().ok().and_then(|stream| get(stream, "/plugins").ok());
    let tag = tag.and_then(|reply| reply.header("etag").map(str::to_string)).unwrap_or_default();
    let honest = Honest::start(address);
    let time = scale(Duration::from_millis(350), Duration::from_secs(4));
    let begin = Instant::now();
    let attacker = spawn(move || client.attack(address, &tag, begin + time));
    let mut peaks = Peaks::default();
    while begin.elapsed() < time {
        peaks.look(target, &mut asks);
        sleep(Duration::from_millis(40));
    }
    let did = attacker.join().unwrap();
    let took = begin.elapsed();
    let saw = honest.end();
    drop(asks);
    let after = target.settle(|now| is_back(&before, now));
    Row { client, took, did, saw, peaks, before, after }
}

impl Row {
    fn print(&self) {
        let Row { did, saw, peaks, before, after, .. } = self;
        let share = 100.0 * did.processor.as_secs_f64() / self.took.as_secs_f64();
        let attacker = format!(
            "{share:.0} % of a processor, {} connections, {} of them failed, {} answers; {} open",
            did.opened, did.failed, did.answers, peaks.connections
        );
        let ms = |part| saw.percentile(part).as_secs_f64() * 1000.0;
        println!(
            "attack | {} (attacker: {attacker}) | {:.1} s | {} | {} | {} | {:.1} | {:.1} | {:.1} | {} -> {} ({}) | {} -> {} | \
             {} -> {} |",
            name(&self.client),
            self.took.as_secs_f64(),
            saw.ok,
            saw.busy,
            saw.evicted,
            ms(0.5),
            ms(0.99),
            ms(1.0),
            before.rss_kb,
            after.rss_kb,
            peaks.rss_kb,
            before.threads,
            after.threads,
            before.descriptors,
            after.descriptors,
        );
    }

    /// What is left behind.
    fn left(&self) -> Option<String> {
        let Row { before, after, .. } = self;
        (!is_back(before, after))
            .then(|| format!("{}: before {before:?}, after {after:?}", name(&self.client)))
    }

    /// What others noticed.
    fn noticed(&self) -> Vec<String> {
        let Row { client, saw, peaks, before, .. } = self;
        let has_bytes = matches!(client.kind, Kind::Megabyte | Kind::Body);
        let rss_max = before.rss_kb + if has_bytes { BUDGET_KB } else { SMALL_KB };
        let mut noticed: Vec<String> = saw.wrong.iter().chain(&peaks.wrong).take(3).cloned().collect();
        let mut check = |is_right: bool, what: String| noticed.extend((!is_right).then_some(what));
        check(saw.busy == 0, format!("{} honest requests refused", saw.busy));
        check(saw.evicted == 0, format!("an honest connection was closed {} times", saw.evicted));
        check(saw.ok > 0, "no honest request answered".into());
        check(
            peaks.connections <= CONNECTIONS_PER_CLIENT + OURS,
            format!("{} connections open", peaks.connections),
        );
        check(peaks.rss_kb <= rss_max, format!("{} -> {} kB", before.rss_kb, peaks.rss_kb));
        noticed.extend(self.lateness());
        noticed.into_iter().map(|what| format!("{}: {what}", name(client))).collect()
    }

    /// How late answers were, if they were; in small size nobody asks.
    fn lateness(&self) -> Option<String> {
        let p99 = self.saw.percentile(0.99);
        let most = Duration::from_millis(if self.client.kind == Kind::Spin { 100 } else { 50 });
        (full() && p99 >= most).then(|| format!("p99 {p99:?}"))
    }
}

#[test]
fn no_hostile_client_of_the_matrix_is_noticed_by_others() {
    let _turn = turn();
    let (most, per_client) = (
        format!("--max-connections={CONNECTIONS_MAX}"),
        format!("--max-connections-per-client={CONNECTIONS_PER_CLIENT}"),
    );
    let mut flags = vec![scale("--timeout=200ms", "--timeout=1s"), &most];
    if HAS_SHARES {
        flags.push(&per_client);
    }
    let target = Target::start(&flags);
    target.warm_up();
    let before = target.vitals();
    let rows = covering(scale(2, 3));
    println!("attack note | matrix | {} rows", rows.len());
    let (mut left, mut noticed) = (Vec::new(), Vec::new());
    for place in rows {
        let mut row = run(client(&place), &target);
        row.print();
        for _ in 1..ATTEMPTS {
            // One thing was noticed: that.
            if row.lateness().is_none() || row.noticed().len() > 1 {
                break;
            }
            row = run(client(&place), &target);
            row.print();
        }
        left.extend(row.left());
        noticed.extend(row.noticed());
    }
    let after = target.vitals();
    println!("attack note | matrix | {} -> {} kB in all", before.rss_kb, after.rss_kb);
    noticed.iter().for_each(|what| println!("attack note | matrix | noticed: {what}"));
    assert!(left.is_empty(), "{left:#?}");
    assert!(after.rss_kb <= before.rss_kb + LEFT_KB, "{before:?} {after:?}");
    assert!(noticed.is_empty() || !HAS_SHARES, "{noticed:#?}");
}
