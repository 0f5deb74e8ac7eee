//! Changes of plug-ins: `/plugins/{name}`, its policy and its signature, for bearers of a token that may.

use super::versions;
use crate::abi::Hooks;
use crate::base::digest::Digest;
use crate::base::error::{Error, LoadProblem};
use crate::base::outcome::Stop;
use crate::gateway::http::conditions::{Conditions, tag};
use crate::gateway::http::head::Head;
use crate::gateway::http::message::{JSON, Request, Response, TEXT};
use crate::gateway::http::problem;
use crate::gateway::http::route::Route;
use crate::gateway::http::tokens::{Role, Tokens};
use crate::plugins::deploy::{Deploy, Done, Refused, is_name};
use crate::runner::Runner;
use percent_encoding::percent_decode_str;
use serde_json::json;
use std::io::ErrorKind;
use std::sync::Arc;

/// `Content-Type` of a module.
const WASM: &str = "application/wasm";

/// What a client may be answered is half of the budget, so that is the most that a module can be read back.
const BUDGET_SHARE: usize = 2;

/// Who may change plug-ins, and how large a module may be.
#[derive(Debug)]
pub struct Deployment {
    /// The tokens.
    pub tokens: Arc<Tokens>,
    /// Bytes of a module.
    pub module_bytes: usize,
    /// Bytes of bodies and answers over all connections.
    pub budget_bytes: usize,
    /// Former versions that are kept of each plug-in.
    pub keep_versions: usize,
}

impl Deployment {
    /// What the bearer of the token of `head` may do.
    pub fn role(&self, head: &Head<'_>) -> Option<Role> {
        head.authorization.and_then(|value| self.tokens.role(value))
    }

    /// Bytes that the body of this request may have, where others have `usual`. Only whoever may deploy can send
    /// more: what strangers send is held to the usual, whatever it is for.
    pub fn body_limit(&self, head: &Head<'_>, role: Option<Role>, usual: usize) -> usize {
        let is_module = head.method == "PUT" && head.route == Route::Deployment && role == Some(Role::Deploy);
        if is_module { self.module_bytes.max(usual) } else { usual }
    }

    /// The response to `request`, which is about one plug-in.
    pub fn answer(&self, runner: &Runner, request: &Request, hooks: Hooks<'_>) -> Response {
        let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
        let path = path.strip_prefix(Route::Deployment.path()).unwrap_or_default();
        match request.role {
            None => return Response::token_needed("this"),
            Some(Role::Call) => {
                return Response::problem(problem::FORBIDDEN, "this token may only call plug-ins");
            }
            Some(Role::Deploy) => {}
        }
        let (name, part) = path.split_once('/').map_or((path, None), |(name, part)| (name, Some(part)));
        let name = percent_decode_str(name).decode_utf8_lossy();
        let name = name.strip_suffix(".wasm").unwrap_or(&name);
        if !is_name(name) {
            let what = "a plug-in's name has 1 to 64 letters, digits, `.`, `_` and `-`, a letter or digit first, \
                 and does not end in .wasm";
            return Response::problem(problem::BAD_REQUEST, what);
        }
        let conditions = match Conditions::of(&request.head) {
            Ok(conditions) => conditions,
            Err(what) => return Response::problem(problem::BAD_REQUEST, &what),
        };
        // From here on it is disks and compilers.
        hooks.long();
        let of = Change { deployment: self, name, request, query, conditions };
        let answer = runner.catalog().deploy(|deploy| {
            deploy.keep = (parameter(query, "keep") != Some("no")).then_some(self.keep_versions);
            match part {
                None => of.module(deploy),
                Some("policy") => of.policy(deploy),
                Some("signature") => of.signature(deploy),
                Some("versions") => of.versions(deploy),
                Some("rollback") => of.rollback(deploy),
                Some(_) => Response::problem(
                    problem::NO_ROUTE,
                    "of a plug-in there are its policy, signature and versions, and rollback",
                ),
            }
        });
        answer.unwrap_or_else(|| {
            Response::problem(
                problem::NO_FOLDER,
                "the built-in guests are served; `serve --plugins DIR` serves a folder",
            )
        })
    }
}

/// A request about the plug-in `name`.
struct Change<'a> {
    deployment: &'a Deployment,
    name: &'a str,
    request: &'a Request,
    query: &'a str,
    conditions: Conditions,
}

