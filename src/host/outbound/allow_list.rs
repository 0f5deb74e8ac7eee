//! The URLs that a guest may call: patterns of a policy (`http`), of `--allow-http` or of an embedding program.

#[cfg(feature = "plugins")]
mod within;

use super::counts::Counts;
use super::path::path_of;
use super::url::{Host, Scheme, Url, host_and_port, scheme};
use std::fmt;

/// Why a build without a client takes no pattern.
const NO_CLIENT: &str =
    "this build of fuelbox cannot make HTTP requests: it is without the cargo feature `http`";

/// What a policy may name, at most.
pub const PATTERNS_MAX: usize = 1_000;

/// The URLs that a guest may call over HTTP. The empty list allows none.
///
/// A pattern is `https://HOST[:PORT]/PATH`, or the same with `http`. HOST is a name, `*.NAME` for all names that end so, or an
/// address. A PATH that ends with `*` stands for all paths that begin so. The query does not matter. A host that is
/// named must have public addresses; others are refused, unless the pattern gives the address itself, or `localhost`.
///
/// ```
/// # #[cfg(feature = "http")] {
/// use fuelbox::HttpAllowList;
///
/// let list = HttpAllowList::new(["https://api.example.com/v1/*", "https://*.example.org/*"])?;
/// assert!(list.allows("https://api.example.com/v1/users?id=7"));
/// assert!(!list.allows("https://api.example.com/v1/../admin"));
/// assert!(!list.allows("http://api.example.com/v1/users"));
/// # }
/// # Ok::<(), String>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HttpAllowList {
    patterns: Vec<Pattern>,
    counts: Counts,
}

/// What a pattern says of hosts.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Hosts {
    /// This one.
    One(Host),
    /// All names that end so: with a dot at its begin.
    Under(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Pattern {
    /// As it was given.
    text: String,
    scheme: Scheme,
    hosts: Hosts,
    port: u16,
    path: String,
    is_prefix: bool,
}

/// Which addresses an allowed URL may lead to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Addresses {
    /// Those of the public Internet.
    Public,
    /// The one that the pattern gives.
    Given,
    /// Those of this machine: the pattern says `localhost`.
    Loopback,
}

impl HttpAllowList {
    /// A list of these patterns.
    ///
    /// # Errors
    /// The first pattern that is wrong, and why; or that this build has no client.
    pub fn new<T: AsRef<str>>(patterns: impl IntoIterator<Item = T>) -> Result<HttpAllowList, String> {
        let parsed = patterns.into_iter().map(|pattern| Pattern::parse(pattern.as_ref()));
        Ok(HttpAllowList { patterns: parsed.collect::<Result<_, _>>()?, counts: Counts::default() })
    }

    /// Whether nothing is allowed.
    pub fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    /// The patterns, as they were given.
    pub fn patterns(&self) -> impl Iterator<Item = &str> {
        self.patterns.iter().map(|pattern| pattern.text.as_str())
    }

    /// Whether a guest may call `url`. Its addresses are checked when it does.
    pub fn allows(&self, url: &str) -> bool {
        Url::parse(url).is_ok_and(|url| self.addresses(&url).is_some())
    }

    /// Which addresses `url` may lead to; none if it is not allowed.
    pub(crate) fn addresses(&self, url: &Url) -> Option<Addresses> {
        if !self.patterns.iter().any(|pattern| pattern.matches(url)) {
            return None;
        }
        Some(match &url.host {
            Host::Name(name) if name == "localhost" => Addresses::Loopback,
            Host::Name(_) => Addresses::Public,
            // No pattern but one that gives the address matches it.
            Host::V4(_) | Host::V6(_) => Addresses::Given,
        })
    }

    /// Allows what `more` allows, too. An empty list counts its calls to `more` then.
    pub(crate) fn extend(&mut self, more: &HttpAllowList) {
        if self.is_empty() {
            self.counts = more.counts.clone();
        }
        self.patterns.extend_from_slice(&more.patterns);
    }

    /// What came of the calls by this list.
    pub(crate) fn counts(&self) -> &Counts {
        &self.counts
    }
}

