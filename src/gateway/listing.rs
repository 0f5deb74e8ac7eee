//! `/plugins`: what is loaded and what does not load, as JSON.

use crate::abi::Convention;
use crate::limits::{LISTED_REFUSED_MAX, MESSAGE_BYTES_MAX};
use crate::plugins::Plugin;
use crate::runner::Runner;
use crate::text::cut;
use crate::warm::Pool;
use serde_json::{Value, json};
use std::path::Path;

/// The list as text.
pub fn text(runner: &Runner) -> String {
    // Plug-in by plug-in: as one value, the list would take some ten times its text.
    let plugins: Vec<String> =
        runner.plugins().all().iter().map(|plugin| of_plugin(plugin).to_string()).collect();
    let refused = runner.plugins().refused();
    let shown: Vec<Value> =
        refused.iter().take(LISTED_REFUSED_MAX).map(|(path, reason)| of_refused(path, reason)).collect();
    let more = refused.len() - shown.len();
    let refused = Value::from(shown);
    format!("{{\"plugins\":[{}],\"refused\":{refused},\"more_refused\":{more}}}\n", plugins.join(","))
}

fn of_refused(path: &Path, reason: &str) -> Value {
    let folder = path.parent().map(|folder| format!("{}/", folder.display())).unwrap_or_default();
    // Where on this machine the folder is concerns no client.
    let reason = cut(&reason.replace(&folder, ""), MESSAGE_BYTES_MAX);
    json!({ "file": path.file_name().map(|name| name.to_string_lossy()), "reason": reason })
}

fn of_plugin(plugin: &Plugin) -> Value {
    let facts = plugin.program.facts();
    let listed = plugin.functions();
    let functions = listed.shown.iter().map(|(name, signature, convention)| {
        json!({
            "name": name,
            "signature": signature.to_string(),
            "convention": convention.map(Convention::name),
        })
    });
    let policy = &plugin.policy;
    let limits = &policy.limits;
    json!({
        "name": plugin.name,
        "bytes": plugin.program.size(),
        "sha256": plugin.digest.to_string(),
        "memory_pages": facts.memory.map(|memory| memory.min_pages),
        "built_in": plugin.path.is_none(),
        "access": policy.access.name(),
        "has_policy": policy.digest.is_some(),
        "program": plugin.is_command(),
        "limits": {
            "fuel": limits.fuel,
            "timeout_ms": limits.deadline.map(|deadline| deadline.as_millis() as u64),
            "memory_pages": limits.memory_pages,
            "input_bytes": limits.input_bytes,
            "output_bytes": limits.output_bytes,
        },
        "workers": policy.workers,
        "warm": plugin.warm.as_ref().map(Pool::most),
        "content_type": policy.content_type,
        "functions": functions.collect::<Vec<_>>(),
        "more_functions": listed.more,
    })
}
