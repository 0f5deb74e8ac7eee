//! Limits of HTTP calls that guests make.

use std::time::Duration;

/// HTTP calls per run, each redirect counted: enough for a page of results and their details, too few for a scan.
pub const HTTP_CALLS_DEFAULT: u32 = 16;

/// The most `--http-calls` can be.
pub const HTTP_CALLS_MAX: u32 = 10_000;

/// Redirects of a call that are followed, as in Extism's host.
pub const HTTP_REDIRECTS_MAX: usize = 5;

/// Time that a call takes at most, also without a deadline.
pub const HTTP_CALL_TIME_MAX: Duration = Duration::from_secs(60);

/// Bytes of the head of a response to a call: 16 KiB, as of the requests that the gateway takes by default.
pub const HTTP_HEAD_BYTES_MAX: usize = 16 * 1024;

/// Lookups of names at once. A resolver cannot be interrupted, so a thread of it may outlive its run by some seconds.
pub const HTTP_LOOKUPS_MAX: usize = 32;

/// Lookups at once for one list: names whose servers do not answer keep only their own plug-in waiting.
pub const HTTP_LOOKUPS_OF_LIST_MAX: usize = 4;

/// Addresses of a host that are tried.
pub const HTTP_ADDRESSES_MAX: usize = 8;
