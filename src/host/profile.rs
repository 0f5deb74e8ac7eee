//! Fuel by function and by the calls that led to it, counted while a guest runs. Its size is bounded.

use crate::base::limits::PROFILE_NODES_MAX;
use crate::base::trace::{Node, Profile};
use std::collections::HashMap;

/// Instead of a function: the host.
const HOST: u32 = u32::MAX;

/// A tree of calls. Calls that are too many for it count to their callers.
pub struct Calls {
    /// A node's function is in `name`.
    nodes: Vec<Node>,
    /// Nodes by caller and function.
    by_call: HashMap<(u32, u32), u32>,
    /// The node of the function that runs.
    current: u32,
    /// Calls from there on that have no node and have not ended.
    without: u64,
    is_cut: bool,
    /// Fuel that has been counted.
    counted: u64,
}

impl Default for Calls {
    fn default() -> Calls {
        let host = Node { name: HOST, parent: 0, fuel: 0, calls: 1 };
        Calls {
            nodes: vec![host],
            by_call: HashMap::new(),
            current: 0,
            without: 0,
            is_cut: false,
            counted: 0,
        }
    }
}

impl Calls {
    /// Counts the fuel since the last time to the function that runs. `fuel` is all that was used so far.
    pub fn charge(&mut self, fuel: u64) {
        if let Some(node) = self.nodes.get_mut(self.current as usize) {
            node.fuel += fuel.saturating_sub(self.counted);
        }
        self.counted = fuel;
    }

    /// The function that runs calls `function`.
    pub fn enter(&mut self, function: u32, fuel: u64) {
        self.charge(fuel);
        if self.without > 0 {
            self.without += 1;
            return;
        }
        let next = self.nodes.len() as u32;
        let key = (self.current, function);
        let node = match self.by_call.get(&key) {
            Some(node) => *node,
            None if self.nodes.len() < PROFILE_NODES_MAX => {
                self.by_call.insert(key, next);
                self.nodes.push(Node { name: function, parent: self.current, fuel: 0, calls: 0 });
                next
            }
            None => {
                self.is_cut = true;
                self.without = 1;
                return;
            }
        };
        self.current = node;
        if let Some(node) = self.nodes.get_mut(node as usize) {
            node.calls += 1;
        }
    }

    /// The function that runs ends.
    pub fn leave(&mut self, fuel: u64) {
        self.charge(fuel);
        if self.without > 0 {
            self.without -= 1;
            return;
        }
        self.current = self.nodes.get(self.current as usize).map_or(0, |node| node.parent);
    }

    /// Whether it has this function.
    pub fn has(&self, function: u32) -> bool {
        self.nodes.iter().any(|node| node.name == function)
    }

    /// What was counted, with the names of functions.
    pub fn named(mut self, name: impl Fn(u32) -> String) -> Profile {
        let mut places = HashMap::new();
        let mut names = Vec::new();
        for node in &mut self.nodes {
            node.name = *places.entry(node.name).or_insert_with(|| {
                names.push(if node.name == HOST { "(host)".into() } else { name(node.name) });
                names.len() as u32 - 1
            });
        }
        Profile { nodes: self.nodes, names, is_cut: self.is_cut }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fuel_counts_to_the_function_that_runs_and_to_the_way_there() {
        let mut calls = Calls::default();
        calls.enter(1, 10);
        calls.enter(2, 15);
        calls.leave(22);
        calls.enter(2, 23);
        calls.leave(24);
        calls.leave(30);
        calls.enter(2, 31);
        calls.leave(33);
        calls.charge(40);
        let profile = calls.named(|function| format!("f{function}"));
        let shown: Vec<_> = profile
            .nodes
            .iter()
            .map(|node| (&*profile.names[node.name as usize], node.parent, node.fuel, node.calls))
            .collect();
        assert_eq!(shown, [("(host)", 0, 18, 1), ("f1", 0, 12, 1), ("f2", 1, 8, 2), ("f2", 0, 2, 1)]);
    }

    #[test]
    fn what_is_too_much_counts_to_the_caller() {
        let mut calls = Calls::default();
        let depth = PROFILE_NODES_MAX as u32 + 100;
        (0..depth).for_each(|n| calls.enter(n, n.into()));
        (0..depth).for_each(|n| calls.leave((depth + n).into()));
        assert_eq!((calls.current, calls.without), (0, 0));
        calls.leave(u64::from(depth) * 2);
        calls.enter(5, u64::from(depth) * 2);
        let profile = calls.named(|_| String::new());
        assert_eq!(profile.nodes.len(), PROFILE_NODES_MAX);
        assert!(profile.is_cut);
        assert_eq!(profile.nodes.iter().map(|node| node.fuel).sum::<u64>(), u64::from(depth) * 2);
    }
}
