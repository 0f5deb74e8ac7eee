//! `fuelbox health`: asks a gateway whether it is alive, for containers without curl.

use crate::cli::client::{Answer, Question, ask};
use crate::cli::exit;
use crate::cli::failure::Failure;
use crate::cli::output::messages::print;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

/// Time limit of the whole request.
const PATIENCE: Duration = Duration::from_secs(2);

/// Asks.
pub fn execute(address: SocketAddr) -> Result<(), Failure> {
    let not_alive = |what: String| Failure::new(exit::NOT_ALIVE, format!("{address}: {what}"));
    // A URL has no place for an address's zone.
    let host = SocketAddr::new(address.ip(), address.port()).to_string();
    let question = Question { method: "GET", path: "/healthz", host: &host, headers: "", body: None };
    let answer = ask(address, PATIENCE, &question).map_err(|error| match error.kind() {
        io::ErrorKind::TimedOut => not_alive(format!("no answer within {PATIENCE:?}")),
        _ => not_alive(error.to_string()),
    })?;
    if is_ok(&answer) { print(b"ok\n") } else { Err(not_alive("GET /healthz did not answer `ok`".into())) }
}

/// Whether `answer` is a 200 whose body is `ok`.
fn is_ok(answer: &Answer) -> bool {
    answer.status == 200 && answer.body == b"ok\n"
}

#[cfg(test)]
mod tests {
    use super::is_ok;
    use crate::cli::client::Answer;

    #[test]
    fn only_the_gateways_own_word_is_ok() {
        let answer = |status, body: &str| Answer { status, head: String::new(), body: body.into() };
        assert!(is_ok(&answer(200, "ok\n")));
        for other in [answer(200, ""), answer(200, "ok"), answer(200, "<p>ok\n"), answer(503, "ok\n")] {
            assert!(!is_ok(&other), "{other:?}");
        }
    }
}
