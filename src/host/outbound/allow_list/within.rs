//! Lists that allow no more than another: those of policies, within the server's.

use super::{Host, Hosts, HttpAllowList, Pattern};

impl HttpAllowList {
    /// Checks that this list allows no more than `outer`, or, if that is empty, public addresses only.
    ///
    /// # Errors
    /// The first pattern that allows more.
    pub(crate) fn check_within(&self, outer: &HttpAllowList) -> Result<(), String> {
        let is_within = |pattern: &Pattern| match outer.is_empty() {
            true => pattern.is_of_names(),
            false => outer.patterns.iter().any(|other| other.covers(pattern)),
        };
        match self.patterns.iter().find(|pattern| !is_within(pattern)) {
            None => Ok(()),
            Some(Pattern { text, .. }) if outer.is_empty() => Err(format!(
                "`{text}` names an address or this machine, which policies can do within --policy-http only"
            )),
            Some(Pattern { text, .. }) => Err(format!("`{text}` is not within --policy-http: {outer}")),
        }
    }
}

impl Pattern {
    /// Whether it names hosts whose addresses must be public.
    fn is_of_names(&self) -> bool {
        match &self.hosts {
            Hosts::One(Host::Name(name)) => name != "localhost",
            Hosts::Under(_) => true,
            Hosts::One(Host::V4(_) | Host::V6(_)) => false,
        }
    }

    /// Whether this pattern allows all that `other` does.
    fn covers(&self, other: &Pattern) -> bool {
        let has_hosts = match (&self.hosts, &other.hosts) {
            (Hosts::One(own), Hosts::One(host)) => own == host,
            (Hosts::Under(end), Hosts::One(Host::Name(name))) => {
                name.len() > end.len() && name.ends_with(end.as_str())
            }
            (Hosts::Under(end), Hosts::Under(other)) => other.ends_with(end.as_str()),
            _ => false,
        };
        let has_paths = match self.is_prefix {
            true => other.path.starts_with(&self.path),
            false => !other.is_prefix && other.path == self.path,
        };
        self.scheme == other.scheme && self.port == other.port && has_hosts && has_paths
    }
}

#[cfg(all(test, feature = "http"))]
mod tests {
    use crate::host::outbound::allow_list::HttpAllowList;

    #[test]
    fn a_list_is_within_another_if_it_allows_no_more() {
        let within = |pattern: &str, outer: &[&str]| {
            HttpAllowList::new([pattern]).unwrap().check_within(&HttpAllowList::new(outer).unwrap()).is_ok()
        };
        // Without an outer one: names, whose addresses are checked.
        for (pattern, is_within) in [
            ("https://a.example/*", true),
            ("https://*.example/*", true),
            ("http://localhost/*", false),
            ("http://LOCALHOST.:8080/*", false),
            ("http://127.0.0.1/*", false),
            ("https://192.168.0.7/*", false),
            ("https://1.1.1.1/*", false),
            ("http://[::1]/*", false),
        ] {
            assert_eq!(within(pattern, &[]), is_within, "{pattern}");
        }
        for (pattern, outer, is_within) in [
            ("https://a.example/v1/x", "https://a.example/v1/*", true),
            ("https://a.example/v1/*", "https://a.example/v1/*", true),
            ("https://a.example/v1/y*", "https://a.example/v1/*", true),
            ("https://a.example/v1/../v1/*", "https://a.example/v1/*", false),
            ("https://a.example/v*", "https://a.example/v1/*", false),
            ("https://a.example/*", "https://a.example/v1/*", false),
            ("https://a.example/v1/*", "https://a.example/v1/", false),
            ("https://a.example/v1/", "https://a.example/v1/", true),
            ("http://a.example/v1/x", "https://a.example/v1/*", false),
            ("https://a.example:444/v1/x", "https://a.example/v1/*", false),
            ("https://b.a.example/*", "https://*.a.example/*", true),
            ("https://a.example/*", "https://*.a.example/*", false),
            ("https://xa.example/*", "https://*.a.example/*", false),
            ("https://*.b.a.example/*", "https://*.a.example/*", true),
            ("https://*.a.example/*", "https://*.a.example/*", true),
            ("https://*.example/*", "https://*.a.example/*", false),
            ("https://*.a.example/*", "https://a.example/*", false),
            ("http://127.0.0.1:80/x", "http://127.0.0.1/*", true),
            ("http://127.0.0.2/x", "http://127.0.0.1/*", false),
            ("http://localhost/x", "http://localhost/*", true),
            ("https://a.example/*", "http://localhost/*", false),
        ] {
            let Ok(list) = HttpAllowList::new([pattern]) else {
                assert!(!is_within, "{pattern}");
                continue;
            };
            let outer_list = HttpAllowList::new([outer]).unwrap();
            assert_eq!(list.check_within(&outer_list).is_ok(), is_within, "{pattern} {outer}");
        }
    }
}
