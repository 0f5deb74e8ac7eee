//! Parses a policy: TOML beside the module. Unknown keys and values above the server's are errors, with line
//! and column. `keys.rs` reads the keys.

use super::at::At;
use super::dirs::open_dirs;
use super::keys::{self, RawLimits};
use super::plugin::Policy;
use super::routes::routes;
use super::server::ServerPolicy;
use crate::abi::{Convention, is_reserved};
use crate::base::digest::Digest;
use crate::base::escape::is_token;
use crate::base::limits::Limits;
use crate::host::outbound::allow_list::{HttpAllowList, PATTERNS_MAX};
use crate::host::wasi::ctx::GuestEnv;
use crate::module::reader::ModuleInfo;
use crate::plugins::code::Place;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::ops::Range;
use std::time::Duration;
use toml::Spanned;

/// Bytes of a policy's file.
pub const POLICY_BYTES_MAX: usize = 64 * 1024;

/// A parsed policy, not yet checked against its module.
pub struct Draft {
    policy: Policy,
    place: Place,
    convention: Option<Range<usize>>,
    functions: Vec<Spanned<String>>,
    /// Those that routes name.
    route_functions: Vec<Spanned<String>>,
}

/// Parses the policy in `text`, within the bounds of `server`, and opens its directories.
///
/// # Errors
/// What is wrong, and where.
pub fn read(text: &str, server: &ServerPolicy) -> Result<Draft, At> {
    let raw = keys::read(text)?;
    let limits = match &raw.limits {
        Some(own) => limits_within(own.get_ref(), &server.limits, own.span())?,
        None => server.limits.clone(),
    };
    if let Some(workers) = raw.workers.as_ref().filter(|workers| *workers.get_ref() == 0) {
        return Err(At::new(workers.span(), "workers is 0: it could never run"));
    }
    let place = place(raw.isolation.as_ref(), server)?;
    let convention = raw.convention.as_ref().map(parse_convention).transpose()?;
    let functions = match raw.functions {
        Some(list) if list.get_ref().is_empty() => {
            return Err(At::new(list.span(), "the list is empty: name functions, or remove the key"));
        }
        Some(list) => Some(list.into_inner()),
        None => None,
    };
    if let Some(content_type) = raw.content_type.as_ref().filter(|given| !is_content_type(given.get_ref())) {
        return Err(At::new(content_type.span(), "not a content type, such as \"image/png\""));
    }
    if let Some(arg) = raw.args.iter().find(|arg| arg.get_ref().contains('\0')) {
        return Err(At::new(arg.span(), "the argument holds a NUL"));
    }
    let routes = routes(&raw.routes)?;
    let named = raw.routes.into_iter().filter_map(|(_, function)| function);
    let route_functions = named.collect();
    let (env, dirs) = (environment(&raw.env)?, open_dirs(&raw.dirs, server, &limits)?);
    let config = raw.config.into_iter().map(|(key, value)| (key, value.into_inner())).collect();
    let guest_env =
        GuestEnv { env, dirs, config, http: allow_list(&raw.http, server)?, ..GuestEnv::default() };
    let names = functions.as_ref().map(|list| list.iter().map(|name| name.get_ref().clone()).collect());
    let policy = Policy {
        limits,
        convention,
        functions: names,
        access: raw.access,
        workers: raw.workers.map(Spanned::into_inner),
        warm: raw.warm,
        content_type: raw.content_type.map(Spanned::into_inner),
        args: raw.args.into_iter().map(Spanned::into_inner).collect(),
        routes,
        wagi: raw.wagi,
        trace: raw.trace,
        guest_env,
        digest: Some(Digest::of(text.as_bytes())),
    };
    let convention = raw.convention.map(|name| name.span());
    Ok(Draft { policy, place, convention, functions: functions.unwrap_or_default(), route_functions })
}

impl Draft {
    /// The limits under which its module is compiled.
    pub fn limits(&self) -> &Limits {
        &self.policy.limits
    }

    /// Whether its runs are traced.
    pub fn is_traced(&self) -> bool {
        self.policy.trace
    }

    /// Where its guests run.
    pub fn place(&self) -> Place {
        self.place
    }

    /// The policy, checked against the module's exports.
    ///
    /// # Errors
    /// A function that does not exist, or does not fit the convention.
    pub fn for_module(self, info: &ModuleInfo) -> Result<Policy, At> {
        let fits = |func: &str| match self.policy.convention {
            Some(convention) => convention.fits(info, func),
            None => Convention::of(info, func).is_some(),
        };
        let allowed = &self.policy.functions;
        let is_forbidden = |name: &&Spanned<String>| {
            allowed.as_ref().is_some_and(|allowed| !allowed.contains(name.get_ref()))
        };
        if let Some(name) = self.route_functions.iter().find(is_forbidden) {
            let what =
                format!("`{}` is not among the functions that the key `functions` allows", name.get_ref());
            return Err(At::new(name.span(), what));
        }
        for name in self.functions.iter().chain(&self.route_functions) {
            let (func, span) = (name.get_ref(), name.span());
            if info.function(func).is_none() {
                return Err(At::new(span, format!("the module exports no function `{func}`")));
            }
            if is_reserved(info, func) && !fits(func) {
                let what = format!("`{func}` is reserved for the calling convention or the language runtime");
                return Err(At::new(span, what));
            }
            if !fits(func) {
                let what = self.policy.convention.map_or("any calling", Convention::name);
                return Err(At::new(span, format!("`{func}` does not fit {what} convention")));
            }
        }
        if let (Some(span), true) = (self.convention, self.functions.is_empty())
            && !info.functions().any(|(name, _)| fits(name))
        {
            return Err(At::new(span, "no function of the module fits this convention"));
        }
        Ok(self.policy)
    }
}

