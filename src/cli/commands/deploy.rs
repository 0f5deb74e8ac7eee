//! `fuelbox deploy`: puts a module, its policy and its signature on gateways, or a former version back, by the routes of
//! `/plugins`.

use crate::base::escape::{cut, printable};
use crate::base::limits::MESSAGE_BYTES_MAX;
use crate::cli::args::command::{Change, Deploy};
use crate::cli::client::{Answer, Question, ask};
use crate::cli::exit;
use crate::cli::failure::Failure;
use crate::cli::output::messages::{note, print};
use crate::gateway::server::DEFAULT_LISTEN;
use crate::plugins::deploy::is_name;
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Time limit of one request. Compiling the largest module takes a second of a desktop core.
const PATIENCE: Duration = Duration::from_secs(60);

/// A request: its method, what follows `/plugins/NAME` in its path, and its body.
type Step = (&'static str, String, Vec<u8>);

/// What is sent.
struct Plan {
    name: String,
    authorization: String,
    /// In their order: the module comes last, so that it begins under its policy.
    steps: Vec<Step>,
    /// What the last of them has done.
    done: &'static str,
}

/// Deploys to every host, and fails if one of them refuses or does not answer.
pub fn execute(deploy: Deploy) -> Result<(), Failure> {
    let plan = plan(&deploy)?;
    let hosts = match &deploy.all {
        Some(file) => listed(&String::from_utf8_lossy(&read(file)?)),
        None => deploy.host.iter().cloned().collect(),
    };
    if hosts.is_empty() {
        return Err(Failure::new(exit::USAGE, "--all: the file names no host"));
    }
    let mut failed = 0;
    for host in &hosts {
        match to(host, &plan) {
            Ok(done) => print(format!("{host}: {} {done}\n", plan.name).as_bytes())?,
            Err(why) => {
                failed += 1;
                note(&format!("{host}: {why}"));
            }
        }
    }
    match failed {
        0 => Ok(()),
        n => Err(Failure::new(exit::FAILED, format!("{n} of {} hosts do not have it", hosts.len()))),
    }
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(path).map_err(|error| Failure::new(exit::LOAD, format!("{}: {error}", path.display())))
}

fn plan(deploy: &Deploy) -> Result<Plan, Failure> {
    let usage = |what: String| Failure::new(exit::USAGE, what);
    let (name, hint) = match &deploy.change {
        Change::Put { module, name, .. } => {
            let stem = module.file_stem().map(|stem| stem.to_string_lossy().into_owned());
            (name.clone().or(stem).unwrap_or_default(), "; --name gives another")
        }
        Change::RollBack { name, .. } => (name.clone(), ""),
    };
    if !is_name(&name) {
        return Err(usage(format!("`{}` cannot be the name of a plug-in{hint}", printable(&name))));
    }
    let authorization = deploy.token.as_deref().map_or(Ok(String::new()), authorization)?;
    let (steps, done) = match &deploy.change {
        Change::Put { module, policy, signature, .. } => (put(module, policy, signature)?, "replaced"),
        Change::RollBack { to, .. } => {
            let is_word = |to: &str| !to.is_empty() && to.bytes().all(|byte| byte.is_ascii_alphanumeric());
            let query = match to.as_deref() {
                Some(to) if is_word(to) => format!("?version={}", to.to_ascii_lowercase()),
                Some(_) => return Err(usage("--to: a version is a number, or a SHA-256".into())),
                None => String::new(),
            };
            (vec![("POST", format!("/rollback{query}"), Vec::new())], "rolled back to")
        }
    };
    Ok(Plan { name, authorization, steps, done })
}

/// The header line with the token in `file`.
fn authorization(file: &Path) -> Result<String, Failure> {
    let text = read(file)?;
    let text = String::from_utf8_lossy(&text);
    // A file of several tokens, as `serve` has it, begins with one that may deploy.
    let token = text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('#'));
    let token = token.and_then(|line| line.split_whitespace().last()).unwrap_or_default();
    if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        let what = format!("--token {}: the file has no token", file.display());
        return Err(Failure::new(exit::USAGE, what));
    }
    Ok(format!("Authorization: Bearer {token}\r\n"))
}

