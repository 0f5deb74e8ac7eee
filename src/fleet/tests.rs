//! Messages of any bytes: whatever a sender writes becomes one request or an error.

use super::local::head;
use super::message::{FIELDS_MAX, incoming};
use super::subject::{EXECUTE, Target};
use async_nats::HeaderMap;
use async_nats::header::{HeaderName, HeaderValue};
use bytes::Bytes;
use std::str::FromStr;

/// Numbers that are the same in each run (xorshift64).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % most as u64) as usize
    }

    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len())]
    }

    fn text(&mut self, pieces: &[&str]) -> String {
        let count = self.below(6);
        (0..count).map(|_| self.one(pieces)).collect()
    }
}

const PIECES: [&str; 26] = [
    "a",
    "greet",
    ".",
    "*",
    ">",
    " ",
    "\r\n",
    "\n",
    "\r",
    "\0",
    "%",
    "%2E",
    "%0d%0a",
    "/",
    "?",
    "func=",
    "&",
    "#",
    "\u{e4}",
    "\t",
    ":",
    "HTTP/1.1",
    "\u{7f}",
    "..",
    "GET ",
    "\r\nContent-Length: 9",
];

const NAMES: [&str; 14] = [
    "Fuelbox-Method",
    "Fuelbox-Path",
    "Fuelbox-Timeout",
    "Fuelbox-Hops",
    "Content-Length",
    "Transfer-Encoding",
    "Content-Type",
    "Authorization",
    "Host",
    "Connection",
    "X-Forwarded-For",
    "X-Request-Id",
    "Nats-Msg-Id",
    "A",
];

#[test]
fn whatever_a_sender_writes_is_one_request_or_an_error() {
    let mut numbers = Numbers(0x2545_f491_4f6c_dd1d);
    let mut requests = 0;
    for round in 0..20_000 {
        let subject = match numbers.below(2) {
            0 => format!("{EXECUTE}.greet"),
            _ => format!("{EXECUTE}.{}", numbers.text(&PIECES)),
        };
        let Ok(target) = Target::of(&subject, EXECUTE) else { continue };
        let mut headers = HeaderMap::new();
        for _ in 0..numbers.below(5) {
            let name = HeaderName::from_str(numbers.one(&NAMES)).unwrap();
            // The library does not take what has a line's end; a server could send it.
            if let Ok(value) = HeaderValue::from_str(&numbers.text(&PIECES)) {
                headers.append(name, value);
            }
        }
        let body = vec![b'x'; numbers.below(4)];
        let Ok(incoming) = incoming(&target, Some(&headers), Bytes::from(body.clone())) else { continue };
        let Ok(text) = head(&incoming.ask) else { continue };
        let mut fields = [httparse::EMPTY_HEADER; FIELDS_MAX + 8];
        let mut request = httparse::Request::new(&mut fields);
        // What the head is, the gateway reads as one head, which ends where this one does.
        let Ok(parsed) = request.parse(text.as_bytes()) else { continue };
        assert_eq!(parsed, httparse::Status::Complete(text.len()), "round {round}: {text:?}");
        let lengths = |name: &str| {
            let fields = request.headers.iter().filter(|field| field.name.eq_ignore_ascii_case(name));
            fields.map(|field| field.value.to_vec()).collect::<Vec<_>>()
        };
        assert_eq!(lengths("content-length"), [body.len().to_string().into_bytes()], "{text:?}");
        assert_eq!((lengths("transfer-encoding"), lengths("host").len()), (vec![], 1), "{text:?}");
        assert_eq!(lengths("x-forwarded-for"), Vec::<Vec<u8>>::new(), "{text:?}");
        assert!(request.path.unwrap().starts_with("/execute/"), "{text:?}");
        requests += 1;
    }
    assert!(requests > 2_000, "most of what is generated is refused at once: {requests}");
}
