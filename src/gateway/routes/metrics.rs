//! `/metrics`: what the gateway and its plug-ins did, for Prometheus.
//!
//! Nothing is registered while requests are served: a scrape reads the counts that are there.

use super::counters::Counters;
use super::exposition::{Exposition, Format, Type};
use crate::base::escape::printable_lines;
use crate::base::memory::Memory;
use crate::gateway::http::head::values;
use crate::gateway::http::message::{Request, Response};
use crate::gateway::http::service::Status;
use crate::plugins::registry::Plugin;
use crate::plugins::stats::{BOUNDS_NS, Counts, DEATHS, Histogram};
use crate::runner::Runner;
use rustix::process::Resource;
use rustix::time::{ClockId, clock_gettime};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::UNIX_EPOCH;

/// `Content-Type` of OpenMetrics.
pub const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// `Content-Type` of the classic format.
pub const CLASSIC: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The response to a scrape.
pub fn answer(request: &Request, status: &Status, runner: &Runner, counters: &Counters) -> Response {
    let (format, content_type) = if wants_open_metrics(&request.head) {
        (Format::OpenMetrics, OPEN_METRICS)
    } else {
        (Format::Classic, CLASSIC)
    };
    let mut text = Exposition::new(format);
    let plugins = runner.plugins().all();
    of_plugins(&mut text, &plugins, counters);
    digests(&mut text, &plugins);
    of_gateway(&mut text, status, &plugins, runner);
    of_process(&mut text, counters, runner);
    of_guests(&mut text, runner);
    of_others(&mut text, counters);
    Response::new(200, content_type, text.finish())
}

/// Whether the `Accept` fields of `head` name OpenMetrics, and do not like plain text better (RFC 9110, section
/// 12.5.1). Prometheus names both and likes OpenMetrics better; what names neither gets what any reader knows.
fn wants_open_metrics(head: &[u8]) -> bool {
    let accept = values(head, "accept");
    let ranges = accept.iter().filter_map(|value| std::str::from_utf8(value).ok()).flat_map(|v| v.split(','));
    let (mut open, mut plain) = (0.0, 0.0);
    for range in ranges {
        let mut parts = range.split(';').map(str::trim);
        let best: &mut f32 = match parts.next().unwrap_or_default() {
            name if name.eq_ignore_ascii_case("application/openmetrics-text") => &mut open,
            name if name.eq_ignore_ascii_case("text/plain") => &mut plain,
            _ => continue,
        };
        let weight = parts.find_map(|part| part.strip_prefix("q=").or(part.strip_prefix("Q=")));
        let weight = weight.map_or(1.0, |weight| weight.parse().unwrap_or(0.0));
        *best = best.max(weight);
    }
    open > 0.0 && open >= plain
}

/// The name of a plug-in, with what must not reach a terminal escaped. Backslashes are, too, so that two names never give
/// one label.
fn label(name: &str) -> String {
    printable_lines(&name.replace('\\', "\\\\"))
}

/// The plug-ins that did something: label, counts, plug-in.
type Seen<'a> = Vec<(String, &'a Counts, &'a Plugin)>;