impl fmt::Display for HttpAllowList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.patterns().collect::<Vec<_>>().join(", "))
    }
}

impl Pattern {
    fn parse(text: &str) -> Result<Pattern, String> {
        if !cfg!(feature = "http") {
            return Err(NO_CLIENT.into());
        }
        read(text).map_err(|why| {
            let shown: String = text.chars().take(200).collect();
            format!("`{shown}` is no pattern for URLs, such as https://api.example.com/v1/*: {why}")
        })
    }

    fn matches(&self, url: &Url) -> bool {
        let is_host = match (&self.hosts, &url.host) {
            (Hosts::One(own), host) => own == host,
            (Hosts::Under(end), Host::Name(name)) => name.len() > end.len() && name.ends_with(end.as_str()),
            (Hosts::Under(_), _) => false,
        };
        let is_path = match self.is_prefix {
            true => url.path.starts_with(&self.path),
            false => url.path == self.path,
        };
        self.scheme == url.scheme && is_host && self.port == url.port && is_path
    }
}

fn read(text: &str) -> Result<Pattern, String> {
    let (scheme, rest) = scheme(text)?;
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    if path.contains(['?', '#']) {
        return Err("it has a query or a fragment: patterns are of paths, and allow any query".into());
    }
    if path.is_empty() {
        return Err(format!(
            "it has no path: `{text}/*` allows all paths of the host, `{text}/` the first page"
        ));
    }
    let (hosts, port) = match authority.strip_prefix("*.") {
        Some(rest) => match host_and_port(rest)? {
            (Host::Name(name), port) => (Hosts::Under(format!(".{name}")), port),
            _ => return Err("`*.` stands before names only".into()),
        },
        None if authority.contains('*') => {
            return Err(
                "in a host, `*` can only stand for the first labels, as in https://*.example.com/*".into()
            );
        }
        None => {
            let (host, port) = host_and_port(authority)?;
            (Hosts::One(host), port)
        }
    };
    let (path, is_prefix) = match path.strip_suffix('*') {
        Some(prefix) => (prefix, true),
        None => (path, false),
    };
    if path.contains('*') {
        return Err("in a path, `*` can only stand at the end".into());
    }
    if path.split('/').any(|segment| matches!(segment, "." | "..")) {
        return Err("its path has dot segments".into());
    }
    let normal = path_of(path)?;
    let port = port.unwrap_or(if scheme == Scheme::Http { 80 } else { 443 });
    Ok(Pattern { text: text.into(), scheme, hosts, port, path: normal, is_prefix })
}

#[cfg(all(test, feature = "http"))]
mod tests {
    use super::*;

    fn addresses(pattern: &str, url: &str) -> Option<Addresses> {
        HttpAllowList::new([pattern]).unwrap().addresses(&Url::parse(url).ok()?)
    }

    #[test]
    fn a_pattern_allows_what_it_says() {
        for (pattern, url) in [
            ("https://api.example.com/v1/*", "https://api.example.com/v1/"),
            ("https://api.example.com/v1/*", "https://API.example.com.:443/v1/users?x=../..#y"),
            ("https://api.example.com/v1/*", "https://api.example.com/v0/../v1/x"),
            ("https://api.example.com/v1/*", "https://api.example.com/%76%31/x"),
            ("https://API.example.com:443/%76%31/*", "https://api.example.com/v1/x"),
            ("https://api.example.com/v1*", "https://api.example.com/v1"),
            ("https://api.example.com/v1*", "https://api.example.com/v10"),
            ("https://api.example.com/", "https://api.example.com"),
            ("https://api.example.com/", "https://api.example.com/?a"),
            ("https://*.example.com/*", "https://a.example.com/"),
            ("https://*.example.com/*", "https://a.b.example.com/x"),
            ("http://api.example.com:8080/*", "http://api.example.com:8080/"),
        ] {
            assert_eq!(addresses(pattern, url), Some(Addresses::Public), "{pattern} {url}");
        }
        assert_eq!(addresses("http://127.0.0.1:80/*", "http://127.0.0.1/x"), Some(Addresses::Given));
        assert_eq!(addresses("http://[::1]/*", "http://[0:0:0:0:0:0:0:1]/x"), Some(Addresses::Given));
        assert_eq!(
            addresses("http://localhost:8080/*", "http://LOCALHOST.:8080/x"),
            Some(Addresses::Loopback)
        );
    }

