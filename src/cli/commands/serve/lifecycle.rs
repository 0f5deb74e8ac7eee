//! `fuelbox serve`: runs the gateway until a signal ends it.

use crate::abi::Invocation;
use crate::cli::args::command::{Serve, Source};
use crate::cli::commands::serve::node::Node;
use crate::cli::commands::serve::{budget, isolation, service};
use crate::cli::failure::Failure;
use crate::cli::output::logging;
use crate::cli::output::stderr::STDERR;
use crate::cli::{exit, site, system_memory, target, wagi};
use crate::gateway::http::tokens::Tokens;
use crate::gateway::server::DEFAULT_LISTEN;
use crate::gateway::{Gateway, GatewayConfig};
use crate::plugins::folder::policies_without_module;
use crate::plugins::policy::Access;
use crate::plugins::registry::Plugin;
use crate::plugins::watch::{Watch, log_changes};
use crate::plugins::{rollback, write};
use crate::runner::{Runner, RunnerConfig};
use log::Level;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

fn failed(what: &str, error: &std::io::Error) -> Failure {
    Failure::new(exit::FAILURE, format!("{what}: {error}"))
}

/// Serves.
pub fn execute(mut serve: Serve) -> Result<(), Failure> {
    // First of all: descriptors that systemd passes have numbers that fuelbox's own descriptors could get.
    let passed = service::passed_listener()?;
    if let Some(address) = passed.as_ref().and_then(|listener| listener.local_addr().ok())
        && serve.listen != DEFAULT_LISTEN
        && serve.listen != address
    {
        log::warn!(
            "--listen {}: not used, because the service manager passed a socket, which listens on {address}",
            serve.listen
        );
    }
    // Before loading, so that a signal during start-up is not lost.
    let mut signals = Signals::new([SIGHUP, SIGINT, SIGTERM]).map_err(|error| failed("signals", &error))?;
    let tokens = site::tokens(&serve.site)?;
    let mut wagi = serve.wagi.as_deref().map(wagi::Folder::of).transpose()?;
    if let Some(folder) = &wagi {
        serve.source = Source::Folder(folder.path().into());
        serve.site.policy_dirs.extend(folder.dirs());
    }
    let runner = Arc::new(load(&serve, tokens.is_some())?);
    if let Some(folder) = &mut wagi {
        routes_of_modules(&runner, folder)?;
    }
    let config = GatewayConfig {
        listen: serve.listen,
        workers: serve.workers,
        door: serve.door.clone(),
        trusted_proxies: serve.proxies.clone(),
        tokens: tokens.clone(),
        keep_versions: serve.keep_versions,
        log_dropped: Some(STDERR.dropped()),
    };
    let listener = match passed {
        Some(listener) => listener,
        None => TcpListener::bind(serve.listen)
            .map_err(|error| failed(&format!("cannot listen on {} (--listen)", serve.listen), &error))?,
    };
    let gateway = Gateway::start_on(listener, &config, Arc::clone(&runner))
        .map_err(|error| failed("cannot serve", &error))?;
    // After the gateway, which checks that all threads of its workers are available, and reports if not.
    let watch = Watch::start(Arc::clone(runner.catalog())).map_err(|error| {
        failed(&format!("cannot watch the plug-in folder (--workers {})", serve.workers), &error)
    })?;
    let (is_warning, memory) = budget::sentence(
        &serve,
        (system_memory::taken(), runner.processes()),
        system_memory::have().as_ref(),
    );
    log::log!(if is_warning { Level::Warn } else { Level::Info }, "{memory}");
    let count = runner.plugins().all().len();
    let message = format!("serving {count} plug-ins on http://{}", gateway.address());
    logging::say(serve.log_format, Level::Info, &message);
    service::say_ready(count);
    service::start_watchdog(gateway.heartbeat());
    let node = Node::start(&serve, &gateway, &runner)?;

    let signal = loop {
        match signals.forever().next() {
            Some(SIGHUP) => read_again(&watch, &runner, tokens.as_deref()),
            other => break other.unwrap_or(SIGTERM),
        }
    };
    log::info!("signal {signal}: waiting for running requests to end; a second signal stops at once");
    service::say_stopping();
    end_on_second_signal(signals);
    stop(gateway, serve.shutdown_delay, node);
    drop(watch);
    Ok(())
}

