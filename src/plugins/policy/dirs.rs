//! The directories of a policy.

use super::at::At;
use super::server::ServerPolicy;
use crate::base::limits::{DESCRIPTORS_MIN, Limits};
use crate::base::units::{DirArg, directory};
use crate::host::wasi::abi::{Errno, oflags};
use crate::host::wasi::dir::{Opened, Opening, Preopen, open};
use std::path::Path;
use std::sync::Arc;
use toml::Spanned;

/// Opens the directories that a policy names.
///
/// # Errors
/// What is wrong with one, and where.
pub fn open_dirs(
    given: &[Spanned<String>],
    server: &ServerPolicy,
    limits: &Limits,
) -> Result<Vec<Preopen>, At> {
    // Each directory is a descriptor of the server, as long as the plug-in is loaded.
    let (most, count) = (limits.descriptors.saturating_sub(DESCRIPTORS_MIN), given.len());
    if let Some(first) = given.get(most) {
        let cap = limits.descriptors;
        let what = format!("{count} directories are more than --max-descriptors allows, which is {cap}");
        return Err(At::new(first.span(), what));
    }
    let mut dirs: Vec<Preopen> = Vec::with_capacity(given.len());
    for text in given {
        let wrong = |what: String| At::new(text.span(), what);
        let dir = directory(&text.get_ref().into()).map_err(wrong)?;
        if dirs.iter().any(|other| other.guest == dir.guest) {
            return Err(wrong(format!("two directories have the name `{}`", dir.guest)));
        }
        dirs.push(open_dir(&dir, server).map_err(|what| At { may_pass: true, ..wrong(what) })?);
    }
    Ok(dirs)
}

/// Opens a directory if it is inside one that the server allows policies to open.
///
/// It is resolved beneath that one, like paths of guests. Guests may write there, so a check before opening
/// could be outdated. Directories outside are not looked at, so that a policy reveals nothing about them.
fn open_dir(dir: &DirArg, server: &ServerPolicy) -> Result<Preopen, String> {
    let host = Path::new(&dir.host);
    let shown = host.display();
    if !host.is_absolute() {
        return Err(format!("{shown} is not an absolute path"));
    }
    let outside =
        || format!("{shown} is not inside a directory of --policy-dirs, so policies cannot open it");
    // The outermost match: whoever may write there could have replaced a directory inside it.
    let within = server.dirs_within.iter().filter(|within| host.starts_with(within));
    let within = within.min_by_key(|within| within.components().count()).ok_or_else(outside)?;
    let rest = host.strip_prefix(within).ok().and_then(Path::to_str).unwrap_or_default();
    let preopen =
        Preopen::open(within, &dir.guest, dir.read_only).map_err(|error| format!("{shown}: {error}"))?;
    if rest.is_empty() {
        return Ok(preopen);
    }
    let how = Opening { oflags: oflags::DIRECTORY, fdflags: 0, read: true, write: false, follow: true };
    match open(&preopen.dir, rest, how) {
        Ok(Opened::Dir(dir)) => Ok(Preopen { dir: Arc::new(dir), ..preopen }),
        Ok(Opened::File(_)) | Err(Errno::Notdir) => Err(format!("{shown} is not a directory")),
        Err(Errno::Perm | Errno::Xdev) => Err(outside()),
        Err(Errno::Noent) => Err(format!("{shown}: no such directory")),
        Err(errno) => Err(format!("{shown}: {errno:?}")),
    }
}
