//! `fuelbox check`: checks every plug-in of a folder.

use crate::base::error::Error;
use crate::base::escape::printable;
use crate::cli::args::command::Check;
use crate::cli::failure::Failure;
use crate::cli::output::messages::{note, print};
use crate::cli::{exit, site};
use crate::plugins::folder::{Folder, policies_without_module};
use crate::plugins::registry::Plugins;
use std::fmt::Write;

/// Checks.
pub fn execute(check: Check) -> Result<(), Failure> {
    let server = site::server(check.limits, &check.site)?;
    site::tokens(&check.site)?;
    let plugins = Plugins::new();
    let changes = Folder::new(&check.folder).scan(&plugins, &server)?;
    let mut text = String::new();
    for plugin in plugins.all() {
        let policy = if plugin.policy.digest.is_some() { ", under its policy" } else { "" };
        // Writing to a String does not fail.
        let _ = writeln!(text, "ok  {} ({} bytes{policy})", printable(&plugin.name), plugin.code.size());
    }
    print(text.as_bytes())?;
    let io = |source| Error::Io { path: check.folder.clone(), source };
    let lost = policies_without_module(&check.folder).map_err(io)?;
    for error in &changes.failed {
        note(&error.to_string());
    }
    for path in &lost {
        let path = printable(&path.display().to_string());
        note(&format!("{path}: there is no module for this policy"));
    }
    if changes.unsettled > 0 {
        note(&format!("{} plug-ins changed while they were read", changes.unsettled));
    }
    match changes.failed.len() + lost.len() + changes.unsettled {
        0 => Ok(()),
        1 => Err(Failure::new(exit::LOAD, "1 file would not serve")),
        n => Err(Failure::new(exit::LOAD, format!("{n} files would not serve"))),
    }
}
