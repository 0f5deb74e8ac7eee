//! HTTPS: a server with a certificate of an authority that `SSL_CERT_FILE` names. The keys are for these tests only.

use super::{GUEST, get};
use crate::support::{TempDir, fuelbox_command, wat};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, SupportedProtocolVersion};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Arc;

fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/it/outbound/tls").join(name)
}

/// Serves with this key and certificate; gives the port.
fn server(kind: &str, version: &'static SupportedProtocolVersion) -> u16 {
    let key = PrivateKeyDer::from_pem_file(file(&format!("{kind}.key"))).unwrap();
    let chain = vec![CertificateDer::from_pem_file(file(&format!("{kind}.pem"))).unwrap()];
    let config = ServerConfig::builder_with_provider(Arc::new(rustls_rustcrypto::provider()))
        .with_protocol_versions(&[version])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    let (config, listener) = (Arc::new(config), TcpListener::bind("127.0.0.1:0").unwrap());
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let config = Arc::clone(&config);
            std::thread::spawn(move || {
                let connection = ServerConnection::new(config).unwrap();
                let mut tls = rustls::StreamOwned::new(connection, stream);
                let mut head = Vec::new();
                let mut piece = [0; 1024];
                while !head.windows(4).any(|end| end == b"\r\n\r\n") {
                    match tls.read(&mut piece) {
                        Ok(0) | Err(_) => return,
                        Ok(n) => head.extend_from_slice(&piece[..n]),
                    }
                }
                let _ = tls.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecret");
                tls.conn.send_close_notify();
                let _ = tls.flush();
            });
        }
    });
    port
}

/// What a guest gets of `url` when these authorities are trusted.
fn ask(url: &str, authorities: &str, confine: &str) -> (Option<i32>, String) {
    let dir = TempDir::new();
    dir.write("guest.wasm", wat(GUEST));
    let input = get(url);
    let args = [
        "call",
        "--confine",
        confine,
        "--timeout",
        "20s",
        "--allow-http",
        url,
        "guest.wasm",
        "ask",
        "--data",
        &input,
    ];
    let mut command = fuelbox_command(&dir.0, &args);
    command.env("SSL_CERT_FILE", file(authorities)).env_remove("SSL_CERT_DIR");
    let ran = command.output().unwrap();
    let said = [ran.stdout, ran.stderr].concat();
    (ran.status.code(), String::from_utf8_lossy(&said).into_owned())
}

#[test]
fn a_server_with_a_trusted_certificate_is_called() {
    for (kind, version) in [
        ("ec", &rustls::version::TLS13),
        ("rsa", &rustls::version::TLS13),
        ("ec", &rustls::version::TLS12),
        ("rsa", &rustls::version::TLS12),
    ] {
        let port = server(kind, version);
        for confine in ["on", "off"] {
            let (code, said) = ask(&format!("https://localhost:{port}/"), "ca.pem", confine);
            assert_eq!((code, &*said), (Some(0), "secret"), "{kind} {version:?} {confine}");
        }
    }
}

#[test]
fn another_certificate_is_refused() {
    let port = server("ec", &rustls::version::TLS13);
    // One that is for another host, one that nobody vouches for, and no authorities at all.
    for (url, authorities) in [
        (format!("https://127.0.0.1:{port}/"), "ca.pem"),
        (format!("https://localhost:{port}/"), "rsa.pem"),
        (format!("https://localhost:{port}/"), "ec.key"),
        (format!("https://localhost:{port}/"), "none.pem"),
    ] {
        let (code, said) = ask(&url, authorities, "on");
        assert!(code == Some(121) && !said.contains("secret"), "{url} {authorities}: {said}");
        let why = if authorities.ends_with("e.pem") || authorities.ends_with("key") {
            "no certificates"
        } else {
            "ertificate"
        };
        assert!(said.contains(why), "{url} {authorities}: {said}");
    }
    // What speaks TLS speaks no HTTP.
    let (code, said) = ask(&format!("http://localhost:{port}/"), "ca.pem", "on");
    assert!(code == Some(121) && !said.contains("secret"), "{said}");
}
