//! Sends a response piece by piece, as a component for `wasi:http`. The path says what it does, step by step:
//!
//! | step | does |
//! | --- | --- |
//! | `status-N`, `length-N` | gives the response a status, or a `content-length` |
//! | `header-NAME-VALUE`, `trailer-NAME-VALUE` | gives it a header field, or a trailer |
//! | `set` | sets the response. What is written is sent from here on. The first other step does that, too |
//! | `say-TEXT`, `write-N` | writes the text and a line end, or so many bytes |
//! | `sleep-N`, `drip-N` | waits for so many milliseconds; writes so many bytes, with a wait of 1 ns after each |
//! | `finish`, `drop` | finishes the body, or drops it |
//! | `spin`, `trap`, `exit` | goes on for ever; traps; exits with code 1 |
//! | `keep`, `reuse` | keeps the stream for the next request; writes to the one that was kept |
//!
//! `/say-one/sleep-1000/say-two` sends `one` a second before `two`. Without a step it counts to five.

use std::sync::Mutex;
use wasip2::clocks::monotonic_clock::subscribe_duration;
use wasip2::http::types::{
    Fields, IncomingRequest, OutgoingBody, OutgoingResponse, ResponseOutparam,
};
use wasip2::io::streams::OutputStream;

struct Steps;

wasip2::http::proxy::export!(Steps);

/// What was kept of an earlier request.
static KEPT: Mutex<Vec<(OutputStream, OutgoingBody)>> = Mutex::new(Vec::new());

/// The bytes that are written where only their number matters.
const BYTES: [u8; 4096] = [b'.'; 4096];

impl wasip2::exports::http::incoming_handler::Guest for Steps {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        let target = request.path_with_query().unwrap_or_default();
        let path = target.split('?').next().unwrap_or_default().trim_matches('/').to_string();
        let path = if path.is_empty() { count() } else { path };
        let mut answer = Answer {
            out: Some(out),
            headers: Fields::new(),
            trailers: Fields::new(),
            status: 200,
            body: None,
        };
        for step in path.split('/') {
            answer.take(step);
        }
        answer.set();
        answer.finish();
    }
}

/// The steps where none are given.
fn count() -> String {
    let steps: Vec<String> = (1..=5).map(|n| format!("say-{n}/sleep-500")).collect();
    format!("header-content-type-text:plain/trailer-x-count-5/{}", steps.join("/"))
}

/// A response on its way.
struct Answer {
    /// Until it is set.
    out: Option<ResponseOutparam>,
    headers: Fields,
    trailers: Fields,
    status: u16,
    /// Until it is finished.
    body: Option<(OutputStream, OutgoingBody)>,
}

impl Answer {
    fn take(&mut self, step: &str) {
        let (name, value) = step.split_once('-').unwrap_or((step, ""));
        let number = || value.parse::<u64>().expect("a number");
        match name {
            "status" => return self.status = number() as u16,
            "length" => return set(&self.headers, &format!("content-length-{value}")),
            "header" => return set(&self.headers, &value.replace(':', "/")),
            "trailer" => return set(&self.trailers, value),
            _ => self.set(),
        }
        match name {
            "set" => {}
            "say" => self.write(format!("{value}\n").as_bytes()),
            "write" => self.write_many(number()),
            "sleep" => subscribe_duration(number() * 1_000_000).block(),
            "drip" => {
                for _ in 0..number() {
                    self.write(b".");
                    subscribe_duration(1).block();
                }
            }
            "finish" => self.finish(),
            "drop" => drop(self.body.take()),
            "spin" => loop {
                std::hint::spin_loop();
            },
            "trap" => panic!("as told"),
            "exit" => std::process::exit(1),
            "keep" => KEPT.lock().expect("one thread").extend(self.body.take()),
            "reuse" => reuse(),
            _ => panic!("no step"),
        }
    }

    fn set(&mut self) {
        let Some(out) = self.out.take() else { return };
        let response = OutgoingResponse::new(self.headers.clone());
        response.set_status_code(self.status).expect("a valid status");
        let body = response.body().expect("the first time");
        ResponseOutparam::set(out, Ok(response));
        self.body = Some((body.write().expect("the first time"), body));
    }

    fn write_many(&mut self, bytes: u64) {
        let mut left = bytes;
        while left > 0 {
            let n = left.min(BYTES.len() as u64);
            self.write(&BYTES[..n as usize]);
            left -= n;
        }
    }

    fn write(&mut self, bytes: &[u8]) {
        let (stream, _) = self.body.as_ref().expect("a body");
        stream.blocking_write_and_flush(bytes).expect("a client that listens");
    }

    fn finish(&mut self) {
        let Some((stream, body)) = self.body.take() else { return };
        drop(stream);
        let has_trailers = !self.trailers.entries().is_empty();
        let trailers = has_trailers.then(|| self.trailers.clone());
        OutgoingBody::finish(body, trailers).expect("as long as was said");
    }
}

/// Writes to what an earlier request has left, which is closed.
fn reuse() {
    for (stream, body) in KEPT.lock().expect("one thread").drain(..) {
        assert!(stream.blocking_write_and_flush(b"late\n").is_err());
        drop(stream);
        let trailers = Fields::new();
        set(&trailers, "x-late-1");
        // Whose body it is, is over.
        let _ = OutgoingBody::finish(body, Some(trailers));
    }
}

/// Gives `fields` one more: a name and a value, with a hyphen between them. A name may begin with `x-`, `grpc-`, `content-`,
/// `transfer-` or `set-`.
fn set(fields: &Fields, field: &str) {
    let begin = field.find('-').map_or(0, |at| match &field[..at] {
        "x" | "grpc" | "content" | "transfer" | "set" => at + 1,
        _ => 0,
    });
    let (name, value) = field[begin..].split_once('-').unwrap_or((&field[begin..], ""));
    let name = [&field[..begin], name].concat();
    fields.append(&name, value.as_bytes()).expect("a valid field");
}
