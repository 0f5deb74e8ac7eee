//! `fuelbox list`: the plug-ins and their functions.

use super::args::List;
use super::{Failure, note, output, target};
use crate::abi::Convention;
use crate::folder::Folder;
use crate::plugins::Plugins;
use crate::policy::Rules;
use crate::text::printable_lines;
use std::fmt::Write;

/// Lists them.
pub fn execute(list: List) -> Result<(), Failure> {
    let plugins = Plugins::new();
    let rules = Rules { limits: list.limits.clone(), ..Rules::default() };
    match target::folder(&list.source)? {
        Some(folder) => {
            let changes = Folder::new(&folder).scan(&plugins, &rules)?;
            for error in changes.failed {
                note(&format!("not loaded: {error}"));
            }
        }
        None => {
            target::say_built_in();
            plugins.add_built_in(&list.limits)?;
        }
    }
    let mut text = String::new();
    for plugin in plugins.all() {
        let facts = plugin.program.facts();
        // Writing to a String does not fail.
        let _ = writeln!(text, "{}  ({} bytes)", plugin.name, plugin.program.size());
        for (name, signature) in facts.functions() {
            let convention = Convention::of(facts, name).map_or("-", Convention::name);
            let _ = writeln!(text, "  {convention:8} {name}{signature}");
        }
    }
    output(printable_lines(&text).as_bytes())
}
