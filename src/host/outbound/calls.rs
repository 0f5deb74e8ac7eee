//! The calls of one run: what the list, the limits and the redirects make of them. Whoever trusts the run's process the least
//! keeps this: the server for its processes, a helper for `run` and `call`.

use super::allow_list::{Addresses, HttpAllowList};
use super::counts::Counts;
use super::head::{self, CREDENTIALS, OF_BODY};
use super::message::{Answered, OutRequest, OutResponse, Refusal, Why};
use super::url::Url;
use crate::base::cancel::Cancel;
use crate::base::escape::{cut, printable};
use crate::base::limits::{HTTP_CALL_TIME_MAX, HTTP_REDIRECTS_MAX, Limits, MESSAGE_BYTES_MAX};
use std::time::Instant;

/// Bytes of words of others in a sentence.
const SHOWN_BYTES: usize = MESSAGE_BYTES_MAX / 4;

/// What is sent once: a request to one URL.
#[derive(Debug)]
pub struct Exchange<'a> {
    /// Where to.
    pub url: &'a Url,
    /// Which addresses it may have.
    pub addresses: Addresses,
    /// The request; its `url` is what the guest wrote.
    pub request: &'a OutRequest,
    /// Its body, if it has one.
    pub body: &'a [u8],
    /// Bytes that the response's body may have.
    pub most: usize,
    /// When it has to be over.
    pub until: Instant,
    /// What ends it earlier.
    pub cancel: Option<&'a Cancel>,
    /// The counts of the list that allows it.
    pub counts: &'a Counts,
}

/// Who sends it.
pub trait Client: Send + Sync {
    /// Sends it, and follows no redirect.
    ///
    /// # Errors
    /// There is no response.
    fn exchange(&self, exchange: &Exchange<'_>) -> Result<Answered, Refusal>;
}

/// The calls of one run.
#[derive(Debug, Clone)]
pub struct Calls {
    list: HttpAllowList,
    limit: u32,
    left: u32,
    request_bytes: usize,
    response_bytes: usize,
    cancel: Option<Cancel>,
}

impl Calls {
    /// As `list` and `limits` allow them.
    pub fn new(list: HttpAllowList, limits: &Limits, cancel: Option<Cancel>) -> Calls {
        Calls {
            list,
            limit: limits.http_calls,
            left: limits.http_calls,
            request_bytes: limits.output_bytes,
            response_bytes: limits.input_bytes,
            cancel,
        }
    }

    /// Whether any URL is allowed.
    pub fn are_allowed(&self) -> bool {
        !self.list.is_empty()
    }

    /// Makes a call by `client`, until `until` at the latest. Each redirect is a call.
    ///
    /// # Errors
    /// There is no response.
    pub fn make(
        &mut self,
        client: &dyn Client,
        request: (OutRequest, &[u8]),
        until: Option<Instant>,
    ) -> Result<Answered, Refusal> {
        let answered = self.made(client, request, until);
        self.list.counts().add(&answered);
        answered
    }

    fn made(
        &mut self,
        client: &dyn Client,
        (mut request, mut body): (OutRequest, &[u8]),
        until: Option<Instant>,
    ) -> Result<Answered, Refusal> {
        let mut url = parsed(Url::parse(&request.url), &request.url)?;
        // First of all: a guest without any right learns nothing else.
        let mut addresses = self.allowed(&url)?;
        head::method(&request.method)?;
        request.headers = head::fields(std::mem::take(&mut request.headers))?;
        if body.len() > self.request_bytes {
            return Err(too_large(body.len(), self.request_bytes));
        }
        let longest = Instant::now() + HTTP_CALL_TIME_MAX;
        let until = until.map_or(longest, |until| until.min(longest));
        for _ in 0..=HTTP_REDIRECTS_MAX {
            self.take_one()?;
            let (most, cancel, counts) = (self.response_bytes, self.cancel.as_ref(), self.list.counts());
            let exchange =
                Exchange { url: &url, addresses, request: &request, body, most, until, cancel, counts };
            let (response, received) = client.exchange(&exchange)?;
            let Some(to) = location(&response).filter(|_| request.follows) else {
                return Ok((response, received));
            };
            let next = parsed(url.join(&to), &to)?;
            addresses = self.allowed(&next)?;
            if !next.has_origin_of(&url) {
                head::without(&mut request.headers, &CREDENTIALS);
            }
            if turns_to_get(response.status, &request.method) {
                request.method = "GET".into();
                head::without(&mut request.headers, &OF_BODY);
                body = &[];
            }
            url = next;
        }
        Err(Refusal::new(Why::Redirects, format!("more than {HTTP_REDIRECTS_MAX} redirects")))
    }

