//! Versions and conditions (RFC 9110, section 13): the `ETag` of a module, a policy or a page is its SHA-256.

use super::head::values;
use super::message::{Request, Response};
use super::problem;
use crate::base::digest::Digest;
use crate::base::heap::NoMemory;

/// The entity tag of what has this digest.
pub fn tag(digest: Digest) -> String {
    format!("\"{digest}\"")
}

/// The response with its `ETag`; 304 if the client has that version, 412 if `If-Match` names another.
pub fn versioned(request: &Request, response: Response) -> Response {
    let digest = Digest::of(&response.body);
    let body = response.body;
    of_version(request, digest, Response { body: Vec::new(), ..response }, || Ok(body))
}

/// The same for a body with a known digest, which `body` makes if it is needed.
pub fn of_version(
    request: &Request,
    digest: Digest,
    mut response: Response,
    body: impl FnOnce() -> Result<Vec<u8>, NoMemory>,
) -> Response {
    // A malformed tag matches nothing.
    match Conditions::of(&request.head) {
        Ok(conditions) if !conditions.match_now(Some(digest)) => {
            return Response::problem(problem::PRECONDITION, "what is there is not what the request is for");
        }
        Ok(conditions) if conditions.client_has(digest) => response.status = 304,
        _ => match body() {
            Ok(body) => response.body = body,
            Err(_) => return Response::no_memory(),
        },
    }
    response.with("ETag", tag(digest)).with("Cache-Control", "no-cache")
}

/// The tags of a condition.
enum Tags {
    /// `*`: whatever is there.
    Any,
    /// These; whether each is weak, and what is between the quotes.
    These(Vec<(bool, String)>),
}

impl Tags {
    /// Whether they name what is there; weak ones only where that is enough (RFC 9110, section 8.8.3.2).
    fn name(&self, now: Option<Digest>, may_be_weak: bool) -> bool {
        let Some(now) = now else { return false };
        match self {
            Tags::Any => true,
            Tags::These(tags) => {
                let now = now.to_string();
                tags.iter().any(|(is_weak, tag)| *tag == now && (may_be_weak || !is_weak))
            }
        }
    }

    fn parse(values: &[&[u8]]) -> Result<Option<Tags>, String> {
        if values.is_empty() {
            return Ok(None);
        }
        let text = values.join(&b", "[..]);
        let text = String::from_utf8_lossy(&text);
        if text.trim() == "*" {
            return Ok(Some(Tags::Any));
        }
        let tags = text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(|item| {
            let (is_weak, tag) = item.strip_prefix("W/").map_or((false, item), |tag| (true, tag));
            let inner = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"'));
            let inner = inner.filter(|inner| !inner.contains('"'));
            inner.map(|inner| (is_weak, inner.to_string())).ok_or(format!("`{item}` is no entity tag"))
        });
        Ok(Some(Tags::These(tags.collect::<Result<_, _>>()?)))
    }
}

/// The conditions of a request.
pub struct Conditions {
    if_match: Option<Tags>,
    if_none_match: Option<Tags>,
}

impl Conditions {
    /// The conditions in `head`.
    ///
    /// # Errors
    /// The text that is no entity tag.
    pub fn of(head: &[u8]) -> Result<Conditions, String> {
        Ok(Conditions {
            if_match: Tags::parse(&values(head, "if-match"))?,
            if_none_match: Tags::parse(&values(head, "if-none-match"))?,
        })
    }

    /// Whether the conditions allow a change of `now` (RFC 9110, section 13.2.2).
    pub fn hold(&self, now: Option<Digest>) -> bool {
        self.match_now(now) && !self.if_none_match.as_ref().is_some_and(|tags| tags.name(now, true))
    }

    /// Whether `If-Match` allows `now`.
    pub fn match_now(&self, now: Option<Digest>) -> bool {
        self.if_match.as_ref().is_none_or(|tags| tags.name(now, false))
    }

    /// Whether `If-None-Match` says that the client has `now`.
    pub fn client_has(&self, now: Digest) -> bool {
        self.if_none_match.as_ref().is_some_and(|tags| tags.name(Some(now), true))
    }
}
