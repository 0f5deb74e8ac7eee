//! Who may do what: bearer tokens (RFC 6750) from a file that only its owner and group can read.
//!
//! Only hashes of the tokens are kept, and compared in constant time: how long a comparison takes says nothing about
//! a token.

use crate::base::digest::Digest;
use crate::base::lock::{read, write};
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::RwLock;
use subtle::ConstantTimeEq;

/// What the bearer of a token may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Call plug-ins whose policy asks for a token.
    Call,
    /// That, and change plug-ins.
    Deploy,
}

/// Characters of a token: at 6 bits each, 96 bits at least.
const TOKEN_LEN_MIN: usize = 16;
const TOKEN_LEN_MAX: usize = 256;

/// Tokens in the file; each request with a token is compared with all of them.
const TOKENS_MAX: usize = 100;

/// Bytes of the file.
const FILE_BYTES_MAX: u64 = 64 * 1024;

/// Others may not read, write or search the file.
const MODE_OTHERS: u32 = 0o007;

/// The tokens of a file.
///
/// ```
/// use fuelbox::{GatewayConfig, Tokens};
/// # use std::os::unix::fs::PermissionsExt;
///
/// # let path = std::env::temp_dir().join(format!("fuelbox-doc-tokens-{}", std::process::id()));
/// # std::fs::write(&path, "deploy a-long-and-random-token-of-mine\n").unwrap();
/// # std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
/// let tokens = Tokens::read(&path).unwrap();
/// let config = GatewayConfig { tokens: Some(tokens.into()), ..GatewayConfig::default() };
/// # assert_eq!(config.tokens.unwrap().reload(), Ok(1));
/// # std::fs::remove_file(&path).unwrap();
/// ```
pub struct Tokens {
    path: PathBuf,
    known: RwLock<Vec<(Role, Digest)>>,
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tokens").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Tokens {
    /// The tokens in the file at `path`, one a line: `TOKEN`, `deploy TOKEN` or `call TOKEN`; `#` begins a comment.
    ///
    /// # Errors
    /// What is wrong with the file, with the line; no line is ever repeated.
    pub fn read(path: &Path) -> Result<Tokens, String> {
        let known = RwLock::new(read_file(path)?);
        Ok(Tokens { path: path.into(), known })
    }

    /// Reads the file again, and gives the number of tokens.
    ///
    /// # Errors
    /// As [`Tokens::read`]; the tokens from before stay good.
    pub fn reload(&self) -> Result<usize, String> {
        let new = read_file(&self.path)?;
        let count = new.len();
        *write(&self.known) = new;
        Ok(count)
    }

    /// What the bearer of the `Authorization` field `value` may do.
    #[doc(hidden)]
    pub fn role(&self, value: &str) -> Option<Role> {
        let (scheme, token) = value.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return None;
        }
        let given = Digest::of(token.trim_matches(' ').as_bytes());
        let known = read(&self.known);
        // All of them, whichever is the right one.
        let role_if_equal =
            |(role, token): &(Role, Digest)| bool::from(token.bytes().ct_eq(given.bytes())).then_some(*role);
        known.iter().map(role_if_equal).fold(None, Option::max)
    }
}

fn read_file(path: &Path) -> Result<Vec<(Role, Digest)>, String> {
    let failed = |what: String| format!("--token-file {}: {what}", path.display());
    let io = |error: std::io::Error| failed(error.to_string());
    // A named pipe must not hold up whoever reads the file again on a signal.
    let flags = rustix::fs::OFlags::NONBLOCK.bits() as i32;
    let file = File::options().read(true).custom_flags(flags).open(path).map_err(io)?;
    let metadata = file.metadata().map_err(io)?;
    if !metadata.is_file() {
        return Err(failed("not a regular file".into()));
    }
    let mode = std::os::unix::fs::MetadataExt::mode(&metadata);
    if mode & MODE_OTHERS != 0 {
        let mode = mode & 0o777;
        return Err(failed(format!(
            "its mode is {mode:03o}, so everyone has access: `chmod o= {}`",
            path.display()
        )));
    }
    let mut text = String::new();
    file.take(FILE_BYTES_MAX + 1).read_to_string(&mut text).map_err(io)?;
    if text.len() as u64 > FILE_BYTES_MAX {
        return Err(failed(format!("it has more than {FILE_BYTES_MAX} bytes")));
    }
    parse(&text).map_err(failed)
}

fn parse(text: &str) -> Result<Vec<(Role, Digest)>, String> {
    let mut tokens = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.split('#').next().unwrap_or_default();
        let wrong = |what: &str| format!("line {}: {what}", number + 1);
        let words: Vec<&str> = line.split_whitespace().collect();
        let (role, token) = match words[..] {
            [] => continue,
            [token] | ["deploy", token] => (Role::Deploy, token),
            ["call", token] => (Role::Call, token),
            _ => return Err(wrong("give TOKEN, deploy TOKEN or call TOKEN")),
        };
        if !(TOKEN_LEN_MIN..=TOKEN_LEN_MAX).contains(&token.len()) {
            return Err(wrong(&format!("a token has {TOKEN_LEN_MIN} to {TOKEN_LEN_MAX} characters")));
        }
        // RFC 6750, section 2.1.
        if !token.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~+/=".contains(&b)) {
            return Err(wrong("a token consists of letters, digits and -._~+/="));
        }
        tokens.push((role, Digest::of(token.as_bytes())));
    }
    match tokens.len() {
        0 => Err("it holds no token".into()),
        1..=TOKENS_MAX => Ok(tokens),
        n => Err(format!("it holds {n} tokens, more than {TOKENS_MAX}")),
    }
}
