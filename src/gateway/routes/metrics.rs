//! What the gateway and its plug-ins did, as text for Prometheus: OpenMetrics 1.0, or the classic format 0.0.4,
//! which `promtool check metrics` and older scrapers want.
//!
//! Nothing is registered while requests are served: a scrape reads the counts that are there.

use super::counters::{Counters, Outcomes};
use crate::base::escape::printable_lines;
use crate::gateway::http::head::values;
use crate::gateway::http::message::{Request, Response};
use crate::gateway::http::service::Status;
use crate::plugins::registry::Plugin;
use crate::plugins::stats::{BOUNDS_NS, Counts, Histogram};
use crate::runner::Runner;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::{Registry, Unit};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::UNIX_EPOCH;

/// `Content-Type` of OpenMetrics.
pub const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// `Content-Type` of the classic format.
pub const CLASSIC: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The response to a scrape.
pub fn answer(request: &Request, status: &Status, runner: &Runner, counters: &Counters) -> Response {
    let text = open_metrics(status, runner, counters);
    if wants_open_metrics(&request.head) {
        Response::new(200, OPEN_METRICS, text)
    } else {
        Response::new(200, CLASSIC, classic(&text))
    }
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

/// The metrics in OpenMetrics.
fn open_metrics(status: &Status, runner: &Runner, counters: &Counters) -> String {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(Scrape::of(status, runner, counters)));
    let mut text = String::new();
    // Writing to a String does not fail.
    let _ = encode(&mut text, &registry);
    text
}

/// The same in the classic format: a counter's name has its `_total` everywhere, and there are no units and no end.
fn classic(open: &str) -> String {
    let mut text = String::with_capacity(open.len());
    let mut help = "";
    for line in open.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            help = rest;
        } else if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' '))
        {
            let suffix = if kind == "counter" { "_total" } else { "" };
            let help = help.strip_prefix(name).unwrap_or_default();
            text.extend(["# HELP ", name, suffix, help, "\n# TYPE ", name, suffix, " ", kind, "\n"]);
        } else if !line.starts_with('#') {
            text.extend([line, "\n"]);
        }
    }
    text
}

