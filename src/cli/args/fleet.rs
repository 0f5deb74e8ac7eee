//! Parses the flags of a fleet. Pure.

use crate::cli::args::command::{Fleet, FleetAction};
use crate::cli::args::table::flag::Topic;
use crate::cli::args::table::lookup::missing;
use crate::cli::args::values::{duration, number, percent, text};
use crate::cli::args::words::{Words, unexpected};
use crate::fleet::config::{Access, FleetConfig, Share};
use crate::fleet::subject::is_token;
use std::ffi::OsString;
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
    let mut token = |flag| words.value(flag, token);
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
    Ok(Some(FleetConfig {
        access,
        node,
        bucket,
        keep_versions: 0,
        jobs,
        job_pause: None,
        spill: spill.is_some(),
    }))
}

fn token(value: &str) -> Result<String, String> {
    match is_token(value) {
        true => Ok(value.to_string()),
        false => Err("use letters, digits, `-` and `_`".into()),
    }
}

/// `fuelbox fleet`.
pub fn command(mut words: Words) -> Result<Fleet, String> {
    if !cfg!(feature = "nats") {
        return Err(NO_NATS.into());
    }
    let access = nats(&mut words)?;
    let bucket = words.value("--nats-plugins", token)?;
    let jobs = words.value("--nats-jobs", token)?;
    let json = words.switch("--json")?;
    let replicas = words.measured("--replicas", number::<usize>)?;
    let deploy = rollout(&mut words)?;
    let mut operands = words.operands()?.into_iter();
    let (verb, operand) = (operands.next().map(text).transpose()?, operands.next());
    let needed = |operand: Option<OsString>| operand.ok_or_else(|| missing(Topic::Fleet, 1));
    let only = |flag: &str, verb: &str| Err(format!("{flag} is for `fuelbox fleet {verb}` only"));
    let action = match (verb.as_deref(), deploy.given) {
        (Some("deploy"), _) => (deploy.of)(needed(operand)?.into()),
        (_, Some(flag)) => return only(flag, "deploy"),
        (None, None) => FleetAction::Show { json },
        (Some("init"), None) => match operand {
            Some(word) => return Err(unexpected(Topic::Fleet, &word)),
            None => FleetAction::Init { jobs: jobs.clone(), replicas: replicas.unwrap_or(1) },
        },
        (Some("remove"), None) => FleetAction::Remove { name: text(needed(operand)?)? },
        (Some(other), None) => return Err(format!("`{other}`: use init, deploy or remove, or nothing")),
    };
    if replicas.is_some() && !matches!(action, FleetAction::Init { .. }) {
        return only("--replicas", "init");
    }
    if jobs.is_some() && !matches!(action, FleetAction::Init { .. }) {
        return only("--nats-jobs", "init");
    }
    if json && !matches!(action, FleetAction::Show { .. }) {
        return Err("--json is for `fuelbox fleet` without a word behind it only".into());
    }
    let access = access.ok_or("--nats is missing: the server of NATS")?;
    if bucket.is_none() && jobs.is_none() {
        return Err("--nats-plugins is missing: the object store of NATS".into());
    }
    let bucket = bucket.unwrap_or_default();
    Ok(Fleet { access, bucket, action })
}

/// The flags of `fuelbox fleet deploy`.
struct Rollout {
    /// The first of them that is given.
    given: Option<&'static str>,
    /// What they make of a module's file.
    of: Box<dyn FnOnce(PathBuf) -> FleetAction>,
}

fn rollout(words: &mut Words) -> Result<Rollout, String> {
    let mut file = |name| words.os_value(name).map(|file| file.map(PathBuf::from));
    let (policy, signature) = (file("--policy")?, file("--signature")?);
    let name = words.value("--name", |name| Ok(name.to_string()))?;
    let canary = words.value("--canary", share)?;
    let wait = words.measured("--wait", duration)?;
    let all = [
        ("--policy", policy.is_some()),
        ("--signature", signature.is_some()),
        ("--name", name.is_some()),
        ("--canary", canary.is_some()),
        ("--wait", wait.is_some()),
    ];
    let given = all.into_iter().find(|(_, is_given)| *is_given).map(|(flag, _)| flag);
    let of = move |module| FleetAction::Deploy { module, name, policy, signature, canary, wait };
    Ok(Rollout { given, of: Box::new(of) })
}

/// `10%` or `3`.
fn share(text: &str) -> Result<Share, String> {
    let usage = || "give a part of the nodes, 1% to 100%, or a number of nodes".to_string();
    match text.ends_with('%') {
        true => percent(text).ok().filter(|part| (1..=100).contains(part)).map(Share::Percent),
        false => number::<usize>(text).ok().filter(|nodes| *nodes > 0).map(Share::Nodes),
    }
    .ok_or_else(usage)
}
