//! Routes of a policy: paths of the gateway, beside `/execute/NAME`, at which a plug-in answers.

use super::at::At;
use crate::base::escape::printable;
use std::cmp::Reverse;
use toml::Spanned;

/// A route and its function, if one is named.
pub type RawRoute = (Spanned<String>, Option<Spanned<String>>);

/// Routes of one policy.
pub const ROUTES_MAX: usize = 1_000;

/// Bytes of a route.
pub const ROUTE_BYTES_MAX: usize = 256;

/// What is at the end of a route that also takes all paths below it.
const BELOW: &str = "/...";

/// Paths that are the gateway's own. Of the rest, `/` is the console's until a policy takes it.
pub const RESERVED: [&str; 7] =
    ["/execute", "/plugins", "/openapi.json", "/failures", "/metrics", "/healthz", "/readyz"];

/// A route: a path, alone or with all below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PluginRoute {
    /// The path. With all below it, without a slash at its end: empty for every path.
    path: String,
    takes_below: bool,
    /// The function that answers, if the policy names one.
    pub function: Option<String>,
}

/// Whether `path` is the gateway's own, or below one of its own.
pub fn is_reserved(path: &str) -> bool {
    let first = path.split('/').nth(1).unwrap_or_default();
    RESERVED.iter().any(|own| own[1..] == *first)
}

impl PluginRoute {
    /// The route in `text`: `/path`, or `/path/...` with all below it.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str, function: Option<String>) -> Result<PluginRoute, String> {
        let wrong = |what: &str| Err(format!("the route `{}` {what}", printable(text)));
        if text.len() > ROUTE_BYTES_MAX {
            return Err(format!(
                "a route has {} bytes, more than the {ROUTE_BYTES_MAX} supported",
                text.len()
            ));
        }
        let (path, takes_below) = text.strip_suffix(BELOW).map_or((text, false), |path| (path, true));
        if !text.starts_with('/') {
            return wrong("does not begin with a slash");
        }
        // What a client may send in another form, or a proxy change, is no route (RFC 3986, sections 3.3 and 6.2.2).
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~!$&'()*+,;=:@".contains(&byte);
        if !path.bytes().all(is_plain) {
            return wrong(
                "holds a character that is not allowed in a path, or is written in more than one way",
            );
        }
        if text.contains("//") || path.split('/').any(|part| part == "." || part == "..") {
            return wrong("has an empty segment, `.` or `..`");
        }
        if is_reserved(path) {
            return wrong("is the gateway's own");
        }
        Ok(PluginRoute { path: path.into(), takes_below, function })
    }

    /// Whether this is the path of a request, or above it, and then how many of its bytes are this route's.
    pub fn matches(&self, path: &str) -> Option<usize> {
        let rest = path.strip_prefix(&self.path)?;
        let is_below = self.takes_below && rest.starts_with('/');
        (rest.is_empty() || is_below).then_some(self.path.len())
    }

    /// The order in which routes are tried: the longest first; of two, the one that takes less.
    pub fn order(&self) -> impl Ord + '_ {
        (Reverse(self.path.len()), self.takes_below, &self.path)
    }

    /// Whether `other` takes the same paths.
    pub fn is_like(&self, other: &PluginRoute) -> bool {
        (&self.path, self.takes_below) == (&other.path, other.takes_below)
    }

    /// As it is written in a policy.
    pub fn text(&self) -> String {
        format!("{}{}", self.path, if self.takes_below { BELOW } else { "" })
    }
}

/// The routes of a policy, each with its function, if one is named.
///
/// # Errors
/// What is wrong with one, and where.
pub fn routes(given: &[RawRoute]) -> Result<Vec<PluginRoute>, At> {
    if let Some((first, _)) = given.get(ROUTES_MAX) {
        let count = given.len();
        return Err(At::new(
            first.span(),
            format!("{count} routes are more than the {ROUTES_MAX} supported"),
        ));
    }
    let mut routes: Vec<PluginRoute> = Vec::with_capacity(given.len());
    for (text, function) in given {
        let function = function.as_ref().map(|function| function.get_ref().clone());
        let route =
            PluginRoute::parse(text.get_ref(), function).map_err(|what| At::new(text.span(), what))?;
        if routes.iter().any(|other| other.is_like(&route)) {
            return Err(At::new(text.span(), format!("the route `{}` comes twice", route.text())));
        }
        routes.push(route);
    }
    Ok(routes)
}

#[cfg(test)]
mod tests {
    use super::{PluginRoute, ROUTE_BYTES_MAX};

    fn route(text: &str) -> PluginRoute {
        PluginRoute::parse(text, None).unwrap()
    }

    #[test]
    fn routes_take_their_path_or_all_below_it() {
        for (text, taken, others) in [
            ("/", &[("/", 1)][..], &["/a", "//", "", "/?"][..]),
            ("/a", &[("/a", 2)], &["/a/", "/ab", "/", "/a/b", "/A"]),
            ("/a/", &[("/a/", 3)], &["/a", "/a/b"]),
            ("/a/...", &[("/a", 2), ("/a/", 2), ("/a/b/c", 2), ("/a//", 2)], &["/ab", "/", "/b/a"]),
            ("/...", &[("/", 0), ("/a", 0), ("/a/b", 0)], &["a", "*"]),
            ("/a/b/...", &[("/a/b", 4), ("/a/b/c", 4)], &["/a", "/a/bc"]),
        ] {
            let route = route(text);
            assert_eq!(route.text(), text);
            for (path, len) in taken {
                assert_eq!(route.matches(path), Some(*len), "{text} {path}");
            }
            for path in others {
                assert_eq!(route.matches(path), None, "{text} {path}");
            }
        }
    }

    #[test]
    fn the_longest_route_is_tried_first() {
        let mut routes = ["/...", "/a/...", "/a", "/b/c", "/b/...", "/"].map(route);
        routes.sort_by(|a, b| a.order().cmp(&b.order()));
        assert_eq!(routes.map(|route| route.text()), ["/b/c", "/a", "/a/...", "/b/...", "/", "/..."]);
    }

    #[test]
    fn what_is_no_route_is_refused() {
        for (text, why) in [
            ("", "slash"),
            ("a", "slash"),
            ("...", "slash"),
            ("http://a/", "slash"),
            ("//", "empty segment"),
            ("//a", "empty segment"),
            ("/a//b", "empty segment"),
            ("/a//...", "a"),
            ("/.", "empty segment"),
            ("/a/../b", "empty segment"),
            ("/a/..", "empty segment"),
            ("/a?b", "character"),
            ("/a#b", "character"),
            ("/a%62", "character"),
            ("/a b", "character"),
            ("/ä", "character"),
            ("/a\\b", "character"),
            ("/a\r\nb", "character"),
            ("/\0", "character"),
            ("/metrics", "own"),
            ("/metrics/...", "own"),
            ("/metrics/a", "own"),
            ("/execute", "own"),
            ("/execute/greet", "own"),
            ("/plugins/...", "own"),
        ] {
            let refused = PluginRoute::parse(text, None).unwrap_err();
            assert!(refused.contains(why), "{text:?}: {refused}");
        }
        let long = |len: usize| PluginRoute::parse(&format!("/{}", "a".repeat(len - 1)), None);
        assert!(long(ROUTE_BYTES_MAX).is_ok() && long(ROUTE_BYTES_MAX + 1).is_err());
        // Others that begin alike are not the gateway's.
        for text in ["/metricsx", "/Metrics", "/a/metrics", "/executes/..."] {
            route(text);
        }
    }
}
