//! What the arrows between files add up to: arrows to a room above, and circles.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// What each file uses.
pub type Graph = BTreeMap<String, BTreeSet<String>>;

/// The arrows from a room to one after it in `rooms`, or to `lib.rs`, which re-exports all of them.
pub fn upward(graph: &Graph, rooms: &[&str]) -> Vec<String> {
    let is_in = |file: &str, room: &str| {
        file == room || file.strip_prefix(room).is_some_and(|rest| rest.starts_with('/'))
    };
    let rank = |file: &str| rooms.iter().position(|room| is_in(file, room)).unwrap_or(rooms.len());
    let arrows = graph.iter().flat_map(|(file, used)| used.iter().map(move |used| (file, used)));
    arrows
        .filter(|(file, used)| rank(used) > rank(file))
        .map(|(file, used)| format!("{file} uses {used}"))
        .collect()
}

/// Files that all use each other, be it by way of others.
pub struct Circle {
    arrows: BTreeMap<String, Vec<String>>,
}

impl Circle {
    /// The names of its files.
    pub fn files(&self) -> Vec<&str> {
        self.arrows.keys().map(String::as_str).collect()
    }
}

impl fmt::Display for Circle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "a circle of {} files:", self.arrows.len())?;
        self.arrows.iter().try_for_each(|(file, used)| writeln!(f, "    {file} uses {}", used.join(", ")))
    }
}

/// The circles of `graph`.
pub fn circles(graph: &Graph) -> Vec<Circle> {
    let reach: BTreeMap<&String, BTreeSet<&String>> =
        graph.keys().map(|file| (file, reachable(graph, file))).collect();
    let mut done = BTreeSet::new();
    let mut circles = Vec::new();
    for (file, reached) in &reach {
        if !reached.contains(file) || done.contains(file) {
            continue;
        }
        let members: BTreeSet<&String> = reached
            .iter()
            .copied()
            .filter(|other| reach.get(other).is_some_and(|r| r.contains(file)))
            .collect();
        let inside = |file: &String| {
            graph[file].iter().filter(|used| members.contains(used)).cloned().collect::<Vec<_>>()
        };
        circles.push(Circle { arrows: members.iter().map(|file| ((*file).clone(), inside(file))).collect() });
        done.extend(members);
    }
    circles
}

/// The files that `from` uses, be it by way of others.
fn reachable<'a>(graph: &'a Graph, from: &String) -> BTreeSet<&'a String> {
    let mut reached = BTreeSet::new();
    let mut next: Vec<&String> = graph[from].iter().collect();
    while let Some(file) = next.pop() {
        if reached.insert(file) {
            next.extend(graph.get(file).into_iter().flatten());
        }
    }
    reached
}
