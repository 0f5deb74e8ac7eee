//! `/execute/{plugin}`: calls a function, or runs a program.

use super::execute_target::{ExecuteTarget, decode};
use super::streamed::Streamed;
use super::{cgi_request, cgi_response, listing};
use crate::abi::{Call, CallContext, Hooks, Invocation, command};
use crate::base::error::Error;
use crate::base::escape::{cut, printable};
use crate::base::limits::MESSAGE_BYTES_MAX;
use crate::base::lock::lock;
use crate::base::outcome::{Report, Stop, Usage};
use crate::gateway::http::head::is_1_1;
use crate::gateway::http::message::{BYTES, JSON, Mount, Request, Response};
use crate::gateway::http::request_id::RequestId;
use crate::gateway::http::service::Context;
use crate::gateway::http::tokens::Role;
use crate::gateway::http::{cookies, problem, trailers};
use crate::host::guest_log::Tail;
use crate::host::reply::Reply;
use crate::host::streams::SinkTo;
use crate::plugins::policy::Access;
use crate::plugins::registry::Plugin;
use crate::runner::Runner;
use percent_encoding::percent_decode_str;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The function that is called when a request names none, and the plug-in has several, as in gowasmrunner.
pub const DEFAULT_FUNCTION: &str = "greet";

/// What is said of a path without a plug-in's name.
pub const NO_NAME: &str = "the path names no plug-in: /execute/{plugin}";

/// Runs the plug-in that `request` names.
pub fn answer(runner: &Runner, request: &mut Request, context: &Context<'_>) -> Response {
    let hooks = context.hooks;
    let ExecuteTarget { name, path_info, .. } = ExecuteTarget::of(request);
    let name = match name {
        Some(name) if !name.is_empty() => name.into_owned(),
        Some(_) => return Response::problem(problem::BAD_REQUEST, NO_NAME),
        None => return Response::problem(problem::BAD_REQUEST, "the plug-in's name is not UTF-8"),
    };
    let plugin = match runner.plugins().get(&name) {
        Ok(plugin) => plugin,
        Err(error) => return no_plugin(runner, &name, &error),
    };
    if plugin.may_stall() {
        hooks.long();
    }
    let mut response = if !may_call(&plugin, request.role) {
        Response::token_needed("this plug-in")
    } else if left(request, context.begin) == Some(Duration::ZERO) {
        Response::problem(
            problem::DEADLINE,
            "the client's Fuelbox-Timeout had passed before a worker was free",
        )
    } else if plugin.is_command() {
        let path_info = percent_decode_str(path_info).collect();
        program(runner, request, (&plugin, path_info), context)
    } else if path_info.is_empty() {
        Response::only(request, "POST", |request| function(runner, request, &plugin, context))
    } else {
        Response::problem(problem::NO_ROUTE, &format!("`{name}` is no program, so nothing follows its name"))
    };
    response.plugin = Some(plugin);
    response
}

/// Whether the policy of `plugin` lets those with `role` call it.
pub fn may_call(plugin: &Plugin, role: Option<Role>) -> bool {
    plugin.policy.access == Access::Open || role.is_some()
}

/// The time that the client of `request` still waits, if it said how long.
fn left(request: &Request, begin: Instant) -> Option<Duration> {
    request.timeout.map(|timeout| timeout.saturating_sub(begin.elapsed()))
}

/// Calls a function of a plug-in.
fn function(runner: &Runner, request: &Request, plugin: &Plugin, context: &Context<'_>) -> Response {
    let func = match function_asked(request) {
        Ok(func) => func,
        Err(what) => return Response::problem(problem::BAD_REQUEST, what),
    };
    let func = func.as_deref().or(plugin.only_function.as_deref()).unwrap_or(DEFAULT_FUNCTION);
    let tail = Arc::new(Tail::default());
    let given = given(context.hooks, &request.id, &tail);
    let deadline = left(request, context.begin);
    let given = CallContext { deadline, ..given };
    let response = match runner.run_plugin(plugin, Call::bytes(func, &request.body), given) {
        Ok(report) => {
            let usual = content_type(plugin).or(plugin.gives_json(func).then_some(JSON));
            respond(report, deadline, |output| Ok(cgi_response::plain(output, usual)))
        }
        Err(error) => refuse(&error),
    };
    with_failure(response, Some(func), &tail)
}

