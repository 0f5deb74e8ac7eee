//! A server's keys, policy directories and tokens, read from files.

use crate::base::limits::Limits;
use crate::cli::args::command::SiteArgs;
use crate::cli::exit;
use crate::cli::failure::Failure;
use crate::gateway::http::tokens::Tokens;
use crate::isolation::{Isolation, manager::Manager};
use crate::plugins::code::Loader;
use crate::plugins::policy::ServerPolicy;
use crate::plugins::signature::TrustedKey;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Bytes of a public key's file; minisign writes some 120.
const KEY_BYTES_MAX: u64 = 4096;

/// The policy bounds of a server, with its keys.
pub fn server(limits: Limits, site: &SiteArgs) -> Result<ServerPolicy, Failure> {
    let trusted_keys = site.trusted_keys.iter().map(|key| trusted_key(key)).collect::<Result<_, _>>()?;
    for dir in &site.policy_dirs {
        if !dir.is_dir() {
            return Err(Failure::new(exit::LOAD, format!("--policy-dirs {}: no such folder", dir.display())));
        }
    }
    let dirs_within = ServerPolicy::settle(&site.policy_dirs);
    let loader = Loader::default().in_processes(Manager::new(processes()));
    Ok(ServerPolicy { limits, dirs_within, http_within: site.policy_http.clone(), trusted_keys, loader })
}

/// Processes of this program, for plug-ins whose policies ask for them.
pub fn processes() -> Isolation {
    // By this name, it is the running program even after its file was replaced.
    let own = Path::new("/proc/self/exe");
    // Without /proc, there is only the name that it was called by.
    let called = || std::env::args_os().next().map(PathBuf::from).filter(|path| path.is_absolute());
    let program = if own.exists() { own.into() } else { called().unwrap_or_default() };
    Isolation { all: false, ..Isolation::with_program(program) }
}

/// The tokens of a server, if it has a token file.
pub fn tokens(site: &SiteArgs) -> Result<Option<Arc<Tokens>>, Failure> {
    let read = |path: &PathBuf| Tokens::read(path).map(Arc::new);
    site.token_file.as_ref().map(read).transpose().map_err(|what| Failure::new(exit::LOAD, what))
}

/// A key as minisign prints it, or its file.
fn trusted_key(given: &OsStr) -> Result<TrustedKey, Failure> {
    let failed = |what: String| {
        Failure::new(exit::USAGE, format!("--trusted-key {}: {what}", given.to_string_lossy()))
    };
    if let Some(key) = given.to_str().and_then(|text| TrustedKey::parse(text).ok()) {
        return Ok(key);
    }
    let path = Path::new(given);
    let size = path
        .metadata()
        .map_err(|error| failed(format!("neither a minisign key nor a file with one: {error}")))?
        .len();
    if size > KEY_BYTES_MAX {
        return Err(failed(format!("the file has {size} bytes, too many for a public key")));
    }
    let text = std::fs::read_to_string(path).map_err(|error| failed(error.to_string()))?;
    TrustedKey::parse(&text).map_err(failed)
}