/// Stops, after balancers have had `delay` to learn from `/readyz` that they are to go elsewhere.
fn stop(gateway: Gateway, delay: Duration, node: Node) {
    gateway.announce_stop();
    node.leave();
    std::thread::sleep(delay);
    gateway.stop();
    node.stop();
}

/// A runner with the loaded plug-ins.
fn load(serve: &Serve, has_tokens: bool) -> Result<Runner, Failure> {
    let server = site::server(serve.limits.clone(), &serve.site)?;
    let runner = isolation::runner(serve, |isolation| {
        Runner::new(RunnerConfig {
            limits: server.limits.clone(),
            warm: serve.warm.clone(),
            policy_dirs: server.dirs_within.clone(),
            policy_http: server.http_within.clone(),
            trusted_keys: server.trusted_keys.clone(),
            isolation: Some(isolation),
            ..RunnerConfig::default()
        })
    })?;
    let Some(folder) = target::folder(&serve.source)? else {
        logging::say(serve.log_format, Level::Info, &target::built_in_note());
        runner.load_built_in()?;
        return Ok(runner);
    };
    let is_changed = has_tokens || serve.fleet.as_ref().is_some_and(|fleet| fleet.bucket.is_some());
    if is_changed && let Err(error) = write::clean(&folder) {
        log::warn!("{}: {error}", folder.display());
    }
    if is_changed {
        rollback::finish(&folder, &serve.limits);
    }
    log_changes(&runner.load_plugins(&folder)?);
    warn_of_policies(&runner, &folder, has_tokens);
    Ok(runner)
}

/// Adds the routes that modules print themselves.
fn routes_of_modules(runner: &Runner, folder: &mut wagi::Folder) -> Result<(), Failure> {
    let has_routes = |plugin: &Arc<Plugin>| plugin.code.info().function(wagi::ROUTES).is_some();
    let plugins: Vec<_> = runner.plugins().all().into_iter().filter(has_routes).collect();
    for plugin in &plugins {
        let failed = |what: String| {
            let what = format!("plug-in {}: its function `{}`: {what}", plugin.name, wagi::ROUTES);
            Failure::new(exit::LOAD, what)
        };
        let entry = Some(wagi::ROUTES.into());
        let invocation =
            Invocation { args: vec![plugin.name.clone().into()], entry, ..Invocation::default() };
        let report = runner.run(plugin.name.as_str(), invocation)?;
        let printed = report.result.map_err(|stop| failed(stop.to_string()))?;
        folder.add_routes(&plugin.name, &printed).map_err(failed)?;
    }
    if !plugins.is_empty() {
        log_changes(&runner.catalog().settle()?);
    }
    Ok(())
}

/// Warns about policies that their author cannot have intended.
fn warn_of_policies(runner: &Runner, folder: &Path, has_tokens: bool) {
    for path in policies_without_module(folder).unwrap_or_default() {
        log::warn!("{}: there is no module for this policy", path.display());
    }
    for plugin in runner.plugins().all() {
        if !has_tokens && plugin.policy.access == Access::Token {
            log::warn!(
                "plug-in {}: its policy requires a token, but there are none without --token-file",
                plugin.name
            );
        }
    }
}

/// Reloads what can change while serving. Errors leave everything unchanged.
///
/// The watcher scans the folder. A deployment locks the folder, perhaps until the guests' deadline, and signals
/// to stop must not wait for that.
fn read_again(watch: &Watch, runner: &Arc<Runner>, tokens: Option<&Tokens>) {
    service::say_reloading();
    match tokens.map(Tokens::reload) {
        Some(Ok(count)) => log::info!("signal SIGHUP: {count} tokens"),
        Some(Err(what)) => log::error!("{what}; the previous tokens stay valid"),
        None => {}
    }
    let runner = Arc::clone(runner);
    watch.look(move || service::say_ready(runner.plugins().all().len()));
}

/// The next signal to stop ends the process at once.
fn end_on_second_signal(mut signals: Signals) {
    let waiting = std::thread::Builder::new().name("signals".into()).spawn(move || {
        if let Some(signal) = signals.forever().find(|signal| *signal != SIGHUP) {
            std::process::exit(128 + signal);
        }
    });
    if let Err(error) = waiting {
        log::warn!("no thread to wait for a second signal: {error}");
    }
}
