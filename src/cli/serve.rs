//! `fuelbox serve`: the gateway until a signal ends it.

use super::args::Serve;
use super::{Failure, exit, note, service, site, target, world};
use crate::folder::policies_without_module;
use crate::gateway::{Gateway, GatewayConfig};
use crate::runner::{Runner, RunnerConfig};
use crate::watch::{Watch, log_changes};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::sync::Arc;

/// Serves.
pub fn execute(serve: Serve) -> Result<(), Failure> {
    let failed = |what: &str, error: std::io::Error| Failure::new(exit::FAILURE, format!("{what}: {error}"));
    // The very first: what systemd passes has numbers that fuelbox's own descriptors could have.
    let passed = service::passed_listener()?;
    // Before the plug-ins are loaded, so that a signal during start-up is not lost.
    let mut signals = Signals::new([SIGINT, SIGTERM]).map_err(|error| failed("signals", error))?;
    let rules = site::rules(serve.limits, &serve.site)?;
    if !rules.dirs_within.is_empty() {
        world::errors_for_large_files()?;
    }
    let runner = Arc::new(Runner::new(RunnerConfig {
        limits: rules.limits,
        warm: serve.warm.clone(),
        policy_dirs: rules.dirs_within,
        trusted_keys: rules.trusted_keys,
        stdout: None,
    })?);
    let needs_watch = match target::folder(&serve.source)? {
        Some(folder) => {
            log_changes(&runner.load_plugins(&folder)?);
            for path in policies_without_module(&folder).unwrap_or_default() {
                log::warn!("{}: there is no module for this policy", path.display());
            }
            true
        }
        None => {
            target::say_built_in();
            runner.load_built_in()?;
            serve.warm.instances > 0
        }
    };
    let watch = needs_watch
        .then(|| Watch::start(Arc::clone(&runner)).map_err(|error| failed("watching", error)))
        .transpose()?;
    let config = GatewayConfig { listen: serve.listen, workers: serve.workers, door: serve.door };
    let gateway = match passed {
        Some(listener) => Gateway::start_on(listener, &config, Arc::clone(&runner))
            .map_err(|error| failed("cannot serve on the socket that was passed", error))?,
        None => Gateway::start(&config, Arc::clone(&runner))
            .map_err(|error| failed(&format!("cannot listen on {} (--listen)", serve.listen), error))?,
    };
    let count = runner.plugins().all().len();
    note(&format!("serving {count} plug-ins on http://{}", gateway.address()));
    service::say_ready(count);

    let signal = signals.forever().next().unwrap_or(SIGTERM);
    log::info!("signal {signal}: letting requests end; a second one stops at once");
    service::say_stopping();
    end_on_second_signal(signals);
    gateway.stop();
    drop(watch);
    Ok(())
}

/// The next signal ends the process, whatever still runs.
fn end_on_second_signal(mut signals: Signals) {
    let waiting = std::thread::Builder::new().name("signals".into()).spawn(move || {
        if let Some(signal) = signals.forever().next() {
            std::process::exit(128 + signal);
        }
    });
    if let Err(error) = waiting {
        log::warn!("no thread to wait for a second signal: {error}");
    }
}
