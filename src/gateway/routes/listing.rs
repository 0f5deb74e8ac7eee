//! `/plugins`: what is loaded and what does not load, as JSON.

use crate::abi::Convention;
use crate::base::escape::{cut, json_line};
use crate::base::heap;
use crate::base::heap::NoMemory;
use crate::base::limits::{LISTED_BYTES_MAX, LISTED_REFUSED_MAX, MESSAGE_BYTES_MAX};
use crate::plugins::policy::PluginRoute;
use crate::plugins::registry::{Plugin, Plugins};
use crate::sandbox::pool::Pool;
use serde_json::{Value, json};
use std::path::Path;

/// What one plug-in takes while its part is written: as a value and as text, with escapes.
const PIECE_BYTES_MAX: usize = 24 * LISTED_BYTES_MAX;

/// The list as text.
///
/// # Errors
/// The system has no memory for it.
pub fn text(plugins: &Plugins) -> Result<String, NoMemory> {
    let mut out = Vec::new();
    let put = |out: &mut Vec<u8>, value: Value| {
        heap::check(PIECE_BYTES_MAX)?;
        heap::extend(out, json_line(&value.to_string()).as_bytes())
    };
    // Plug-in by plug-in: as one value, the list would take some ten times its text.
    heap::extend(&mut out, b"{\"plugins\":[")?;
    for (at, plugin) in plugins.all().iter().enumerate() {
        heap::extend(&mut out, if at > 0 { b"," } else { b"" })?;
        put(&mut out, of_plugin(plugin))?;
    }
    heap::extend(&mut out, b"],\"refused\":[")?;
    let refused = plugins.refused();
    for (at, (path, reason)) in refused.iter().take(LISTED_REFUSED_MAX).enumerate() {
        heap::extend(&mut out, if at > 0 { b"," } else { b"" })?;
        put(&mut out, of_refused(path, reason))?;
    }
    let more = refused.len().saturating_sub(LISTED_REFUSED_MAX);
    heap::extend(&mut out, format!("],\"more_refused\":{more}}}\n").as_bytes())?;
    // All that was put in is text.
    String::from_utf8(out).map_err(|_| NoMemory)
}

fn of_refused(path: &Path, reason: &str) -> Value {
    json!({ "file": path.file_name().map(|name| name.to_string_lossy()), "reason": self::reason(path, reason) })
}

/// Why the file at `path` does not load, as clients are told.
pub fn reason(path: &Path, reason: &str) -> String {
    let folder = path.parent().map(|folder| format!("{}/", folder.display())).unwrap_or_default();
    // Where on this machine the folder is concerns no client.
    cut(&reason.replace(&folder, ""), MESSAGE_BYTES_MAX)
}

fn of_plugin(plugin: &Plugin) -> Value {
    let info = plugin.code.info();
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
        "bytes": plugin.code.size(),
        "sha256": plugin.digest.to_string(),
        "memory_pages": info.memory.map(|memory| memory.min_pages),
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
        "routes": policy.routes.iter().map(PluginRoute::text).collect::<Vec<_>>(),
        "functions": functions.collect::<Vec<_>>(),
        "more_functions": listed.more,
    })
}
