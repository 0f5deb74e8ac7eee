//! The arguments of `fuelbox serve`. Pure.

use crate::base::limits::check_workers;
use crate::cli::args::command::{IsolationArgs, Serve, Source};
use crate::cli::args::flags::{door, limits, log_format, on_or_off, proxies, site, source, warm};
use crate::cli::args::fleet::fleet;
use crate::cli::args::values::{duration, listen_address, number};
use crate::cli::args::words::Words;
use crate::gateway::server::{DEFAULT_LISTEN, KEEP_VERSIONS, default_workers};
use crate::plugins::code::Place;
use std::path::PathBuf;

/// The arguments of `fuelbox serve` without a configuration file.
///
/// # Errors
/// A sentence that names the flag.
pub fn parse(mut words: Words) -> Result<Serve, String> {
    let limits = limits(&mut words)?;
    let source = source(&mut words)?;
    let wagi = words.os_value("--wagi")?.map(PathBuf::from);
    let listen = words.value("--listen", listen_address)?.unwrap_or(DEFAULT_LISTEN);
    let workers = words.measured("--workers", number::<usize>)?.unwrap_or_else(default_workers);
    check_workers(workers)?;
    let door = door(&mut words)?;
    let proxies = proxies(&mut words)?;
    let warm = warm(&mut words)?;
    let site = site(&mut words)?;
    if wagi.is_some() && source != Source::Default {
        return Err("--wagi and --plugins cannot be used together".into());
    }
    if wagi.is_some() && !site.trusted_keys.is_empty() {
        return Err(
            "--wagi and --trusted-key cannot be used together: what is made of its modules has no signatures"
                .into(),
        );
    }
    let fleet = fleet(&mut words)?.map(Box::new);
    let keep_versions = words.measured("--keep-versions", number::<usize>)?.unwrap_or(KEEP_VERSIONS);
    let shutdown_delay = words.measured("--shutdown-delay", duration)?.unwrap_or_default();
    let log_format = words.choice("--log-format", log_format)?.unwrap_or_default();
    let place = words.choice("--isolation", Place::parse)?;
    let isolation = IsolationArgs {
        place,
        per_call: words.switch("--isolation-per-call")?,
        weak: words.switch("--isolation-weak")?,
    };
    let access_log = words.choice("--access-log", on_or_off)?.unwrap_or(false);
    door.check_with(&limits)?;
    words.operands()?;
    Ok(Serve {
        listen,
        workers,
        door,
        proxies,
        warm,
        site,
        fleet,
        keep_versions,
        shutdown_delay,
        log_format,
        access_log,
        isolation,
        limits,
        source,
        wagi,
    })
}
