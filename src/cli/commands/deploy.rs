//! `fuelbox deploy`: puts a module, its policy and its signature on gateways, by the routes of `/plugins`.

use crate::base::escape::{cut, printable};
use crate::base::limits::MESSAGE_BYTES_MAX;
use crate::cli::args::command::Deploy;
use crate::cli::client::{Answer, Question, ask};
use crate::cli::exit;
use crate::cli::failure::Failure;
use crate::cli::output::messages::{note, print};
use crate::gateway::server::DEFAULT_LISTEN;
use crate::plugins::deploy::is_name;
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::Path;
use std::time::Duration;

/// Time limit of one request. Compiling the largest module takes a second of a desktop core.
const PATIENCE: Duration = Duration::from_secs(60);

/// What is sent, in the order in which it is sent: the module last, so that it begins under its policy.
struct Parts {
    name: String,
    authorization: String,
    signature: Option<Vec<u8>>,
    policy: Option<Vec<u8>>,
    module: Vec<u8>,
}

/// Deploys to every host, and fails if one of them refuses or does not answer.
pub fn execute(deploy: Deploy) -> Result<(), Failure> {
    let parts = parts(&deploy)?;
    let hosts = match &deploy.all {
        Some(file) => listed(&String::from_utf8_lossy(&read(file)?)),
        None => deploy.host.iter().cloned().collect(),
    };
    if hosts.is_empty() {
        return Err(Failure::new(exit::USAGE, "--all: the file names no host"));
    }
    let mut failed = 0;
    for host in &hosts {
        match to(host, &parts) {
            Ok(done) => print(format!("{host}: {} {done}\n", parts.name).as_bytes())?,
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

fn parts(deploy: &Deploy) -> Result<Parts, Failure> {
    let usage = |what: String| Failure::new(exit::USAGE, what);
    let stem = deploy.module.file_stem().map(|stem| stem.to_string_lossy().into_owned());
    let name = deploy.name.clone().or(stem).unwrap_or_default();
    if !is_name(&name) {
        return Err(usage(format!(
            "`{}` cannot be the name of a plug-in; --name gives another",
            printable(&name)
        )));
    }
    let authorization = match &deploy.token {
        Some(file) => {
            let text = read(file)?;
            let text = String::from_utf8_lossy(&text);
            // A file of several tokens, as `serve` has it, begins with one that may deploy.
            let token = text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('#'));
            let token = token.and_then(|line| line.split_whitespace().last()).unwrap_or_default();
            if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
                return Err(usage(format!("--token {}: the file has no token", file.display())));
            }
            format!("Authorization: Bearer {token}\r\n")
        }
        None => String::new(),
    };
    let of = |file: &Option<std::path::PathBuf>| file.as_deref().map(read).transpose();
    let (signature, policy) = (of(&deploy.signature)?, of(&deploy.policy)?);
    Ok(Parts { name, authorization, signature, policy, module: read(&deploy.module)? })
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

/// Sends all parts to one host.
fn to(host: &str, parts: &Parts) -> Result<String, String> {
    if !host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-:[]_%".contains(&byte)) {
        return Err("is no host".into());
    }
    let address = address(host)?;
    let put = |part: &str, body: &[u8]| {
        let path = format!("/plugins/{}{part}", parts.name);
        let headers = &parts.authorization;
        ask(address, PATIENCE, &Question { method: "PUT", path: &path, host, headers, body: Some(body) })
            .map_err(|error| format!("PUT {path}: {error}"))
            .and_then(|answer| accepted(&path, answer))
    };
    if let Some(signature) = &parts.signature {
        put("/signature", signature)?;
    }
    if let Some(policy) = &parts.policy {
        put("/policy", policy)?;
    }
    let answer = put("", &parts.module)?;
    let digest = answer.header("etag").unwrap_or_default().trim_matches('"').to_string();
    Ok(format!("{} {digest}", if answer.status == 201 { "created" } else { "replaced" }))
}

/// The answer, if it says that it is done; otherwise why not.
fn accepted(path: &str, answer: Answer) -> Result<Answer, String> {
    if matches!(answer.status, 200..=299) {
        return Ok(answer);
    }
    let problem: Option<serde_json::Value> = serde_json::from_slice(&answer.body).ok();
    let detail = problem.as_ref().and_then(|problem| problem.get("detail")?.as_str()).unwrap_or_default();
    Err(format!("PUT {path}: {} {}", answer.status, printable(&cut(detail, MESSAGE_BYTES_MAX))))
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