fn place(given: Option<&Spanned<String>>, server: &ServerPolicy) -> Result<Place, At> {
    let span = || given.map_or(0..0, Spanned::span);
    let asked = given.map(|name| {
        let unknown = || format!("no isolation `{}`; use thread or process", name.get_ref());
        Place::parse(name.get_ref()).ok_or_else(|| At::new(name.span(), unknown()))
    });
    let asked = asked.transpose()?;
    server.loader.place(asked).map_err(|what| At::new(span(), what))
}

fn parse_convention(name: &Spanned<String>) -> Result<Convention, At> {
    Convention::parse(name.get_ref()).ok_or_else(|| {
        At::new(name.span(), format!("no convention `{}`; use {}", name.get_ref(), Convention::names()))
    })
}

/// A value at most the server's, which comes with the name of its flag.
fn within<T: PartialOrd + Display>(given: T, server: T, flag: &str, span: Range<usize>) -> Result<T, At> {
    if given > server {
        return Err(At::new(span, format!("{given} is more than the server's {flag}, which is {server}")));
    }
    Ok(given)
}

fn limits_within(raw: &RawLimits, server: &Limits, whole: Range<usize>) -> Result<Limits, At> {
    let mut limits = server.clone();
    macro_rules! take {
        ($($field:ident = $given:ident, $flag:literal;)*) => {$(
            if let Some(given) = &raw.$given {
                limits.$field = within(*given.get_ref(), server.$field, $flag, given.span())?;
            }
        )*};
    }
    take! {
        fuel = fuel, "--fuel";
        memory_pages = memory_pages, "--memory-pages";
        input_bytes = max_input, "--max-input";
        output_bytes = max_output, "--max-output";
        recursion = max_recursion, "--max-recursion";
        stack_bytes = max_stack, "--max-stack";
        table_elements = max_table_elements, "--max-table-elements";
        descriptors = max_descriptors, "--max-descriptors";
        dir_quota = dir_quota, "--dir-quota";
        http_calls = http_calls, "--http-calls";
    }
    if let Some(given) = &raw.timeout {
        limits.deadline = deadline_within(*given.get_ref(), server.deadline, given.span())?;
    }
    limits.check().map_err(|what| At::new(whole, what))?;
    Ok(limits)
}

fn deadline_within(
    given: Option<Duration>,
    server: Option<Duration>,
    span: Range<usize>,
) -> Result<Option<Duration>, At> {
    let shown = |time: Option<Duration>| {
        time.map_or("none".into(), |time| humantime::format_duration(time).to_string())
    };
    let is_more = server.is_some_and(|most| given.is_none_or(|time| time > most));
    match is_more {
        false => Ok(given),
        true => Err(At::new(
            span,
            format!("{} is more than the server's --timeout, which is {}", shown(given), shown(server)),
        )),
    }
}

/// A valid header value that looks like a media type (RFC 9110, section 8.3.1).
fn is_content_type(text: &str) -> bool {
    let media = text.split(';').next().unwrap_or_default().trim();
    let parts = media.split_once('/').is_some_and(|(kind, subtype)| is_token(kind) && is_token(subtype));
    parts && text.bytes().all(|b| (0x20..0x7f).contains(&b))
}

/// The URLs that the guest may call.
fn allow_list(given: &[Spanned<String>], server: &ServerPolicy) -> Result<HttpAllowList, At> {
    if let Some(first) = given.get(PATTERNS_MAX) {
        return Err(At::new(first.span(), format!("more than {PATTERNS_MAX} patterns")));
    }
    let mut list = HttpAllowList::default();
    for pattern in given {
        let one = HttpAllowList::new([pattern.get_ref()]).map_err(|what| At::new(pattern.span(), what))?;
        one.check_within(&server.http_within).map_err(|what| At::new(pattern.span(), what))?;
        list.extend(&one);
    }
    Ok(list)
}

/// Names and values for the guest.
type Environment = Vec<(Vec<u8>, Vec<u8>)>;

fn environment(given: &BTreeMap<String, Spanned<String>>) -> Result<Environment, At> {
    for (name, value) in given {
        if name.is_empty() || name.contains(['=', '\0']) {
            let what = format!("`{}` is not a valid name for an environment variable", name.escape_debug());
            return Err(At::new(value.span(), what));
        }
        if value.get_ref().contains('\0') {
            return Err(At::new(value.span(), "the value holds a NUL"));
        }
    }
    Ok(given.iter().map(|(name, value)| (name.clone().into(), value.get_ref().clone().into())).collect())
}
