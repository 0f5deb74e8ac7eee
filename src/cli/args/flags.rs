//! Parses flags that several commands share, in groups.

use crate::base::limits::{DoorLimits, Limits, WarmLimits};
use crate::base::units::directory;
use crate::cli::args::command::{GuestEnvArgs, LogFormat, SiteArgs, Source, TraceArgs};
use crate::cli::args::values::{duration, number, percent, setting, size, timeout};
use crate::cli::args::words::Words;
use crate::cli::system_memory;
use crate::gateway::http::client::Network;
use crate::host::outbound::allow_list::HttpAllowList;

/// The flags of warm instances.
pub fn warm(words: &mut Words) -> Result<WarmLimits, String> {
    let default = WarmLimits::default();
    let warm = WarmLimits {
        instances: words.measured("--warm", number::<usize>)?.unwrap_or(default.instances),
        memory_bytes: words.measured("--warm-memory", size)?.unwrap_or(default.memory_bytes),
        uses: words.measured("--warm-uses", number::<u32>)?.unwrap_or(default.uses),
        idle: words.measured("--warm-idle", duration)?.unwrap_or(default.idle),
    };
    warm.check()?;
    Ok(warm)
}

/// `--policy-dirs`, `--policy-http`, `--trusted-key` and `--token-file`.
pub fn site(words: &mut Words) -> Result<SiteArgs, String> {
    let policy_dirs = words.all("--policy-dirs")?.into_iter().map(Into::into).collect();
    let token_file = words.os_value("--token-file")?.map(Into::into);
    let policy_http = urls(words, "--policy-http")?;
    Ok(SiteArgs { policy_dirs, policy_http, trusted_keys: words.all("--trusted-key")?, token_file })
}

/// The value of a flag that is `on` or `off`.
pub fn on_or_off(text: &str) -> Option<bool> {
    match text {
        "on" => Some(true),
        "off" => Some(false),
        _ => None,
    }
}

/// The value of `--log-format`.
pub fn log_format(name: &str) -> Option<LogFormat> {
    match name {
        "text" => Some(LogFormat::Text),
        "json" => Some(LogFormat::Json),
        _ => None,
    }
}

/// `--env`, `--dir`, `--extism-config`, `--deterministic` and `--seed`.
pub fn guest_env(words: &mut Words) -> Result<GuestEnvArgs, String> {
    let env = words.all("--env")?;
    let dirs = words.all("--dir")?.iter().map(directory).collect::<Result<Vec<_>, _>>();
    let dirs = dirs.map_err(|what| format!("--dir {what}"))?;
    for (i, dir) in dirs.iter().enumerate() {
        if dirs[..i].iter().any(|other| other.guest == dir.guest) {
            return Err(format!("--dir gives two directories the same name `{}`", dir.guest));
        }
    }
    let config = words.all("--extism-config")?.iter().map(setting).collect::<Result<Vec<_>, _>>()?;
    let seed = words.measured("--seed", number::<u64>)?;
    let seed = match (words.switch("--deterministic")?, seed) {
        (true, seed) => Some(seed.unwrap_or(0)),
        (false, Some(_)) => return Err("--seed needs --deterministic".into()),
        (false, None) => None,
    };
    let http = urls(words, "--allow-http")?;
    if seed.is_some() && !http.is_empty() {
        return Err(
            "--allow-http and --deterministic exclude each other: what servers respond changes".into()
        );
    }
    Ok(GuestEnvArgs { env, dirs, config, http, seed })
}

/// `--allow-http` or `--policy-http`, which are repeatable.
fn urls(words: &mut Words, flag: &'static str) -> Result<HttpAllowList, String> {
    let values = words.all(flag)?;
    let patterns = values.iter().map(|value| value.to_string_lossy());
    HttpAllowList::new(patterns).map_err(|what| format!("{flag}: {what}"))
}

/// `--trace` and `--profile`.
pub fn tracing(words: &mut Words) -> Result<TraceArgs, String> {
    let profile = words.os_value("--profile")?.map(Into::into);
    Ok(TraceArgs { trace: words.switch("--trace")?, profile })
}

/// `--trust-forwarded`, which is repeatable.
pub fn proxies(words: &mut Words) -> Result<Vec<Network>, String> {
    let values = words.all("--trust-forwarded")?;
    let networks = values.iter().map(|value| {
        let text = value.to_string_lossy();
        Network::parse(&text).map_err(|what| format!("--trust-forwarded `{text}`: {what}"))
    });
    networks.collect()
}

/// `--plugins`.
pub fn source(words: &mut Words) -> Result<Source, String> {
    Ok(match words.os_value("--plugins")? {
        Some(folder) => Source::Folder(folder.into()),
        None => Source::Default,
    })
}

/// The limits of a run.
pub fn limits(words: &mut Words) -> Result<Limits, String> {
    let mut limits = Limits::default();
    let set = |target: &mut usize, value: Option<usize>| *target = value.unwrap_or(*target);
    limits.fuel = words.measured("--fuel", number::<u64>)?.unwrap_or(limits.fuel);
    limits.deadline = words.measured("--timeout", timeout)?.unwrap_or(limits.deadline);
    limits.memory_pages = words.measured("--memory-pages", number::<u32>)?.unwrap_or(limits.memory_pages);
    limits.table_elements =
        words.measured("--max-table-elements", number::<u32>)?.unwrap_or(limits.table_elements);
    set(&mut limits.input_bytes, words.measured("--max-input", size)?);
    set(&mut limits.output_bytes, words.measured("--max-output", size)?);
    limits.module_bytes = words.measured("--max-module", size)?.unwrap_or_else(system_memory::module_bytes);
    set(&mut limits.recursion, words.measured("--max-recursion", number::<usize>)?);
    set(&mut limits.stack_bytes, words.measured("--max-stack", size)?);
    set(&mut limits.descriptors, words.measured("--max-descriptors", number::<usize>)?);
    if let Some(bytes) = words.measured("--dir-quota", size)? {
        limits.dir_quota = bytes as u64;
    }
    limits.http_calls = words.measured("--http-calls", number::<u32>)?.unwrap_or(limits.http_calls);
    limits.check()?;
    Ok(limits)
}

/// The limits of clients.
pub fn door(words: &mut Words) -> Result<DoorLimits, String> {
    let usual = DoorLimits::default();
    let mut sized = |flag, usual| words.measured(flag, size).map(|value| value.unwrap_or(usual));
    let head_bytes = sized("--max-head", usual.head_bytes)?;
    let body_bytes = sized("--max-body", usual.body_bytes)?;
    let budget_bytes = sized("--body-budget", usual.budget_bytes)?;
    let mut timed = |flag, usual| words.measured(flag, duration).map(|value| value.unwrap_or(usual));
    let head_timeout = timed("--head-timeout", usual.head_timeout)?;
    let body_timeout = timed("--body-timeout", usual.body_timeout)?;
    let idle_timeout = timed("--idle-timeout", usual.idle_timeout)?;
    let write_timeout = timed("--write-timeout", usual.write_timeout)?;
    let queue_timeout = timed("--queue-timeout", usual.queue_timeout)?;
    let connections = words.measured("--max-connections", number::<usize>)?.unwrap_or(usual.connections);
    let connections_per_client = words.measured("--max-connections-per-client", number::<usize>)?;
    let client_share = words.measured("--client-share", percent)?.unwrap_or(usual.client_share);
    let queue = words.measured("--queue", number::<usize>)?.unwrap_or(usual.queue);
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