    fn take_one(&mut self) -> Result<(), Refusal> {
        let limit = self.limit;
        let too_many = || format!("more HTTP calls than --http-calls allows, which is {limit}");
        self.left = self.left.checked_sub(1).ok_or_else(|| Refusal::new(Why::Calls, too_many()))?;
        Ok(())
    }

    fn allowed(&self, url: &Url) -> Result<Addresses, Refusal> {
        self.list.addresses(url).ok_or_else(|| denied(&self.list, &url.to_string()))
    }
}

/// That a request's body has too many bytes.
pub fn too_large(size: usize, most: usize) -> Refusal {
    let what = format!("the request's body has {size} bytes, more than --max-output allows, which is {most}");
    Refusal::new(Why::RequestSize, what)
}

/// That `list` does not allow `url`.
pub fn denied(list: &HttpAllowList, url: &str) -> Refusal {
    const HOW: &str = "`http` of the plug-in's policy, --allow-http of `run` and `call`";
    let what = match list.is_empty() {
        true => format!("HTTP requests are not allowed: no URL is ({HOW})"),
        false => format!("HTTP request to {} is not allowed ({HOW})", shown(url)),
    };
    Refusal::new(Why::Denied, what)
}

fn parsed(url: Result<Url, String>, text: &str) -> Result<Url, Refusal> {
    url.map_err(|why| {
        Refusal::new(Why::Url, format!("{} is no URL that a guest may call: {why}", shown(text)))
    })
}

/// Words of others.
pub fn shown(text: &str) -> String {
    printable(&cut(text, SHOWN_BYTES))
}

/// Where a response redirects to.
fn location(response: &OutResponse) -> Option<String> {
    if !matches!(response.status, 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    let field = response.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("location"));
    field.map(|(_, value)| String::from_utf8_lossy(value).into_owned())
}

/// Whether a redirect changes the method (Fetch, "HTTP-redirect fetch").
fn turns_to_get(status: u16, method: &str) -> bool {
    match status {
        301 | 302 => method == "POST",
        303 => !matches!(method, "GET" | "HEAD"),
        _ => false,
    }
}

#[cfg(all(test, feature = "http"))]
mod tests {
    use super::*;
    use std::sync::Mutex;

    /// Answers with these, in order, and notes what it is asked for.
    struct Fake {
        answers: Vec<(u16, Option<&'static str>)>,
        asked: Mutex<Vec<(String, OutRequest, Vec<u8>)>>,
    }

    impl Client for Fake {
        fn exchange(&self, exchange: &Exchange<'_>) -> Result<Answered, Refusal> {
            let mut asked = self.asked.lock().unwrap();
            let (status, to) = self.answers.get(asked.len()).copied().unwrap_or((200, None));
            asked.push((exchange.url.to_string(), exchange.request.clone(), exchange.body.to_vec()));
            let headers = to.map(|to| ("location".to_string(), to.as_bytes().to_vec()));
            Ok((OutResponse { status, headers: headers.into_iter().collect() }, b"body".to_vec()))
        }
    }

