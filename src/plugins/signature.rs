//! minisign signatures of modules: only modules signed with a trusted key load.

use minisign_verify::{PublicKey, Signature};

/// Bytes of a signature file. minisign writes about 300, with a comment of any length.
pub const SIGNATURE_BYTES_MAX: usize = 4096;

/// A public key of minisign.
///
/// ```
/// use fuelbox::{Runner, RunnerConfig, TrustedKey};
///
/// # let folder = "guests/prebuilt";
/// let key = TrustedKey::parse("RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3").unwrap();
/// let runner = Runner::new(RunnerConfig { trusted_keys: vec![key], ..RunnerConfig::default() })?;
/// let changes = runner.load_plugins(folder)?;
/// assert!(changes.loaded.is_empty(), "nothing there is signed by that key");
/// # Ok::<(), fuelbox::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedKey(PublicKey);

impl TrustedKey {
    /// The key in `text`: the base64 line that minisign prints (`RW...`), or a whole `minisign.pub`.
    ///
    /// # Errors
    /// `text` is neither.
    pub fn parse(text: &str) -> Result<TrustedKey, String> {
        let line = text.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or_default();
        let key =
            PublicKey::from_base64(line).map_err(|_| "not a public key of minisign (RW...)".to_string())?;
        Ok(TrustedKey(key))
    }
}

/// Checks that `text` has the form of a signature.
///
/// # Errors
/// It does not.
pub fn check_form(text: &str) -> Result<(), String> {
    if text.len() > SIGNATURE_BYTES_MAX {
        return Err(format!("the signature has {} bytes, more than {SIGNATURE_BYTES_MAX}", text.len()));
    }
    Signature::decode(text).map(drop).map_err(|_| "the signature is malformed".into())
}

/// Checks that `signature`, the text of a `.minisig` file, is a signature of `bytes` by one of `keys`.
///
/// # Errors
/// The reason why it is not.
pub fn verify(keys: &[TrustedKey], bytes: &[u8], signature: &str) -> Result<(), String> {
    let signature = Signature::decode(signature).map_err(|_| "the signature is malformed".to_string())?;
    // minisign made signatures of the whole file before 2020. They are as good as those of its hash.
    if keys.iter().any(|key| key.0.verify(bytes, &signature, true).is_ok()) {
        return Ok(());
    }
    Err("the signature is not by a trusted key, or not of this module".into())
}
