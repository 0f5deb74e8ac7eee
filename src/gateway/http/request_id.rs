//! Names of requests: what ties an answer to the lines that the log has about it.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The header that carries one, in a request and in every answer.
pub const REQUEST_ID: &str = "X-Request-Id";

/// A client's own may be this long: a UUID, a ULID or a trace id fits.
pub const REQUEST_ID_BYTES_MAX: usize = 64;

/// The name of one request.
pub type RequestId = Arc<str>;

/// Whether what a client sent can be passed on as it is: into logs, headers and the environment of programs.
pub fn is_well_formed(id: &str) -> bool {
    (1..=REQUEST_ID_BYTES_MAX).contains(&id.len())
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}

/// Makes names: the numbers of requests under two hash functions with random keys, so that no client learns how
/// many there are, and no other process makes the same. It costs no system call.
#[derive(Debug, Default)]
pub struct Ids {
    keys: [RandomState; 2],
    next: AtomicU64,
}

impl Ids {
    /// A name that no request had before.
    pub fn make(&self) -> RequestId {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let [high, low] = self.keys.each_ref().map(|key| key.hash_one(number));
        format!("{high:016x}{low:016x}").into()
    }

    /// Gives `id` a value if its client gave it none.
    pub fn complete(&self, id: &mut RequestId) {
        if id.is_empty() {
            *id = self.make();
        }
    }
}
