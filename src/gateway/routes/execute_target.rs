//! The parts of a target of `/execute/{plugin}`.

use crate::gateway::http::route::Route;
use percent_encoding::percent_decode_str;

/// The parts, as the client wrote them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExecuteTarget<'a> {
    /// `/execute/{plugin}`.
    pub script: &'a str,
    /// The plug-in's name.
    pub name: &'a str,
    /// What follows it in the path.
    pub path_info: &'a str,
    /// The query, without its question mark.
    pub query: &'a str,
}

impl<'a> ExecuteTarget<'a> {
    /// The parts of `target`, whose route is [`Route::Execute`].
    pub fn of(target: &'a str) -> ExecuteTarget<'a> {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let begin = Route::Execute.path().len().min(path.len());
        let end = path[begin..].find('/').map_or(path.len(), |at| begin + at);
        ExecuteTarget { script: &path[..end], name: &path[begin..end], path_info: &path[end..], query }
    }
}

/// Percent-decoded text; none if it is not UTF-8.
pub fn decode(text: &str) -> Option<String> {
    percent_decode_str(text).decode_utf8().ok().map(|decoded| decoded.into_owned())
}

#[cfg(test)]
mod tests {
    use super::ExecuteTarget;

    #[test]
    fn a_target_has_four_parts() {
        for (target, expected) in [
            ("/execute/greet", ["/execute/greet", "greet", "", ""]),
            ("/execute/greet?func=a", ["/execute/greet", "greet", "", "func=a"]),
            ("/execute/a%2Fb/c/d?x?y", ["/execute/a%2Fb", "a%2Fb", "/c/d", "x?y"]),
            ("/execute//c", ["/execute/", "", "/c", ""]),
            ("/execute/", ["/execute/", "", "", ""]),
            ("/execute/a?b/c", ["/execute/a", "a", "", "b/c"]),
        ] {
            let [script, name, path_info, query] = expected;
            assert_eq!(
                ExecuteTarget::of(target),
                ExecuteTarget { script, name, path_info, query },
                "{target}"
            );
        }
    }
}