fn put(module: &Path, policy: &Option<PathBuf>, signature: &Option<PathBuf>) -> Result<Vec<Step>, Failure> {
    let of = |file: &Option<PathBuf>| file.as_deref().map(read).transpose();
    let signature = of(signature)?.map(|text| ("PUT", "/signature".into(), text));
    let policy = of(policy)?.map(|text| ("PUT", "/policy".into(), text));
    // With the policy, the gateway keeps the version before. The module under the policy of the next is none.
    let query = if policy.is_some() { "?keep=no" } else { "" };
    let module = ("PUT", query.into(), read(module)?);
    Ok(signature.into_iter().chain(policy).chain([module]).collect())
}

/// Hosts of a file: one on each line, with comments.
fn listed(text: &str) -> Vec<String> {
    let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default().trim());
    lines.filter(|line| !line.is_empty()).map(String::from).collect()
}

/// `HOST`, `HOST:PORT` or `[ADDRESS]:PORT`.
fn address(host: &str) -> Result<SocketAddr, String> {
    let has_port = host.rsplit_once(':').is_some_and(|(before, port)| {
        port.parse::<u16>().is_ok() && (!before.contains(':') || before.ends_with(']'))
    });
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let mut found =
        if has_port { host.to_socket_addrs() } else { (bare, DEFAULT_LISTEN.port()).to_socket_addrs() };
    let found = found.as_mut().map_err(|error| error.to_string())?.next();
    found.ok_or_else(|| "it has no address".into())
}

/// Does all of it on one host.
fn to(host: &str, plan: &Plan) -> Result<String, String> {
    if !host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-:[]_%".contains(&byte)) {
        return Err("is no host".into());
    }
    let address = address(host)?;
    let mut last = None;
    for (method, part, body) in &plan.steps {
        let path = format!("/plugins/{}{part}", plan.name);
        let question = Question { method, path: &path, host, headers: &plan.authorization, body: Some(body) };
        let what = format!("{method} {}", path.split('?').next().unwrap_or_default());
        let answer = ask(address, PATIENCE, &question).map_err(|error| format!("{what}: {error}"))?;
        last = Some(accepted(&what, answer)?);
    }
    let answer = last.ok_or("nothing was sent")?;
    let digest = answer.header("etag").unwrap_or_default().trim_matches('"').to_string();
    let done = if answer.status == 201 { "created" } else { plan.done };
    Ok(format!("{done} {}", printable(&digest)))
}

/// The answer, if it says that it is done; otherwise why not.
fn accepted(what: &str, answer: Answer) -> Result<Answer, String> {
    if matches!(answer.status, 200..=299) {
        return Ok(answer);
    }
    let problem: Option<serde_json::Value> = serde_json::from_slice(&answer.body).ok();
    let detail = problem.as_ref().and_then(|problem| problem.get("detail")?.as_str()).unwrap_or_default();
    Err(format!("{what}: {} {}", answer.status, printable(&cut(detail, MESSAGE_BYTES_MAX))))
}

#[cfg(test)]
mod tests {
    use super::{address, listed};

    #[test]
    fn hosts_have_a_port_or_the_usual_one() {
        let shown = |host: &str| address(host).map(|address| address.to_string());
        assert_eq!(shown("127.0.0.1"), Ok("127.0.0.1:8080".into()));
        assert_eq!(shown("127.0.0.1:80"), Ok("127.0.0.1:80".into()));
        assert_eq!(shown("::1"), Ok("[::1]:8080".into()));
        assert_eq!(shown("[::1]"), Ok("[::1]:8080".into()));
        assert_eq!(shown("[::1]:80"), Ok("[::1]:80".into()));
        for wrong in ["", ":", "127.0.0.1:x", "127.0.0.1:65536", "[::1"] {
            assert!(address(wrong).is_err() || wrong == "[::1", "{wrong}");
        }
    }

    #[test]
    fn a_list_has_comments() {
        assert_eq!(listed("# all\n a \n\nb:1 # c\n"), ["a", "b:1"]);
        assert!(listed("# none\n\n").is_empty());
    }
}