fn given<'a>(hooks: Hooks<'a>, id: &'a RequestId, tail: &Arc<Tail>) -> CallContext<'a> {
    CallContext { hooks, request_id: Some(id), tail: Some(Arc::clone(tail)), ..CallContext::default() }
}

/// Adds what else is known of a failure.
fn with_failure(mut response: Response, function: Option<&str>, tail: &Tail) -> Response {
    if let Some(failure) = &mut response.failure {
        failure.function = function.map(str::to_string);
        failure.output = tail.lines();
    }
    response
}

/// Runs a program as a CGI script. What answers by `wasi:http` may be sent while it runs.
fn program(
    runner: &Runner,
    request: &mut Request,
    (plugin, path_info): (&Plugin, Vec<u8>),
    context: &Context<'_>,
) -> Response {
    if path_info.contains(&0) {
        return Response::problem(problem::BAD_REQUEST, "the path holds a NUL");
    }
    let is_head = request.is_head();
    let id = request.id.clone();
    let entry = match entry(request, plugin) {
        Ok(entry) => entry,
        Err(response) => return *response,
    };
    let script = ExecuteTarget::of(request).script.to_string();
    let streams = plugin.code.info().answers_http && !is_head && is_1_1(&request.head);
    let streamed = streams.then(|| Streamed::new((context.stream)(request), &script, content_type(plugin)));
    let (streamed, progress) = streamed.unzip();
    let stdout = streamed.map(|streamed| SinkTo::Reply(Reply::new(Box::new(streamed))));
    let tail = Arc::new(Tail::default());
    let hooks = context.hooks;
    let deadline = left(request, context.begin);
    let given = CallContext { stdout, deadline, ..given(hooks, &id, &tail) };
    let invocation = cgi_request::invocation(request, path_info, plugin.policy.wagi);
    let invocation = Invocation { entry, ..invocation };
    let ran = runner.run_plugin(plugin, invocation, given);
    let progress = progress.map(|progress| std::mem::take(&mut *lock(&progress))).unwrap_or_default();
    let has_trailers = !progress.trailers.is_empty() && trailers::are_taken(&request.head);
    let trailers = if has_trailers { cgi_response::trailers(progress.trailers) } else { Vec::new() };
    if progress.has_begun {
        let response = end(ran, deadline, progress.left);
        return Response { trailers, ..with_failure(response, None, &tail) };
    }
    let response = match ran {
        Ok(report) => respond(report, deadline, |output| {
            let made = cgi_response::response(output, is_head, content_type(plugin))
                .map_err(|what| cut(&what, MESSAGE_BYTES_MAX));
            made.map(|mut response| {
                cookies::confine(&mut response, &script);
                let trailers = if response.is_empty_by_status() { Vec::new() } else { trailers };
                Response { trailers, ..response }
            })
        }),
        Err(error) => refuse(&error),
    };
    with_failure(response, None, &tail)
}

/// The function that a request asks for, if it does: by its route, or in its query.
fn function_asked(request: &Request) -> Result<Option<String>, &'static str> {
    match &request.mount {
        Some(Mount { function: Some(function), .. }) => Ok(Some(function.clone())),
        _ => function_named(ExecuteTarget::of(request).query),
    }
}

/// The function that a program is called by, if it is not `_start`. Unless its policy lists functions, the query is the
/// program's own.
fn entry(request: &Request, plugin: &Plugin) -> Result<Option<String>, Box<Response>> {
    let listed = plugin.policy.functions.as_deref().unwrap_or_default();
    let has_others = listed.iter().any(|name| name != command::START);
    let by_route = request.mount.as_ref().and_then(|mount| mount.function.clone());
    if !has_others || by_route.is_some() {
        return Ok(by_route);
    }
    let asked = function_asked(request)
        .map_err(|what| Box::new(Response::problem(problem::BAD_REQUEST, what)))?
        .or_else(|| plugin.only_function.clone());
    // `_start`, or an error that lists the others.
    let name = asked.as_deref().unwrap_or(command::START);
    plugin.policy.check_function(name).map_err(|error| Box::new(refuse(&error)))?;
    Ok(asked)
}

