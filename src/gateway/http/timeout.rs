//! How long a client waits for its response: `Fuelbox-Timeout: MILLISECONDS`. What it would not wait for is not run, and what
//! runs is stopped then. It makes the deadline of a run earlier, and never later.

use std::time::Duration;

/// The header.
pub const TIMEOUT: &str = "Fuelbox-Timeout";

/// Digits of a number that is one: 115 days of milliseconds.
const DIGITS_MAX: usize = 10;

/// The time that `text` says; none if it is no number of milliseconds.
pub fn parse(text: &str) -> Option<Duration> {
    let is_number = (1..=DIGITS_MAX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok().map(Duration::from_millis)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_a_number_of_milliseconds() {
        assert_eq!(parse("0"), Some(Duration::ZERO));
        assert_eq!(parse("250"), Some(Duration::from_millis(250)));
        assert_eq!(parse("9999999999"), Some(Duration::from_millis(9_999_999_999)));
        for wrong in ["", "-1", "+1", "1s", "1.5", " 1", "99999999999", "1, 2"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