fn of_plugins(text: &mut Exposition, plugins: &[Arc<Plugin>], counters: &Counters) {
    let seen: Seen<'_> = plugins
        .iter()
        .filter_map(|plugin| Some((label(&plugin.name), plugin.stats.seen()?, &**plugin)))
        .collect();
    let help = "Requests by plug-in, none for other paths, and what came of them";
    text.family("fuelbox_requests", Type::Counter, help);
    let others = counters.of_others().into_iter().map(|(outcome, count)| ("", outcome, count));
    let of_each = seen.iter().flat_map(|(name, counts, _)| {
        Counters::of_plugin(counts).into_iter().map(|(outcome, count)| (name.as_str(), outcome, count))
    });
    for (plugin, outcome, count) in others.chain(of_each) {
        text.sample("fuelbox_requests", "_total", &[("plugin", plugin), ("outcome", outcome)], count);
    }
    times(text, ("fuelbox_run_seconds", "Time in the called function"), &seen, |counts| &counts.run);
    let name = ("fuelbox_instantiate_seconds", "Time to make instances, warm ones left out");
    times(text, name, &seen, |counts| &counts.instantiate);
    type Get = fn(&Counts, &Plugin) -> u64;
    let counters: [(&str, &str, Get); 3] = [
        ("fuelbox_fuel_used", "Fuel units used by runs", |counts, _| counts.fuel.load(Relaxed)),
        ("fuelbox_growths_denied", "Growths of memory and tables that were denied", |counts, _| {
            counts.denied_growths.load(Relaxed)
        }),
        ("fuelbox_guest_log_lines_dropped", "Lines of guests that were kept out of the log", |_, plugin| {
            plugin.log.dropped()
        }),
    ];
    for (name, help, get) in counters {
        text.family(name, Type::Counter, help);
        for (plugin, counts, of) in &seen {
            text.sample(name, "_total", &[("plugin", plugin)], get(counts, of));
        }
    }
    let name = "fuelbox_guest_deaths";
    text.family(name, Type::Counter, "Processes that died while they ran a guest, by reason");
    for (plugin, counts, _) in &seen {
        for (how, deaths) in DEATHS.iter().zip(&counts.deaths) {
            let deaths = deaths.load(Relaxed);
            if deaths > 0 {
                text.sample(name, "_total", &[("plugin", plugin), ("reason", how)], deaths);
            }
        }
    }
    let name = "fuelbox_http_calls";
    text.family(
        name,
        Type::Counter,
        "HTTP calls of guests by what came of them, since their policy was read",
    );
    for (plugin, _, of) in &seen {
        for (outcome, count) in of.policy.guest_env.http.counts().seen() {
            text.sample(name, "_total", &[("plugin", plugin), ("outcome", outcome)], count);
        }
    }
    let name = "fuelbox_memory_peak_pages";
    text.family(name, Type::Gauge, "The most pages of 64 KiB that a run had");
    for (plugin, counts, _) in &seen {
        text.sample(name, "", &[("plugin", plugin)], counts.peak_pages.load(Relaxed));
    }
}

fn digests(text: &mut Exposition, plugins: &[Arc<Plugin>]) {
    let name = "fuelbox_plugin_info";
    text.family(name, Type::Gauge, "Plug-ins that serve, and the SHA-256 of their modules");
    for plugin in plugins {
        let labels = [("plugin", &*label(&plugin.name)), ("sha256", &plugin.digest.to_string())];
        text.sample(name, "", &labels, 1);
    }
}

fn times(
    text: &mut Exposition,
    (name, help): (&str, &str),
    seen: &Seen<'_>,
    of: impl Fn(&Counts) -> &Histogram,
) {
    text.family(name, Type::Histogram, help);
    for (plugin, counts, _) in seen {
        let histogram = of(counts);
        let mut count = 0;
        for (at, in_bucket) in histogram.buckets().into_iter().enumerate() {
            count += in_bucket;
            let bound = BOUNDS_NS.get(at).map_or("+Inf".into(), |ns| bound(*ns));
            text.sample(name, "_bucket", &[("le", &bound), ("plugin", plugin)], count);
        }
        text.sample(name, "_sum", &[("plugin", plugin)], histogram.sum_seconds());
        text.sample(name, "_count", &[("plugin", plugin)], count);
    }
}

/// A bound in seconds, as OpenMetrics writes numbers of this size: `0.00001`, `1.0`.
fn bound(ns: u64) -> String {
    let text = (ns as f64 / 1e9).to_string();
    if text.contains('.') { text } else { text + ".0" }
}

fn of_gateway(text: &mut Exposition, status: &Status, plugins: &[Arc<Plugin>], runner: &Runner) {
    let warm: usize = plugins.iter().filter_map(|plugin| Some(plugin.warm.as_ref()?.len())).sum();
    for (name, help, value) in [
        ("fuelbox_workers_busy", "Guests that run", status.running),
        ("fuelbox_workers_limit", "Guests that may run at once (--workers)", status.workers),
        ("fuelbox_queue_length", "Requests that wait for a worker", status.queued),
        ("fuelbox_queue_limit", "Requests that may wait (--queue)", status.queue_limit),
        ("fuelbox_connections_open", "Client connections", status.connections),
        (
            "fuelbox_connections_limit",
            "Client connections allowed (--max-connections)",
            status.connections_limit,
        ),
        ("fuelbox_clients_open", "Clients that have a connection", status.clients),
        (
            "fuelbox_client_connections_limit",
            "Connections of one client (--max-connections-per-client)",
            status.client_connections_limit,
        ),
        (
            "fuelbox_client_workers_limit",
            "Guests of one client that may run at once (--client-share)",
            status.client_workers,
        ),
        ("fuelbox_buffered_bytes", "Bytes of requests and unsent responses", status.buffered),
        ("fuelbox_buffered_limit_bytes", "Bytes allowed for them (--body-budget)", status.buffered_limit),
        ("fuelbox_plugins_loaded", "Plug-ins that serve", plugins.len()),
        ("fuelbox_plugins_refused", "Modules that do not load", runner.plugins().refused().len()),
        ("fuelbox_warm_instances", "Instances kept for further calls", warm),
        ("fuelbox_warm_bytes", "Bytes that they take", runner.plugins().warm_bytes()),
    ] {
        text.gauge(name, help, value);
    }
    text.counter("fuelbox_connections_accepted", "Client connections taken", status.accepted);
    text.counter("fuelbox_connections_refused", "Connections closed at once", status.refused);
    let name = "fuelbox_connections_evicted";
    let help = "Connections closed so that others have room, their own client or another, or for the budget of bytes";
    text.family(name, Type::Counter, help);
    for (reason, value) in [
        ("room", status.evicted_for_room),
        ("client", status.evicted_for_share),
        ("budget", status.evicted_for_budget),
    ] {
        text.sample(name, "_total", &[("reason", reason)], value);
    }
}

