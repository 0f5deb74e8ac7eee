//! A profile in the file format of speedscope (<https://www.speedscope.app/file-format-schema.json>), which other viewers read,
//! too. Fuel is a number without a unit.

use crate::base::trace::{Node, Profile};
use serde_json::{Value, json};

/// The profile of a run of the module `name`, as JSON.
pub fn json(profile: &Profile, name: &str) -> String {
    let (events, total) = events(&profile.nodes);
    let frames: Vec<Value> = profile.names.iter().map(|name| json!({ "name": name })).collect();
    let title = if profile.is_cut {
        format!("{name}: fuel (calls beyond the first {} paths count to their callers)", profile.nodes.len())
    } else {
        format!("{name}: fuel")
    };
    let file = json!({
        "$schema": "https://www.speedscope.app/file-format-schema.json",
        "exporter": concat!("fuelbox ", env!("CARGO_PKG_VERSION")),
        "name": title,
        "shared": { "frames": frames },
        "profiles": [{
            "type": "evented", "name": title, "unit": "none", "startValue": 0, "endValue": total, "events": events,
        }],
    });
    file.to_string() + "\n"
}

/// Each node opens, has its own fuel, then its callees, and closes. Returns the events, and all fuel.
fn events(nodes: &[Node]) -> (Vec<Value>, u64) {
    let mut callees = vec![Vec::new(); nodes.len()];
    for (number, node) in nodes.iter().enumerate().skip(1) {
        if let Some(callees) = callees.get_mut(node.parent as usize) {
            callees.push(number);
        }
    }
    let event = |kind: &str, node: &Node, at: u64| json!({ "type": kind, "frame": node.name, "at": at });
    let mut events = Vec::with_capacity(2 * nodes.len());
    let mut fuel = 0u64;
    // Not by recursion: a guest decides how deep its calls are.
    let mut open: Vec<(usize, std::vec::IntoIter<usize>)> = Vec::new();
    let mut next = (!nodes.is_empty()).then_some(0);
    loop {
        if let Some(number) = next {
            events.push(event("O", &nodes[number], fuel));
            fuel = fuel.saturating_add(nodes[number].fuel);
            open.push((number, std::mem::take(&mut callees[number]).into_iter()));
        }
        let Some((number, rest)) = open.last_mut() else { return (events, fuel) };
        next = rest.next();
        if next.is_none() {
            events.push(event("C", &nodes[*number], fuel));
            open.pop();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_open_and_close_within_each_other() {
        let node = |name, parent, fuel| Node { name, parent, fuel, calls: 1 };
        let nodes = vec![node(0, 0, 1), node(1, 0, 10), node(2, 1, 5), node(1, 2, 7), node(2, 0, 3)];
        let names = vec!["(host)".into(), "a".into(), "b".into()];
        let file: Value =
            serde_json::from_str(&json(&Profile { nodes, names, is_cut: false }, "m.wasm")).unwrap();
        let profile = &file["profiles"][0];
        let event = |event: &Value| {
            let kind = event["type"].as_str().unwrap();
            format!("{kind}{} {}", event["frame"], event["at"])
        };
        let events: Vec<String> = profile["events"].as_array().unwrap().iter().map(event).collect();
        let expected =
            ["O0 0", "O1 1", "O2 11", "O1 16", "C1 23", "C2 23", "C1 23", "O2 23", "C2 26", "C0 26"];
        assert_eq!(events, expected);
        assert_eq!((&profile["unit"], &profile["endValue"]), (&"none".into(), &26.into()));
        assert_eq!(file["shared"]["frames"][2]["name"], "b");
    }
}