    fn fake(answers: &[(u16, Option<&'static str>)]) -> Fake {
        Fake { answers: answers.into(), asked: Mutex::default() }
    }

    fn calls(limits: &Limits) -> Calls {
        let list =
            HttpAllowList::new(["https://a.example/*", "https://b.example/*", "https://a.example:444/*"])
                .unwrap();
        Calls::new(list, limits, None)
    }

    fn request(method: &str, url: &str) -> OutRequest {
        let fields = ["Authorization", "Cookie", "X-Mine", "Content-Type"];
        let headers = fields.iter().map(|name| (name.to_string(), b"v".to_vec())).collect();
        OutRequest { method: method.into(), url: url.into(), headers, follows: true, ..OutRequest::default() }
    }

    fn names(request: &OutRequest) -> Vec<&str> {
        request.headers.iter().map(|(name, _)| name.as_str()).collect()
    }

    #[test]
    fn a_redirect_keeps_credentials_with_their_origin() {
        for (to, are_kept) in [
            ("https://a.example/y", true),
            ("/y", true),
            ("https://A.example.:443/y", true),
            ("https://a.example:444/y", false),
            ("https://b.example/y", false),
        ] {
            let client = fake(&[(307, Some(to))]);
            calls(&Limits::default())
                .make(&client, (request("POST", "https://a.example/x"), b"sent"), None)
                .unwrap();
            let asked = client.asked.into_inner().unwrap();
            assert_eq!(asked.len(), 2, "{to}");
            let kept = names(&asked[1].1);
            assert_eq!(
                kept.contains(&"Authorization") && kept.contains(&"Cookie"),
                are_kept,
                "{to}: {kept:?}"
            );
            assert!(kept.contains(&"X-Mine") && kept.contains(&"Content-Type"));
            assert_eq!((asked[1].1.method.as_str(), &*asked[1].2), ("POST", &b"sent"[..]));
        }
        // What was left out once does not come back.
        let client = fake(&[(302, Some("https://b.example/")), (302, Some("https://a.example/"))]);
        calls(&Limits::default()).make(&client, (request("GET", "https://a.example/x"), b""), None).unwrap();
        assert_eq!(names(&client.asked.into_inner().unwrap()[2].1), ["X-Mine", "Content-Type"]);
    }

    #[test]
    fn a_redirect_changes_the_method_as_browsers_do() {
        for (status, method, after) in [
            (301, "POST", "GET"),
            (302, "POST", "GET"),
            (303, "POST", "GET"),
            (303, "PUT", "GET"),
            (303, "HEAD", "HEAD"),
            (301, "PUT", "PUT"),
            (307, "POST", "POST"),
            (308, "POST", "POST"),
        ] {
            let client = fake(&[(status, Some("/y"))]);
            calls(&Limits::default())
                .make(&client, (request(method, "https://a.example/x"), b"sent"), None)
                .unwrap();
            let asked = client.asked.into_inner().unwrap();
            assert_eq!(asked[1].1.method, after, "{status} {method}");
            let has_body = after == method;
            assert_eq!(
                (asked[1].2 == b"sent", names(&asked[1].1).contains(&"Content-Type")),
                (has_body, has_body)
            );
        }
    }

    #[test]
    fn a_redirect_is_checked_and_counted() {
        for to in [
            "https://evil.example/",
            "http://a.example/",
            "http://127.0.0.1/",
            "file:///etc/passwd",
            "https://a.example@evil.example/",
        ] {
            let client = fake(&[(302, Some(to))]);
            let made =
                calls(&Limits::default()).make(&client, (request("GET", "https://a.example/x"), b""), None);
            assert!(matches!(made.unwrap_err().why, Why::Denied | Why::Url), "{to}");
            assert_eq!(client.asked.into_inner().unwrap().len(), 1);
        }
        let loops = || fake(&[(302, Some("/x")); 100]);
        let limits = Limits { http_calls: 100, ..Limits::default() };
        let client = loops();
        let made = calls(&limits).make(&client, (request("GET", "https://a.example/x"), b""), None);
        assert_eq!(made.unwrap_err().why, Why::Redirects);
        assert_eq!(client.asked.into_inner().unwrap().len(), HTTP_REDIRECTS_MAX + 1);
        let client = loops();
        let limits = Limits { http_calls: 3, ..Limits::default() };
        let made = calls(&limits).make(&client, (request("GET", "https://a.example/x"), b""), None);
        assert_eq!(made.unwrap_err().why, Why::Calls);
        assert_eq!(client.asked.into_inner().unwrap().len(), 3);
        let client = fake(&[(302, Some("/y"))]);
        let once = OutRequest { follows: false, ..request("GET", "https://a.example/x") };
        assert_eq!(calls(&Limits::default()).make(&client, (once, b""), None).unwrap().0.status, 302);
    }

    #[test]
    fn calls_and_bodies_are_limited() {
        for count in 0..3_u32 {
            let limits = Limits { http_calls: count, ..Limits::default() };
            let (mut calls, client) = (calls(&limits), fake(&[]));
            for made in 0..4 {
                let result = calls.make(&client, (request("GET", "https://a.example/"), b""), None);
                assert_eq!(
                    result.map(drop).map_err(|error| error.why),
                    if made < count { Ok(()) } else { Err(Why::Calls) }
                );
            }
            assert_eq!(client.asked.into_inner().unwrap().len(), count as usize);
        }
        let limits = Limits { output_bytes: 10, ..Limits::default() };
        for (size, is_sent) in [(9, true), (10, true), (11, false)] {
            let client = fake(&[]);
            let made =
                calls(&limits).make(&client, (request("POST", "https://a.example/"), &vec![0; size]), None);
            assert_eq!(made.is_ok(), is_sent, "{size}");
        }
    }

    #[test]
    fn without_a_right_there_is_no_call() {
        let client = fake(&[]);
        let mut none = Calls::new(HttpAllowList::default(), &Limits::default(), None);
        let refused = none.make(&client, (request("GET", "https://a.example/"), b""), None).unwrap_err();
        assert_eq!(refused.why, Why::Denied);
        assert!(refused.what.contains("`http`") && refused.what.contains("--allow-http"), "{refused}");
        assert!(client.asked.into_inner().unwrap().is_empty());
    }
}
