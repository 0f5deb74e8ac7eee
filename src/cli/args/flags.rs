//! Flags that several commands have, as a group each.

use super::values::{duration, number, os_value, percent, setting, size, timeout, value};
use super::{GuestEnvArgs, LogFormat, SiteArgs, Source};
use crate::base::limits::{DoorLimits, Limits, WarmLimits};
use crate::base::units::directory;
use crate::gateway::http::client::Network;
use pico_args::Arguments;
use std::ffi::OsString;

/// The flags of warm instances.
pub fn warm(args: &mut Arguments) -> Result<WarmLimits, String> {
    let default = WarmLimits::default();
    let warm = WarmLimits {
        instances: value(args, "--warm", number::<usize>)?.unwrap_or(default.instances),
        memory_bytes: value(args, "--warm-memory", size)?.unwrap_or(default.memory_bytes),
        uses: value(args, "--warm-uses", number::<u32>)?.unwrap_or(default.uses),
        idle: value(args, "--warm-idle", duration)?.unwrap_or(default.idle),
    };
    warm.check()?;
    Ok(warm)
}

/// The values of a flag that may come again.
fn all(args: &mut Arguments, flag: &'static str) -> Result<Vec<OsString>, String> {
    let values = args.values_from_os_str(flag, |value| Ok::<_, String>(value.to_os_string()));
    values.map_err(|error| match error {
        pico_args::Error::OptionWithoutAValue(_) => format!("{flag} needs a value"),
        other => other.to_string(),
    })
}

/// `--policy-dirs`, `--trusted-key` and `--token-file`.
pub fn site(args: &mut Arguments) -> Result<SiteArgs, String> {
    let policy_dirs = all(args, "--policy-dirs")?.into_iter().map(Into::into).collect();
    let token_file = os_value(args, "--token-file")?.map(Into::into);
    Ok(SiteArgs { policy_dirs, trusted_keys: all(args, "--trusted-key")?, token_file })
}

/// The value of a flag that is `on` or `off`.
pub fn on_or_off(text: &str) -> Result<bool, String> {
    match text {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err("use on or off".into()),
    }
}

/// The value of `--log-format`.
pub fn log_format(name: &str) -> Result<LogFormat, String> {
    match name {
        "text" => Ok(LogFormat::Text),
        "json" => Ok(LogFormat::Json),
        _ => Err("use text or json".into()),
    }
}

/// `--env`, `--dir`, `--extism-config`, `--deterministic` and `--seed`.
pub fn guest_env(args: &mut Arguments) -> Result<GuestEnvArgs, String> {
    let env = all(args, "--env")?;
    let dirs = all(args, "--dir")?.iter().map(directory).collect::<Result<Vec<_>, _>>();
    let dirs = dirs.map_err(|what| format!("--dir {what}"))?;
    for (i, dir) in dirs.iter().enumerate() {
        if dirs[..i].iter().any(|other| other.guest == dir.guest) {
            return Err(format!("--dir gives two directories the name `{}`", dir.guest));
        }
    }
    let config = all(args, "--extism-config")?.iter().map(setting).collect::<Result<Vec<_>, _>>()?;
    let seed = value(args, "--seed", number::<u64>)?;
    let seed = match (args.contains("--deterministic"), seed) {
        (true, seed) => Some(seed.unwrap_or(0)),
        (false, Some(_)) => return Err("--seed is for --deterministic, which is not given".into()),
        (false, None) => None,
    };
    Ok(GuestEnvArgs { env, dirs, config, seed })
}

/// `--trust-forwarded`, which may come again.
pub fn proxies(args: &mut Arguments) -> Result<Vec<Network>, String> {
    let values = all(args, "--trust-forwarded")?;
    let networks = values.iter().map(|value| {
        let text = value.to_string_lossy();
        Network::parse(&text).map_err(|what| format!("--trust-forwarded is `{text}`: {what}"))
    });
    networks.collect()
}

/// `--plugins`.
pub fn source(args: &mut Arguments) -> Result<Source, String> {
    Ok(match os_value(args, "--plugins")? {
        Some(folder) => Source::Folder(folder.into()),
        None => Source::Default,
    })
}

/// The limits of a run.
pub fn limits(args: &mut Arguments) -> Result<Limits, String> {
    let mut limits = Limits::default();
    let set = |target: &mut usize, value: Option<usize>| *target = value.unwrap_or(*target);
    limits.fuel = value(args, "--fuel", number::<u64>)?.unwrap_or(limits.fuel);
    limits.deadline = value(args, "--timeout", timeout)?.unwrap_or(limits.deadline);
    limits.memory_pages = value(args, "--memory-pages", number::<u32>)?.unwrap_or(limits.memory_pages);
    limits.table_elements =
        value(args, "--max-table-elements", number::<u32>)?.unwrap_or(limits.table_elements);
    set(&mut limits.input_bytes, value(args, "--max-input", size)?);
    set(&mut limits.output_bytes, value(args, "--max-output", size)?);
    set(&mut limits.module_bytes, value(args, "--max-module", size)?);
    set(&mut limits.recursion, value(args, "--max-recursion", number::<usize>)?);
    set(&mut limits.stack_bytes, value(args, "--max-stack", size)?);
    set(&mut limits.descriptors, value(args, "--max-descriptors", number::<usize>)?);
    if let Some(bytes) = value(args, "--dir-quota", size)? {
        limits.dir_quota = bytes as u64;
    }
    limits.check()?;
    Ok(limits)
}

/// The front door's limits.
pub fn door(args: &mut Arguments) -> Result<DoorLimits, String> {
    let usual = DoorLimits::default();
    let mut sized = |flag, usual| value(args, flag, size).map(|value| value.unwrap_or(usual));
    let head_bytes = sized("--max-head", usual.head_bytes)?;
    let body_bytes = sized("--max-body", usual.body_bytes)?;
    let budget_bytes = sized("--body-budget", usual.budget_bytes)?;
    let mut timed = |flag, usual| value(args, flag, duration).map(|value| value.unwrap_or(usual));
    let head_timeout = timed("--head-timeout", usual.head_timeout)?;
    let body_timeout = timed("--body-timeout", usual.body_timeout)?;
    let idle_timeout = timed("--idle-timeout", usual.idle_timeout)?;
    let write_timeout = timed("--write-timeout", usual.write_timeout)?;
    let queue_timeout = timed("--queue-timeout", usual.queue_timeout)?;
    let connections = value(args, "--max-connections", number::<usize>)?.unwrap_or(usual.connections);
    let connections_per_client = value(args, "--max-connections-per-client", number::<usize>)?;
    let client_share = value(args, "--client-share", percent)?.unwrap_or(usual.client_share);
    let queue = value(args, "--queue", number::<usize>)?.unwrap_or(usual.queue);
    Ok(DoorLimits {
        connections,
        connections_per_client,
        client_share,
        head_bytes,
        body_bytes,
        budget_bytes,
        head_timeout,
        body_timeout,
        idle_timeout,
        write_timeout,
        queue,
        queue_timeout,
    })
}
