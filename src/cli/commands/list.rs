//! `fuelbox list`: the plug-ins and their functions.

use crate::abi::{Convention, offered};
use crate::base::error::Error;
use crate::base::escape::printable;
use crate::base::outcome::Stop;
use crate::cli::args::command::{List, Shown};
use crate::cli::failure::Failure;
use crate::cli::output::messages::{note, print, print_names};
use crate::cli::{site, target};
use crate::gateway::routes::listing;
use crate::isolation::manager::Manager;
use crate::plugins::code::Loader;
use crate::plugins::folder::Folder;
use crate::plugins::policy::ServerPolicy;
use crate::plugins::registry::{Listed, Plugins};
use std::fmt::Write;

/// Lists them.
pub fn execute(list: List) -> Result<(), Failure> {
    if list.shown == Shown::Names {
        return print_names(target::names(&list.source)?.iter().map(String::as_str));
    }
    let plugins = Plugins::new();
    let loader = Loader::default().in_processes(Manager::new(site::processes()));
    let server = ServerPolicy { limits: list.limits.clone(), loader, ..ServerPolicy::default() };
    match target::folder(&list.source)? {
        Some(folder) => {
            let changes = Folder::new(&folder).scan(&plugins, &server)?;
            for error in changes.failed {
                note(&format!("not loaded: {error}"));
            }
        }
        None => {
            target::say_built_in();
            plugins.add_built_in(&server)?;
        }
    }
    if list.shown == Shown::Json {
        let text = listing::text(&plugins).map_err(|_| Stop::NoMemory { what: "the output" });
        return print(text.map_err(Error::from)?.as_bytes());
    }
    let mut text = String::new();
    for plugin in plugins.all() {
        let info = plugin.code.info();
        // Writing to a String does not fail.
        let _ = writeln!(text, "{}  ({} bytes)", printable(&plugin.name), plugin.code.size());
        let listed = Listed::of(offered(info), |name| Convention::of(info, name));
        for (name, signature, convention) in listed.shown {
            let convention = convention.map_or("-", Convention::name);
            let _ =
                writeln!(text, "  {convention:8} {}{}{signature}", printable(name), signature.separator());
        }
        if listed.more > 0 {
            let _ = writeln!(text, "  and {} more; `fuelbox inspect` shows all", listed.more);
        }
    }
    print(text.as_bytes())
}
