//! Parses the flags of a fleet. Pure.

use crate::cli::args::values::text;
use crate::cli::args::words::Words;
use crate::fleet::config::{Access, FleetConfig};
use crate::fleet::subject::is_token;
use std::path::PathBuf;

/// What a build without NATS says.
const NO_NATS: &str = "this build of fuelbox does not speak NATS: it is without the cargo feature `nats`";

/// How to get into a NATS system; none without `--nats`.
pub fn nats(words: &mut Words) -> Result<Option<Access>, String> {
    let servers = words.all("--nats")?.into_iter().map(text).collect::<Result<Vec<_>, _>>()?;
    let mut file = |name| words.os_value(name).map(|file| file.map(PathBuf::from));
    let (credentials, nkey, ca) = (file("--nats-credentials")?, file("--nats-nkey")?, file("--nats-ca")?);
    if servers.is_empty() {
        let others = [("--nats-credentials", &credentials), ("--nats-nkey", &nkey), ("--nats-ca", &ca)];
        return match others.into_iter().find(|(_, file)| file.is_some()) {
            Some((flag, _)) => Err(format!("{flag} needs --nats")),
            None => Ok(None),
        };
    }
    if !cfg!(feature = "nats") {
        return Err(format!("--nats: {NO_NATS}"));
    }
    if credentials.is_some() && nkey.is_some() {
        return Err("--nats-credentials and --nats-nkey cannot be used together".into());
    }
    Ok(Some(Access { servers, credentials, nkey, ca }))
}

/// The node of a fleet; none without `--nats`. Without `--nats-node` it has no name yet.
pub fn fleet(words: &mut Words) -> Result<Option<FleetConfig>, String> {
    let access = nats(words)?;
    let mut token = |flag| {
        words.value(flag, |value| match is_token(value) {
            true => Ok(value.to_string()),
            false => Err("use letters, digits, `-` and `_`".into()),
        })
    };
    let (node, bucket, jobs) = (token("--nats-node")?, token("--nats-plugins")?, token("--nats-jobs")?);
    let spill = words.choice("--spill", |name| (name == "nats").then_some(()))?;
    let Some(access) = access else {
        let others = [
            ("--nats-node", node.is_some()),
            ("--nats-plugins", bucket.is_some()),
            ("--nats-jobs", jobs.is_some()),
            ("--spill", spill.is_some()),
        ];
        return match others.into_iter().find(|(_, is_there)| *is_there) {
            Some((flag, _)) => Err(format!("{flag} needs --nats")),
            None => Ok(None),
        };
    };
    let node = node.unwrap_or_default();
    Ok(Some(FleetConfig { access, node, bucket, jobs, job_pause: None, spill: spill.is_some() }))
}
