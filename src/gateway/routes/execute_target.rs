//! The parts of a target at which a plug-in answers: `/execute/{plugin}`, or a route of its policy.

use crate::gateway::http::message::Request;
use crate::gateway::http::route::Route;
use percent_encoding::percent_decode_str;
use std::borrow::Cow;

/// The parts, as the client wrote them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExecuteTarget<'a> {
    /// The path to the plug-in: `/execute/{plugin}`, or what a route of its policy takes.
    pub script: &'a str,
    /// The plug-in's name, percent-decoded; none if it is not UTF-8.
    pub name: Option<Cow<'a, str>>,
    /// What follows it in the path.
    pub path_info: &'a str,
    /// The query, without its question mark.
    pub query: &'a str,
}

impl<'a> ExecuteTarget<'a> {
    /// The parts of the target of `request`, whose route is [`Route::Execute`].
    pub fn of(request: &'a Request) -> ExecuteTarget<'a> {
        let target = &*request.target;
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        if let Some(mount) = &request.mount {
            let (script, path_info) = path.split_at_checked(mount.script).unwrap_or((path, ""));
            return ExecuteTarget { script, name: Some(Cow::Borrowed(&mount.plugin)), path_info, query };
        }
        let begin = Route::Execute.path().len().min(path.len());
        let end = path[begin..].find('/').map_or(path.len(), |at| begin + at);
        ExecuteTarget {
            script: &path[..end],
            name: decode(&path[begin..end]),
            path_info: &path[end..],
            query,
        }
    }
}

/// Percent-decoded text; none if it is not UTF-8.
pub fn decode(text: &str) -> Option<Cow<'_, str>> {
    percent_decode_str(text).decode_utf8().ok()
}

#[cfg(test)]
mod tests {
    use super::ExecuteTarget;
    use crate::gateway::http::message::{Mount, Request};

    #[track_caller]
    fn check(request: &Request, name: Option<&str>, [script, path_info, query]: [&str; 3]) {
        let expected = ExecuteTarget { script, name: name.map(Into::into), path_info, query };
        assert_eq!(ExecuteTarget::of(request), expected, "{}", request.target);
    }

    #[test]
    fn a_target_has_four_parts() {
        for (target, name, parts) in [
            ("/execute/greet", Some("greet"), ["/execute/greet", "", ""]),
            ("/execute/greet?func=a", Some("greet"), ["/execute/greet", "", "func=a"]),
            ("/execute/a%2Fb/c/d?x?y", Some("a/b"), ["/execute/a%2Fb", "/c/d", "x?y"]),
            ("/execute//c", Some(""), ["/execute/", "/c", ""]),
            ("/execute/", Some(""), ["/execute/", "", ""]),
            ("/execute/a?b/c", Some("a"), ["/execute/a", "", "b/c"]),
            ("/execute/%ff", None, ["/execute/%ff", "", ""]),
        ] {
            let request = Request { target: target.into(), ..Request::default() };
            check(&request, name, parts);
        }
    }

    #[test]
    fn a_route_of_a_policy_ends_where_the_policy_says() {
        for (target, script, parts) in [
            ("/hello", 6, ["/hello", "", ""]),
            ("/hello/a/b?c=d", 6, ["/hello", "/a/b", "c=d"]),
            ("/", 0, ["", "/", ""]),
            ("/?a", 1, ["/", "", "a"]),
        ] {
            let mount = Mount { plugin: "x".into(), function: None, route: "/hello/...".into(), script };
            check(
                &Request { target: target.into(), mount: Some(mount), ..Request::default() },
                Some("x"),
                parts,
            );
        }
    }
}
