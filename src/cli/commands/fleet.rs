//! `fuelbox fleet`: what the nodes of a fleet run, and rollouts.

#[cfg(not(feature = "nats"))]
pub fn execute(_: crate::cli::args::command::Fleet) -> Result<(), crate::cli::failure::Failure> {
    // The parser has refused it.
    Ok(())
}

#[cfg(feature = "nats")]
pub use with_nats::execute;

#[cfg(feature = "nats")]
mod with_nats {
    use crate::base::escape::{cut, json_line, printable};
    use crate::cli::args::command::{Fleet, FleetAction};
    use crate::cli::exit;
    use crate::cli::failure::Failure;
    use crate::cli::output::messages::print;
    use crate::fleet::admin;
    use crate::fleet::bucket::overview::{Overview, Seen};
    use crate::fleet::bucket::report::Entry;
    use crate::fleet::bucket::rollout::{self, Plan};
    use crate::fleet::bucket::tail;
    use crate::fleet::jobs::setup::create_jobs;
    use crate::fleet::setup;
    use crate::plugins::deploy::is_name;
    use serde_json::json;
    use std::fmt::Write;
    use std::path::Path;

    /// Digits of a SHA-256 in a table.
    const SHORT: usize = 12;

    /// Bytes of a text of a node in a table.
    const CELL_BYTES_MAX: usize = 300;

    /// Does what was asked.
    pub fn execute(fleet: Fleet) -> Result<(), Failure> {
        let Fleet { access, bucket, action } = fleet;
        let failed = |what: String| Failure::new(exit::FAILED, printable(&what));
        // A pipe that nobody reads any more does not end a rollout.
        let say = |line: String| drop(print((printable(&line) + "\n").as_bytes()));
        match action {
            FleetAction::Show { json } => {
                let show = |client| async move {
                    let overview = Overview::open(&client, &bucket).await?;
                    Ok(if json { document(&overview) } else { table(&overview) })
                };
                print(admin::run(&access, show).map_err(failed)?.as_bytes())
            }
            FleetAction::Init { jobs, replicas } => {
                let init = |client| async move {
                    let mut told = Vec::new();
                    if !bucket.is_empty() {
                        told = setup::create_bucket(&tail::patient(&client), &bucket, replicas).await?;
                    }
                    if let Some(jobs) = jobs {
                        told.extend(create_jobs(&client, &jobs, replicas).await?);
                    }
                    Ok(told)
                };
                admin::run(&access, init).map_err(failed)?.into_iter().for_each(say);
                Ok(())
            }
            FleetAction::Deploy { module, name, policy, signature, canary, wait } => {
                let stem = module.file_stem().map(|stem| stem.to_string_lossy().into_owned());
                let plugin = named(name.or(stem).unwrap_or_default(), "; --name gives another")?;
                let read_all = |file: Option<std::path::PathBuf>| file.as_deref().map(read).transpose();
                let (policy, signature) = (read_all(policy)?, read_all(signature)?);
                let plan = Plan { plugin, module: read(&module)?, policy, signature, canary, wait };
                let deploy = |client| async move { rollout::deploy(&client, &bucket, &plan, say).await };
                admin::run(&access, deploy).map_err(failed)
            }
            FleetAction::Remove { name } => {
                let name = named(name, "")?;
                let of = name.clone();
                let remove = |client| async move { rollout::remove(&client, &bucket, &of).await };
                match admin::run(&access, remove).map_err(failed)? {
                    true => say(format!("{name} is deleted; nodes remove it now")),
                    false => return Err(failed(format!("there is no plug-in {name}"))),
                }
                Ok(())
            }
        }
    }

    fn named(name: String, hint: &str) -> Result<String, Failure> {
        match is_name(&name) {
            true => Ok(name),
            false => {
                let what = format!("`{}` cannot be the name of a plug-in{hint}", printable(&name));
                Err(Failure::new(exit::USAGE, what))
            }
        }
    }

    fn read(path: &Path) -> Result<Vec<u8>, Failure> {
        let failed = |error| Failure::new(exit::LOAD, format!("{}: {error}", path.display()));
        std::fs::read(path).map_err(failed)
    }

    /// A line for each plug-in of each node.
    fn table(overview: &Overview) -> String {
        let head = ["NODE", "REPORT", "FUELBOX", "PLUG-IN", "SHA-256", "ERROR"].map(String::from);
        let mut rows = vec![head];
        for seen in overview.nodes() {
            let first =
                [cell(seen.node), if seen.is_away() { format!("{} away", age(&seen)) } else { age(&seen) }];
            let Some(report) = seen.report else {
                rows.push(row(&first, "-", ["-".into(), "-".into(), "not a report".into()]));
                continue;
            };
            let version = cell(&report.fuelbox);
            if report.plugins.is_empty() && report.left_out == 0 {
                rows.push(row(&first, &version, ["-".into(), "-".into(), String::new()]));
            }
            for entry in &report.plugins {
                rows.push(row(&first, &version, of_plugin(entry)));
            }
            if report.left_out > 0 {
                let more = format!("and {} more", report.left_out);
                rows.push(row(&first, &version, [more, "-".into(), String::new()]));
            }
        }
        aligned(&rows)
    }

    fn age(seen: &Seen<'_>) -> String {
        format!("{}s", seen.age.as_secs())
    }

    fn row(first: &[String; 2], version: &str, rest: [String; 3]) -> [String; 6] {
        let [node, report] = first.clone();
        let [plugin, sha256, error] = rest;
        [node, report, version.into(), plugin, sha256, error]
    }

    fn of_plugin(entry: &Entry) -> [String; 3] {
        let runs = entry.runs.sha256.as_deref().unwrap_or("-");
        let short: String = runs.chars().take(SHORT).collect();
        [cell(&entry.name), cell(&short), entry.error.as_deref().map(cell).unwrap_or_default()]
    }

    /// A text of a node: it may hold anything.
    fn cell(text: &str) -> String {
        printable(&cut(text, CELL_BYTES_MAX)).replace('\t', " ")
    }

    fn aligned(rows: &[[String; 6]]) -> String {
        let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        let widths: [usize; 6] = std::array::from_fn(width);
        let mut text = String::new();
        for row in rows {
            let mut line = String::new();
            for (cell, width) in row.iter().zip(widths) {
                // Writing to a String does not fail.
                let _ = write!(line, "{cell:width$}  ");
            }
            text += line.trim_end();
            text.push('\n');
        }
        text
    }

    fn document(overview: &Overview) -> String {
        let nodes: Vec<_> = overview
            .nodes()
            .map(|seen| {
                let plugins = |report: &crate::fleet::bucket::report::Report| {
                    report.plugins.iter().map(Entry::json).collect::<Vec<_>>()
                };
                json!({
                    "node": seen.node,
                    "age_s": seen.age.as_secs(),
                    "away": seen.is_away(),
                    "fuelbox": seen.report.map(|report| report.fuelbox.as_str()),
                    "since": seen.report.map(|report| report.since.as_str()),
                    "plugins": seen.report.map(plugins),
                    "left_out": seen.report.map(|report| report.left_out),
                })
            })
            .collect();
        json_line(&json!({ "nodes": nodes }).to_string()) + "\n"
    }
}
