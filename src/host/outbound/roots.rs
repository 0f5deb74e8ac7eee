//! What certificates are checked with: the system's authorities, as devices update them, and pure Rust's cryptography.

use super::message::{Refusal, Why};
use std::sync::{Arc, OnceLock};
use ureq::tls::{Certificate, RootCerts, TlsConfig, TlsProvider};

/// The system's certificates, once they were found. Reading them takes some milliseconds.
static ROOTS: OnceLock<RootCerts> = OnceLock::new();

/// How TLS is done.
///
/// # Errors
/// The system has no certificates.
pub fn tls() -> Result<TlsConfig, Refusal> {
    let roots = match ROOTS.get() {
        Some(roots) => roots.clone(),
        None => {
            let roots = system()?;
            ROOTS.get_or_init(|| roots).clone()
        }
    };
    let provider = Arc::new(rustls_rustcrypto::provider());
    let config = TlsConfig::builder().provider(TlsProvider::Rustls).root_certs(roots);
    Ok(config.unversioned_rustls_crypto_provider(provider).build())
}

/// The certificates of `SSL_CERT_FILE`, `SSL_CERT_DIR` or the system.
fn system() -> Result<RootCerts, Refusal> {
    let found = rustls_native_certs::load_native_certs();
    if found.certs.is_empty() {
        let why = found.errors.first().map(|error| format!(": {error}")).unwrap_or_default();
        let what = format!(
            "https: this system has no certificates of authorities{why}; install ca-certificates, or name a file in SSL_CERT_FILE"
        );
        return Err(Refusal::new(Why::Tls, what));
    }
    let certificates: Vec<_> = found.certs.iter().map(|der| Certificate::from_der(der).to_owned()).collect();
    Ok(RootCerts::Specific(Arc::new(certificates)))
}
