//! A call out as plain data: what the guest asks for, what it gets, and why it gets nothing. It may come from another process.

#[cfg(feature = "isolation")]
use crate::base::bounded;
use std::fmt;
use std::time::Duration;

/// Header fields of a request or a response.
pub const FIELDS_MAX: usize = 128;

/// Names and values of header fields.
pub type Fields = Vec<(String, Vec<u8>)>;

/// A request.
#[cfg_attr(feature = "isolation", derive(serde::Serialize, serde::Deserialize))]
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OutRequest {
    /// The method.
    pub method: String,
    /// The URL, as the guest wrote it.
    pub url: String,
    /// Header fields, as the guest set them.
    #[cfg_attr(feature = "isolation", serde(deserialize_with = "bounded::list::<_, _, FIELDS_MAX>"))]
    pub headers: Fields,
    /// Time to connect, to the first byte of the response, and between bytes, if the guest limits them.
    pub times: [Option<Duration>; 3],
    /// Whether redirects are followed.
    pub follows: bool,
}

/// A response. Its body is beside it.
#[cfg_attr(feature = "isolation", derive(serde::Serialize, serde::Deserialize))]
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OutResponse {
    /// The status.
    pub status: u16,
    /// Header fields. Their names are in lower case.
    #[cfg_attr(feature = "isolation", serde(deserialize_with = "bounded::list::<_, _, FIELDS_MAX>"))]
    pub headers: Fields,
}

/// A response, and its body.
pub type Answered = (OutResponse, Vec<u8>);

/// Why there is no response.
#[cfg_attr(feature = "isolation", derive(serde::Serialize, serde::Deserialize))]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// The list does not allow the URL.
    Denied,
    /// The host has no address that the guest may reach.
    Address,
    /// The run has made as many calls as it may.
    Calls,
    /// The URL is none.
    Url,
    /// The method is none, or not for guests.
    Method,
    /// A header field is none, or not for guests; or there are too many.
    Header,
    /// The request's body is too large.
    RequestSize,
    /// The host is not known.
    Name,
    /// There was no connection.
    Connect,
    /// There was none in time.
    ConnectTime,
    /// The connection ended before the response did.
    Ended,
    /// It took too long.
    Time,
    /// TLS failed.
    Tls,
    /// The server has no certificate that an authority of this system vouches for.
    Certificate,
    /// The response's head is too large.
    HeadSize,
    /// The response's body is too large.
    ResponseSize,
    /// There were too many redirects.
    Redirects,
    /// What came is no HTTP.
    Protocol,
    /// The host failed.
    Host,
}

/// Why there is no response, with a sentence for people.
#[cfg_attr(feature = "isolation", derive(serde::Serialize, serde::Deserialize))]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The kind.
    pub why: Why,
    /// The sentence. It may repeat words of the guest or of a server.
    pub what: String,
}

impl Refusal {
    /// For this reason.
    pub fn new(why: Why, what: impl Into<String>) -> Refusal {
        Refusal { why, what: what.into() }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}