/// What a scrape shows, as it was at one moment, more or less.
#[derive(Debug)]
struct Scrape {
    plugins: Vec<Arc<Plugin>>,
    others: Outcomes,
    started_seconds: f64,
    gauges: Vec<(&'static str, &'static str, i64)>,
    counters: Vec<(&'static str, &'static str, u64)>,
    evicted: [(&'static str, u64); 3],
}

impl Scrape {
    fn of(status: &Status, runner: &Runner, counts: &Counters) -> Scrape {
        let loads = runner.loads();
        let counter = |name, help, counter: &AtomicU64| (name, help, counter.load(Relaxed));
        let plugins = runner.plugins().all();
        let log_dropped = counts.log_dropped.map(|lines| {
            counter(
                "fuelbox_log_lines_dropped",
                "Lines dropped, as nobody read standard error or its file was full",
                lines,
            )
        });
        let since_1970 = counts.started.duration_since(UNIX_EPOCH).unwrap_or_default();
        Scrape {
            others: counts.of_others(),
            started_seconds: since_1970.as_secs_f64(),
            gauges: gauges(status, runner, &plugins),
            counters: [
                ("fuelbox_connections_accepted", "Client connections taken", status.accepted),
                ("fuelbox_connections_refused", "Connections closed at once", status.refused),
                counter("fuelbox_plugin_loads", "Modules loaded, new ones and replacements", &loads.loaded),
                counter("fuelbox_plugin_removals", "Plug-ins whose module is gone", &loads.removed),
                counter("fuelbox_plugin_load_failures", "Modules that did not load", &loads.failed),
                counter("fuelbox_folder_failures", "Looks at a folder that failed", &loads.unreadable),
            ]
            .into_iter()
            .chain(log_dropped)
            .collect(),
            evicted: [
                ("room", status.evicted_for_room),
                ("client", status.evicted_for_share),
                ("budget", status.evicted_for_budget),
            ],
            plugins,
        }
    }

    /// Plug-ins that did something, with what.
    fn seen(&self) -> impl Iterator<Item = (&str, &Counts)> {
        self.plugins.iter().filter_map(|plugin| Some((plugin.name.as_str(), plugin.stats.seen()?)))
    }

    fn requests(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let help = "Requests by plug-in, none for other paths, and what came of them";
        let mut metric = encoder.encode_descriptor("fuelbox_requests", help, None, MetricType::Counter)?;
        for (outcome, count) in &self.others {
            encode_counter(&mut metric, &[("plugin", ""), ("outcome", outcome)], *count)?;
        }
        for (name, counts) in self.seen() {
            for (outcome, count) in Counters::of_plugin(counts) {
                encode_counter(&mut metric, &[("plugin", &*label(name)), ("outcome", outcome)], count)?;
            }
        }
        Ok(())
    }

    fn times(
        &self,
        encoder: &mut DescriptorEncoder<'_>,
        (name, help): (&str, &str),
        of: impl Fn(&Counts) -> &Histogram,
    ) -> fmt::Result {
        let mut metric =
            encoder.encode_descriptor(name, help, Some(&Unit::Seconds), MetricType::Histogram)?;
        for (name, counts) in self.seen() {
            let histogram = of(counts);
            let bounds = BOUNDS_NS.iter().map(|ns| *ns as f64 / 1e9).chain([f64::INFINITY]);
            let buckets: Vec<(f64, u64)> = bounds.zip(histogram.buckets()).collect();
            let count = buckets.iter().map(|(_, count)| count).sum();
            metric.encode_family(&[("plugin", &*label(name))])?.encode_histogram::<NoLabelSet>(
                histogram.sum_seconds(),
                count,
                &buckets,
                None,
            )?;
        }
        Ok(())
    }

    fn of_plugins(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        type Get = fn(&Counts) -> u64;
        let counters: [(&str, &str, Get); 2] = [
            ("fuelbox_fuel_used", "Fuel units used by runs", |counts| counts.fuel.load(Relaxed)),
            ("fuelbox_growths_denied", "Growths of memory and tables that were denied", |counts| {
                counts.denied_growths.load(Relaxed)
            }),
        ];
        for (name, help, get) in counters {
            let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
            for (plugin, counts) in self.seen() {
                encode_counter(&mut metric, &[("plugin", &*label(plugin))], get(counts))?;
            }
        }
        let help = "Lines of guests that were kept out of the log";
        let name = "fuelbox_guest_log_lines_dropped";
        let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
        for plugin in self.plugins.iter().filter(|plugin| plugin.stats.seen().is_some()) {
            encode_counter(&mut metric, &[("plugin", &*label(&plugin.name))], plugin.log.dropped())?;
        }
        let help = "The most pages of 64 KiB that a run had";
        let mut metric =
            encoder.encode_descriptor("fuelbox_memory_peak_pages", help, None, MetricType::Gauge)?;
        for (plugin, counts) in self.seen() {
            let pages = i64::from(counts.peak_pages.load(Relaxed));
            metric.encode_family(&[("plugin", &*label(plugin))])?.encode_gauge(&pages)?;
        }
        Ok(())
    }

    fn of_the_gateway(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        for (name, help, value) in &self.gauges {
            encoder.encode_descriptor(name, help, None, MetricType::Gauge)?.encode_gauge(value)?;
        }
        for (name, help, value) in &self.counters {
            let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
            metric.encode_counter::<NoLabelSet, _, u64>(value, None)?;
        }
        let help = "Connections closed so that others have room, their own client or another, or for the budget of bytes";
        let mut metric =
            encoder.encode_descriptor("fuelbox_connections_evicted", help, None, MetricType::Counter)?;
        for (reason, value) in self.evicted {
            encode_counter(&mut metric, &[("reason", reason)], value)?;
        }
        let help = "Version of the program";
        let mut metric = encoder.encode_descriptor("fuelbox_build_info", help, None, MetricType::Gauge)?;
        let version = [("version", env!("CARGO_PKG_VERSION")), ("arch", std::env::consts::ARCH)];
        metric.encode_family(&version)?.encode_gauge(&1i64)?;
        let help = "When the gateway began, in seconds since 1970";
        let name = "process_start_time";
        let mut metric = encoder.encode_descriptor(name, help, Some(&Unit::Seconds), MetricType::Gauge)?;
        metric.encode_gauge(&self.started_seconds)
    }
}

impl Collector for Scrape {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        self.requests(&mut encoder)?;
        let run = ("fuelbox_run", "Time in the called function");
        self.times(&mut encoder, run, |counts| &counts.run)?;
        let instantiate = ("fuelbox_instantiate", "Time to make instances, warm ones left out");
        self.times(&mut encoder, instantiate, |counts| &counts.instantiate)?;
        self.of_plugins(&mut encoder)?;
        self.of_the_gateway(&mut encoder)
    }
}

fn encode_counter(metric: &mut MetricEncoder<'_>, labels: &[(&str, &str)], count: u64) -> fmt::Result {
    metric.encode_family(&labels)?.encode_counter::<NoLabelSet, _, u64>(&count, None)
}

/// What there is at this moment.
fn gauges(
    status: &Status,
    runner: &Runner,
    plugins: &[Arc<Plugin>],
) -> Vec<(&'static str, &'static str, i64)> {
    let warm: usize = plugins.iter().filter_map(|plugin| Some(plugin.warm.as_ref()?.len())).sum();
    let gauges = [
        ("fuelbox_guests_running", "Guests at work", status.running),
        ("fuelbox_guests_limit", "Guests that may be at work at once (--workers)", status.workers),
        ("fuelbox_queue_length", "Requests that wait for a guest to end", status.queued),
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
            "fuelbox_client_guests_limit",
            "Guests of one client at once (--client-share)",
            status.client_workers,
        ),
        ("fuelbox_buffered_bytes", "Bytes of requests and unsent answers", status.buffered),
        ("fuelbox_buffered_limit_bytes", "Bytes allowed for them (--body-budget)", status.buffered_limit),
        ("fuelbox_plugins_loaded", "Plug-ins that serve", plugins.len()),
        ("fuelbox_plugins_refused", "Modules that do not load", runner.plugins().refused().len()),
        ("fuelbox_warm_instances", "Instances kept for further calls", warm),
        ("fuelbox_warm_bytes", "Bytes that they take", runner.plugins().warm_bytes()),
    ];
    gauges.map(|(name, help, value)| (name, help, i64::try_from(value).unwrap_or(i64::MAX))).into()
}

/// The name of a plug-in as the value of a label. Whoever reads them on a terminal is not driven by a file's name.
fn label(name: &str) -> String {
    // The format escapes line ends itself.
    printable_lines(name)
}