/// The end of a response that was begun, of whose body so many bytes are to follow. Whatever stopped the guest, the client has
/// a part of the response, and gets no end of it.
fn end(ran: Result<Report<Vec<u8>>, Error>, deadline: Option<Duration>, left: Option<u64>) -> Response {
    let mut response = match ran {
        Err(error) => refuse(&error),
        Ok(report) => respond(report, deadline, |rest| match left {
            Some(left) if left != rest.len() as u64 => {
                Err(format!("{left} bytes of its content-length were left, and {} came", rest.len()))
            }
            _ => Ok(Response { ends_stream: true, ..Response::new(200, BYTES, rest) }),
        }),
    };
    if !response.ends_stream {
        response.body.clear();
        if let Some(failure) = &mut response.failure {
            failure.detail = format!("the response was cut: {}", failure.detail);
        }
    }
    response
}

/// The content type that the policy sets.
fn content_type(plugin: &Plugin) -> Option<&str> {
    plugin.policy.content_type.as_deref()
}

/// The response to a run, whose client would wait until `deadline`.
fn respond(
    report: Report<Vec<u8>>,
    deadline: Option<Duration>,
    made_of: impl FnOnce(Vec<u8>) -> Result<Response, String>,
) -> Response {
    let chain = report.trace.and_then(|trace| trace.chain);
    let mut response = match report.result.map(made_of) {
        Ok(Ok(response)) => cgi_response::shielded(response),
        Ok(Err(what)) => {
            Response::problem(problem::CONVENTION, &format!("guest broke its calling convention: {what}"))
        }
        Err(Stop::Deadline { limit, .. }) if deadline == Some(limit) => {
            Response::problem(problem::DEADLINE, "the client's Fuelbox-Timeout passed while the guest ran")
        }
        Err(stop) => Response::problem(problem::of_stop(&stop), &problem::detail(&stop)),
    };
    if let (Some(failure), Some(chain)) = (&mut response.failure, chain) {
        failure.trace = chain.to_string().lines().map(String::from).collect();
    }
    measured(response, &report.usage)
}

fn measured(response: Response, usage: &Usage) -> Response {
    let ms = |time: std::time::Duration| time.as_secs_f64() * 1000.0;
    let timing = format!("instantiate;dur={:.3}, run;dur={:.3}", ms(usage.instantiate), ms(usage.run));
    let mut response = response.with("Server-Timing", timing).with("Fuel-Used", usage.fuel.to_string());
    response.fuel = Some(usage.fuel);
    response
}

/// No plug-in has this name. If a file has, it is said why it does not load, as the list of plug-ins does.
fn no_plugin(runner: &Runner, name: &str, error: &Error) -> Response {
    let Some((path, reason)) = runner.plugins().refusal(name) else { return refuse(error) };
    let detail =
        format!("the plug-in `{}` does not load: {}", printable(name), listing::reason(&path, &reason));
    Response::problem(problem::NO_PLUGIN, &detail)
}

fn refuse(error: &Error) -> Response {
    Response::problem(problem::of_error(error), &error.to_string())
}

/// The `func` of a query: percent-encoded, `+` for a space (WHATWG URL, application/x-www-form-urlencoded).
fn function_named(query: &str) -> Result<Option<String>, &'static str> {
    let mut values = query.split('&').filter_map(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        (key == "func").then_some(value)
    });
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err("the query names more than one func");
    }
    let value = value.replace('+', " ");
    let name = decode(&value).ok_or("the function's name is not UTF-8")?;
    if name.is_empty() {
        return Err("the query's func is empty");
    }
    Ok(Some(name.into_owned()))
}