    #[test]
    fn a_pattern_allows_nothing_else() {
        const V1: &str = "https://api.example.com/v1/*";
        for (pattern, url) in [
            (V1, "http://api.example.com/v1/x"),
            (V1, "https://api.example.com:444/v1/x"),
            (V1, "https://api.example.com/"),
            (V1, "https://api.example.com/v1"),
            (V1, "https://api.example.com/v10/x"),
            (V1, "https://api.example.com/V1/x"),
            (V1, "https://api.example.com/v1/../admin"),
            (V1, "https://api.example.com/v1/%2e%2e/admin"),
            (V1, "https://api.example.com/v1/%252e%252e/admin"),
            (V1, "https://api.example.com/v1%2fx"),
            (V1, "https://api.example.com//v1/x"),
            (V1, "https://api.example.com@evil.example/v1/x"),
            (V1, "https://evil.example/v1/x"),
            (V1, "https://evil.example#@api.example.com/v1/x"),
            (V1, "https://evil.example?api.example.com/v1/x"),
            (V1, "https://api.example.com.evil.example/v1/x"),
            (V1, "https://xapi.example.com/v1/x"),
            (V1, "https://a.api.example.com/v1/x"),
            ("https://*.example.com/*", "https://example.com/"),
            ("https://*.example.com/*", "https://evilexample.com/"),
            ("https://*.example.com/*", "https://.example.com/"),
            ("https://api.example.com/x", "https://api.example.com/x/"),
            ("http://127.0.0.1/*", "http://localhost/"),
            ("http://127.0.0.1/*", "http://127.0.0.2/"),
            ("http://127.0.0.1/*", "http://[::ffff:127.0.0.1]/"),
            ("http://127.0.0.1/*", "http://2130706433/"),
            ("http://127.0.0.1/*", "http://0x7f.1/"),
            ("http://127.0.0.1/*", "http://127.0.0.1.evil.example/"),
            ("http://localhost/*", "http://127.0.0.1/"),
            ("http://localhost/*", "http://a.localhost/"),
        ] {
            assert_eq!(addresses(pattern, url), None, "{pattern} {url}");
        }
        assert!(!HttpAllowList::default().allows("https://a.example/"));
    }

    #[test]
    fn a_wrong_pattern_is_an_error() {
        for (pattern, why) in [
            ("", "https://"),
            ("api.example.com", "https://"),
            ("*", "https://"),
            ("ftp://a.example/*", "scheme"),
            ("https://a.example", "`https://a.example/*` allows all paths"),
            ("https://*/*", "first labels"),
            ("https://*.*.com/*", "name"),
            ("https://a.*.com/*", "first labels"),
            ("https://*a.com/*", "first labels"),
            ("https://*.127.0.0.1/*", "names only"),
            ("https://a.example:*/", "first labels"),
            ("https://a.example/*/x", "at the end"),
            ("https://a.example/**", "at the end"),
            ("https://a.example/x?y", "query"),
            ("https://u@a.example/*", "user information"),
            ("https://a.example/a%2f..%2f*", "dot segments"),
            ("https://a.example/v1/..*", "dot segments"),
            ("https://bücher.example/*", "xn--"),
            ("http://0x7f.1/*", "four decimal"),
            ("http://a.example:0/*", "port"),
        ] {
            let error = HttpAllowList::new([pattern]).unwrap_err();
            assert!(error.contains(why), "{pattern}: {error}");
        }
    }
}

#[cfg(all(test, not(feature = "http")))]
mod without_a_client {
    #[test]
    fn a_pattern_is_an_error() {
        let error = super::HttpAllowList::new(["https://a.example/*"]).unwrap_err();
        assert!(error.contains("cargo feature `http`"), "{error}");
        assert!(super::HttpAllowList::new(Vec::<String>::new()).is_ok());
    }
}
