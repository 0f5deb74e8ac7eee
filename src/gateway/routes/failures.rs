//! The last failures of plug-ins (5xx): a line in the log for each, and the last of them at `/failures`.
//!
//! What a guest says can be another client's: the detail and the output are only for who may deploy.

use crate::base::escape::{cut, json_line};
use crate::base::limits::{FAILURES_KEPT, FUNCTION_NAME_BYTES_MAX, MESSAGE_BYTES_MAX};
use crate::base::lock::lock;
use crate::gateway::http::message::{Failure, JSON, Request, Response};
use crate::gateway::http::problem::{self, Kind};
use crate::plugins::registry::Plugin;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

/// A failure that is kept.
struct Kept {
    time: SystemTime,
    plugin: String,
    request_id: Arc<str>,
    kind: Kind,
    /// Its texts are cut.
    failure: Failure,
}

/// The last failures, the oldest first.
#[derive(Default)]
pub struct Failures(Mutex<VecDeque<Kept>>);

impl Failures {
    /// Logs and keeps what `response` says, if that is a failure of a plug-in.
    pub fn note(&self, request: &Request, response: &Response) {
        // Refusals of the front door have no plug-in.
        let (Some(plugin), Some(kind), Some(failure)) = (&response.plugin, response.kind, &response.failure)
        else {
            return;
        };
        log(plugin, &request.id, kind, failure);
        let Failure { detail, function, output, trace } = &**failure;
        let failure = Failure {
            detail: cut(detail, MESSAGE_BYTES_MAX),
            function: function.as_ref().map(|name| cut(name, FUNCTION_NAME_BYTES_MAX)),
            // At most `TAIL_LINES_MAX`.
            output: output.clone(),
            // At most `TRACE_SHOWN_MAX` and a few.
            trace: trace.iter().map(|line| cut(line, MESSAGE_BYTES_MAX)).collect(),
        };
        let (plugin, request_id) = (plugin.name.clone(), Arc::clone(&request.id));
        self.keep(Kept { time: SystemTime::now(), plugin, request_id, kind, failure });
    }

    /// Keeps one more. One plug-in does not push out those of others while it has more than they have.
    fn keep(&self, kept: Kept) {
        let mut all = lock(&self.0);
        if all.len() >= FAILURES_KEPT {
            let count = |plugin: &str| all.iter().filter(|kept| kept.plugin == plugin).count();
            let most = all.iter().map(|kept| count(&kept.plugin)).max().unwrap_or(0);
            let oldest = all.iter().position(|kept| count(&kept.plugin) == most);
            oldest.map(|at| all.remove(at));
        }
        all.push_back(kept);
    }

    /// The response to `request`: the newest first.
    pub fn answer(&self, request: &Request) -> Response {
        let is_trusted = request.deploys();
        let all: Vec<Value> = lock(&self.0).iter().rev().map(|kept| shown(kept, is_trusted)).collect();
        let body = json_line(&json!({ "failures": all, "complete": is_trusted }).to_string()) + "\n";
        Response::new(200, JSON, body).with("Cache-Control", "no-store").with("Vary", "Authorization")
    }
}

fn shown(kept: &Kept, is_trusted: bool) -> Value {
    let Kept { time, plugin, request_id, kind, failure: Failure { detail, function, output, trace } } = kept;
    json!({
        "time": humantime::format_rfc3339_millis(*time).to_string(),
        "plugin": plugin,
        "function": function,
        "request_id": &**request_id,
        "status": kind.status,
        "problem": kind.slug,
        "title": kind.title,
        "detail": is_trusted.then_some(detail),
        "output": is_trusted.then_some(output),
        "trace": is_trusted.then_some(trace),
    })
}

/// A line of the log. Those of a plug-in share its budget.
fn log(plugin: &Plugin, id: &str, kind: Kind, failure: &Failure) {
    let level = if kind == problem::INTERNAL { log::Level::Error } else { log::Level::Warn };
    let name = plugin.name.as_str();
    let detail = cut(&failure.detail, MESSAGE_BYTES_MAX);
    let function = failure.function.as_deref().map(|name| cut(name, FUNCTION_NAME_BYTES_MAX));
    let function = function.as_deref();
    let mut fields = vec![("request_id", id), ("problem", kind.slug), ("message", detail.as_str())];
    fields.extend(function.map(|function| ("function", function)));
    let calls = cut(&failure.trace.join(", "), MESSAGE_BYTES_MAX);
    let calls = Some(calls).filter(|calls| !calls.is_empty());
    fields.extend(calls.as_deref().map(|calls| ("calls", calls)));
    let of = function.map(|function| format!(" {function}:")).unwrap_or_default();
    let mut line = format!("{name} {id}:{of} {} {}: {detail}", kind.status, kind.slug);
    if let Some(last) = failure.output.last() {
        line += &format!(" (it said last: {last})");
    }
    if let Some(calls) = &calls {
        line += &format!(" (calls: {calls})");
    }
    plugin.log.tell_with(level, name, &fields, &line);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(plugin: &str, number: usize) -> Kept {
        let failure = Failure { detail: number.to_string(), ..Failure::default() };
        let (time, plugin) = (SystemTime::UNIX_EPOCH, plugin.to_string());
        Kept { time, plugin, request_id: "id".into(), kind: problem::TRAP, failure }
    }

    #[test]
    fn a_plug_in_that_fails_all_the_time_leaves_the_failures_of_others() {
        let failures = Failures::default();
        (0..3).for_each(|number| failures.keep(kept("rare", number)));
        (0..1_000).for_each(|number| failures.keep(kept("often", number)));
        let all = lock(&failures.0);
        let of = |plugin: &str| {
            let of = all.iter().filter(|kept| kept.plugin == plugin);
            of.map(|kept| kept.failure.detail.clone()).collect::<Vec<_>>()
        };
        assert_eq!(of("rare"), ["0", "1", "2"]);
        assert_eq!(of("often").last().map(String::as_str), Some("999"));
        assert_eq!(all.len(), FAILURES_KEPT);
    }
}
