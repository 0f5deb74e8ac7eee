//! The arguments of `fuelbox serve`. Pure.

use super::Source;
use super::flags::{door, limits, log_format, on_or_off, proxies, site, source, warm};
use super::values::{listen_address, nothing_left, number, value};
use crate::base::limits::{DoorLimits, Limits, WarmLimits, check_workers};
use crate::gateway::http::client::Network;
use crate::gateway::server::{DEFAULT_LISTEN, default_workers};
use pico_args::Arguments;
use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;

/// What the log of `fuelbox serve` is written as.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// A line for people.
    #[default]
    Text,
    /// A JSON object on each line.
    Json,
}

/// `fuelbox serve`.
#[derive(Debug, PartialEq)]
pub struct Serve {
    /// The address.
    pub listen: SocketAddr,
    /// Guests at once.
    pub workers: usize,
    /// What clients are allowed.
    pub door: DoorLimits,
    /// Proxies that are believed who their client is.
    pub proxies: Vec<Network>,
    /// Instances kept between calls.
    pub warm: WarmLimits,
    /// Whose modules it loads, what policies may open, who may deploy.
    pub site: SiteArgs,
    /// What the log is written as.
    pub log_format: LogFormat,
    /// Whether each request has a line in the log.
    pub access_log: bool,
    /// Limits.
    pub limits: Limits,
    /// Plug-ins.
    pub source: Source,
}

/// What a server is besides its limits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SiteArgs {
    /// Directories within which policies may open some.
    pub policy_dirs: Vec<PathBuf>,
    /// Keys of minisign, or their files.
    pub trusted_keys: Vec<OsString>,
    /// The file of the tokens.
    pub token_file: Option<PathBuf>,
}

/// The arguments of `fuelbox serve` without a configuration file.
///
/// # Errors
/// A sentence that names the flag.
pub fn parse(mut args: Arguments) -> Result<Serve, String> {
    let limits = limits(&mut args)?;
    let source = source(&mut args)?;
    let listen = value(&mut args, "--listen", listen_address)?.unwrap_or(DEFAULT_LISTEN);
    let workers = value(&mut args, "--workers", number::<usize>)?.unwrap_or_else(default_workers);
    check_workers(workers)?;
    let door = door(&mut args)?;
    let proxies = proxies(&mut args)?;
    let warm = warm(&mut args)?;
    let site = site(&mut args)?;
    let log_format = value(&mut args, "--log-format", log_format)?.unwrap_or_default();
    let access_log = value(&mut args, "--access-log", on_or_off)?.unwrap_or(false);
    door.check_with(&limits)?;
    nothing_left(args)?;
    Ok(Serve { listen, workers, door, proxies, warm, site, log_format, access_log, limits, source })
}