impl Change<'_> {
    fn module(&self, deploy: &mut Deploy<'_>) -> Response {
        match self.request.method.as_str() {
            "GET" | "HEAD" => deploy.module(self.name).map_or_else(refuse, |bytes| self.show(WASM, bytes)),
            "PUT" => {
                let module = &self.request.body;
                let done = deploy.put_module(self.name, module, &|now| self.conditions.hold(now));
                self.done(done, "deployed", "")
            }
            "DELETE" => self.gone(deploy.remove(self.name, &|now| self.conditions.hold(now)), "removed"),
            _ => Response::not_allowed("GET, HEAD, PUT, DELETE"),
        }
    }

    fn policy(&self, deploy: &mut Deploy<'_>) -> Response {
        match self.request.method.as_str() {
            "GET" | "HEAD" => deploy
                .policy(self.name)
                .map_or_else(refuse, |text| self.show("application/toml", text.into())),
            "PUT" => {
                let body = &self.request.body;
                let done = deploy.put_policy(self.name, body, &|now| self.conditions.hold(now));
                self.done(done, "under a new policy", "/policy")
            }
            "DELETE" => {
                let gone = deploy.remove_policy(self.name, &|now| self.conditions.hold(now));
                self.gone(gone, "without its policy")
            }
            _ => Response::not_allowed("GET, HEAD, PUT, DELETE"),
        }
    }

    fn signature(&self, deploy: &mut Deploy<'_>) -> Response {
        match self.request.method.as_str() {
            "PUT" => match deploy.put_signature(self.name, &self.request.body) {
                Ok(()) => Response::new(204, TEXT, ""),
                Err(refused) => refuse(refused),
            },
            _ => Response::not_allowed("PUT"),
        }
    }

    fn versions(&self, deploy: &mut Deploy<'_>) -> Response {
        match self.request.method.as_str() {
            "GET" | "HEAD" => deploy.versions(self.name).map_or_else(refuse, |listing| {
                let all = versions::listed(self.name, self.deployment.keep_versions, &listing);
                Response::new(200, JSON, all).with("Cache-Control", "no-store")
            }),
            "DELETE" => self.gone(deploy.forget_versions(self.name), "without its former versions"),
            _ => Response::not_allowed("GET, HEAD, DELETE"),
        }
    }

    fn rollback(&self, deploy: &mut Deploy<'_>) -> Response {
        if self.request.method != "POST" {
            return Response::not_allowed("POST");
        }
        match versions::chosen(parameter(self.query, "version")) {
            Ok(chosen) => {
                let done = deploy.roll_back(self.name, &chosen, &|now| self.conditions.hold(now));
                self.done(done, "rolled back", "")
            }
            Err(what) => Response::problem(problem::BAD_REQUEST, what),
        }
    }

    /// What is there, unless the client has it.
    fn show(&self, content_type: &'static str, bytes: Vec<u8>) -> Response {
        let digest = Digest::of(&bytes);
        if !self.conditions.match_now(Some(digest)) {
            return refuse(Refused::Condition);
        }
        let response = if self.conditions.client_has(digest) {
            Response::new(304, content_type, "")
        } else if bytes.len() > self.deployment.budget_bytes / BUDGET_SHARE {
            let (size, most) = (bytes.len(), self.deployment.budget_bytes / BUDGET_SHARE);
            let what = format!("it has {size} bytes; answers have at most half of --body-budget, {most}");
            return Response::problem(problem::TOO_LARGE, &what);
        } else {
            Response::new(200, content_type, bytes)
        };
        response.with("ETag", tag(digest)).with("Cache-Control", "no-cache")
    }

    fn done(&self, done: Result<Done, Refused>, what: &str, part: &str) -> Response {
        let done = match done {
            Ok(done) => done,
            Err(refused) => return refuse(refused),
        };
        self.log(what);
        match done {
            Done::Replaced(digest) => Response::new(204, TEXT, "").with("ETag", tag(digest)),
            Done::Created(digest) => {
                let body = json!({ "name": self.name, "sha256": digest.to_string() }).to_string() + "\n";
                let place = format!("{}{}{part}", Route::Deployment.path(), self.name);
                Response::new(201, JSON, body).with("ETag", tag(digest)).with("Location", place)
            }
        }
    }

    fn gone(&self, gone: Result<(), Refused>, what: &str) -> Response {
        match gone {
            Ok(()) => {
                self.log(what);
                Response::new(204, TEXT, "")
            }
            Err(refused) => refuse(refused),
        }
    }

    fn log(&self, what: &str) {
        let client = self.request.client.address;
        log::info!("plug-in {} {what}, by {client} in request {}", self.name, self.request.id);
    }
}

/// The value of the parameter `name` of a query; none of these is encoded.
fn parameter<'a>(query: &'a str, name: &str) -> Option<&'a str> {
    query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
}

fn refuse(refused: Refused) -> Response {
    match refused {
        Refused::Condition => {
            Response::problem(problem::PRECONDITION, "what is there is not what the request is for")
        }
        Refused::Absent => Response::problem(problem::NO_PLUGIN, "there is nothing of this name"),
        Refused::NoVersion => Response::problem(
            problem::NO_VERSION,
            "no such version is kept (GET /plugins/{name}/versions; --keep-versions)",
        ),
        Refused::Unsettled => Response::problem(problem::BUSY, "it is being written; try again"),
        Refused::Invalid(why) => Response::problem(problem::WOULD_NOT_SERVE, &why),
        Refused::System(error) => {
            log::error!("cannot deploy: {error}");
            match error {
                Error::Io { source, .. } => {
                    let (kind, hint) = match source.kind() {
                        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => (problem::STORAGE_FULL, ""),
                        ErrorKind::FileTooLarge => (problem::STORAGE_FULL, " (ulimit -f of the gateway)"),
                        _ => (problem::INTERNAL, ""),
                    };
                    Response::problem(kind, &format!("the folder: {source}{hint}"))
                }
                Error::Load { problem: LoadProblem::NoMemory { .. }, .. }
                | Error::Guest(Stop::NoMemory { .. }) => Response::no_memory(),
                other => Response::problem(problem::INTERNAL, &other.to_string()),
            }
        }
    }
}