fn of_process(text: &mut Exposition, counters: &Counters, runner: &Runner) {
    let loads = runner.catalog().loads();
    for (name, help, counter) in [
        ("fuelbox_plugin_loads", "Modules loaded, new ones and replacements", &loads.loaded),
        ("fuelbox_plugin_removals", "Plug-ins whose module is gone", &loads.removed),
        ("fuelbox_plugin_load_failures", "Modules that did not load", &loads.failed),
        ("fuelbox_folder_failures", "Looks at a folder that failed", &loads.unreadable),
    ] {
        text.counter(name, help, counter.load(Relaxed));
    }
    if let Some(lines) = counters.log_dropped {
        let help = "Lines dropped, as nobody read standard error or its file was full";
        text.counter("fuelbox_log_lines_dropped", help, lines.load(Relaxed));
    }
    text.family("fuelbox_build_info", Type::Gauge, "Version of the program");
    let version = [("version", env!("CARGO_PKG_VERSION")), ("arch", std::env::consts::ARCH)];
    text.sample("fuelbox_build_info", "", &version, 1);
    let name = "fuelbox_host_info";
    text.family(name, Type::Gauge, "Name of the machine");
    let host = rustix::system::uname();
    text.sample(name, "", &[("nodename", &*label(&host.nodename().to_string_lossy()))], 1);
    let uptime = counters.began.elapsed().as_secs_f64();
    text.gauge("fuelbox_uptime_seconds", "Time since the gateway began", uptime);
    let started = counters.started.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
    text.gauge("process_start_time_seconds", "When the gateway began, in seconds since 1970", started);
    let cpu = clock_gettime(ClockId::ProcessCPUTime);
    let name = "process_cpu_seconds";
    text.family(name, Type::Counter, "CPU time of the gateway's own process, in seconds");
    text.sample(name, "_total", &[], cpu.tv_sec as f64 + cpu.tv_nsec as f64 / 1e9);
    if let Some(memory) = Memory::own() {
        text.gauge("process_resident_memory_bytes", "Memory of the gateway's own process", memory.resident);
    }
    if let Ok(open) = std::fs::read_dir("/proc/self/fd") {
        // One of them is for looking.
        text.gauge(
            "process_open_fds",
            "Open descriptors of the gateway's own process",
            open.count().saturating_sub(1),
        );
    }
    if let Some(limit) = rustix::process::getrlimit(Resource::Nofile).current {
        text.gauge("process_max_fds", "Descriptors that it may have", limit);
    }
}

/// Of the processes that guests run in, if they do. A process's part of the program's file is not its own.
fn of_guests(text: &mut Exposition, runner: &Runner) {
    let Some(usage) = runner.process_usage() else { return };
    text.gauge("fuelbox_guest_processes", "Processes for guests", usage.processes);
    if let Some(bytes) = usage.bytes {
        text.gauge("fuelbox_guest_memory_bytes", "Memory that they have for themselves", bytes);
    }
    let name = "fuelbox_guest_cpu_seconds";
    text.family(name, Type::Counter, "CPU time of processes for guests, of those that have ended too");
    text.sample(name, "_total", &[], usage.cpu.as_secs_f64());
}

/// What others in this process count, if there are any.
fn of_others(text: &mut Exposition, counters: &Counters) {
    for counted in counters.others.get().into_iter().flatten() {
        text.family(counted.name, Type::Counter, counted.help);
        for (value, read) in &counted.samples {
            text.sample(counted.name, "_total", &[(counted.label, value)], read());
        }
    }
}
