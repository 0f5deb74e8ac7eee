//! Former versions of plug-ins as clients see and name them.

use crate::base::escape::json_line;
use crate::plugins::rollback::{Chosen, Listing};
use crate::plugins::versions::is_digest;
use serde_json::{Value, json};
use std::time::SystemTime;

/// The versions of the plug-in `name` as JSON, of which `most` are kept: the one in place first, then the newest.
pub fn listed(name: &str, most: usize, listing: &Listing) -> String {
    let Listing { current, kept } = listing;
    let current = current.iter().map(|current| {
        json!({
            "number": null,
            "current": true,
            "sha256": current.digest.to_string(),
            "size": current.size,
            "deployed": shown(current.deployed),
            "policy": current.has_policy,
            "signature": current.has_signature,
        })
    });
    let kept = kept.iter().map(|version| {
        json!({
            "number": version.number,
            "current": false,
            "sha256": version.digest,
            "size": version.size,
            "deployed": shown(version.deployed),
            "policy": version.has_policy,
            "signature": version.has_signature,
        })
    });
    let all: Vec<Value> = current.chain(kept).collect();
    json_line(&json!({ "name": name, "keep": most, "versions": all }).to_string()) + "\n"
}

/// A time before 1970, or after 9999, is none that can be shown.
fn shown(time: Option<SystemTime>) -> Option<String> {
    let since = time?.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    let is_shown = since.as_secs() < LAST_SECOND;
    is_shown.then(|| humantime::format_rfc3339_seconds(SystemTime::UNIX_EPOCH + since).to_string())
}

/// The first second of the year 10000.
const LAST_SECOND: u64 = 253_402_300_800;

/// The version that `given` names: a number, or the SHA-256 of a module.
///
/// # Errors
/// What can be given.
pub fn chosen(given: Option<&str>) -> Result<Chosen, &'static str> {
    let Some(given) = given else { return Ok(Chosen::Newest) };
    if is_digest(given) {
        return Ok(Chosen::Module(given.into()));
    }
    let is_number = given.bytes().all(|byte| byte.is_ascii_digit());
    let number = given.parse().ok().filter(|_| is_number);
    number.map(Chosen::Number).ok_or("version is a number of GET /plugins/{name}/versions, or a SHA-256")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_version_is_a_number_or_a_digest() {
        let digest = "0123456789".repeat(6) + "abcd";
        assert_eq!(chosen(None), Ok(Chosen::Newest));
        assert_eq!(chosen(Some("7")), Ok(Chosen::Number(7)));
        assert_eq!(chosen(Some(&digest)), Ok(Chosen::Module(digest.clone())));
        let large = u64::MAX.to_string() + "0";
        for wrong in [
            "",
            "+7",
            "-1",
            "7 ",
            "../7",
            "%37",
            "0x7",
            &digest[1..],
            &digest.to_uppercase(),
            &large,
            "\u{661}",
        ] {
            assert!(chosen(Some(wrong)).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_time_that_a_file_may_have_is_shown_or_left_out() {
        let at = |seconds| shown(SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds)));
        assert_eq!(at(0).as_deref(), Some("1970-01-01T00:00:00Z"));
        assert_eq!(at(LAST_SECOND - 1).as_deref(), Some("9999-12-31T23:59:59Z"));
        assert_eq!((at(LAST_SECOND), at(i64::MAX as u64)), (None, None));
        assert_eq!(shown(Some(SystemTime::UNIX_EPOCH - Duration::from_secs(1))), None);
    }
}
