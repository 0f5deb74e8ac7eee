//! Saying that a test cannot be done here.

use std::io::Write;

/// Says why the rest of the test is skipped, on the standard error of the test program itself: the harness shows nothing of
/// what a test prints that passes.
pub fn skip(why: &str) {
    let name = std::thread::current().name().unwrap_or_default().to_string();
    // A closed standard error is no fault of the test.
    let _ = std::io::stderr().write_all(format!("skipped: {name}: {why}\n").as_bytes());
}
