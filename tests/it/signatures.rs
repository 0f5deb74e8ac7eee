//! Signatures: with a trusted key, only what it has signed is loaded, from the folder and by deployment.

use crate::plain::PlainResults;
use crate::site::{Site, giving};
use crate::support::{TempDir, reload};
use fuelbox::base::limits::DoorLimits;
use fuelbox::plugins::signature::TrustedKey;
use fuelbox::{Runner, RunnerConfig};

/// A key pair of minisign, and what it signs.
pub struct Signer(minisign::KeyPair);

impl Signer {
    pub fn new() -> Signer {
        Signer(minisign::KeyPair::generate_unencrypted_keypair().unwrap())
    }

    pub fn key(&self) -> TrustedKey {
        TrustedKey::parse(&self.0.pk.to_box().unwrap().to_string()).unwrap()
    }

    #[cfg(feature = "nats")]
    pub fn key_text(&self) -> String {
        self.0.pk.to_base64()
    }

    pub fn sign(&self, module: &[u8]) -> String {
        let signature = minisign::sign(Some(&self.0.pk), &self.0.sk, module, None, None).unwrap();
        signature.to_string()
    }
}

#[test]
fn only_what_a_trusted_key_has_signed_is_loaded() {
    let (ours, theirs) = (Signer::new(), Signer::new());
    let dir = TempDir::new();
    let config = RunnerConfig { trusted_keys: vec![ours.key()], ..crate::support::runner_config() };
    let runner = Runner::new(config).unwrap();
    let signed = ours.sign(&giving(1));
    let mut turned = signed.clone().into_bytes();
    let at = signed.find("trusted comment: t").unwrap() + 17;
    turned[at] ^= 1;
    for (name, signature) in [
        ("good", Some(signed.clone())),
        ("bare", None),
        ("strange", Some(theirs.sign(&giving(1)))),
        ("other", Some(ours.sign(&giving(2)))),
        ("rubbish", Some("rubbish".into())),
        ("turned", Some(String::from_utf8(turned).unwrap())),
        ("cut", Some(signed[..signed.len() - 5].into())),
        ("huge", Some(format!("{signed}{}", "\n".repeat(4096)))),
    ] {
        dir.write(&format!("{name}.wasm"), giving(1));
        if let Some(signature) = signature {
            dir.write(&format!("{name}.wasm.minisig"), signature);
        }
    }
    let changes = runner.load_plugins(&dir.0).unwrap();
    assert_eq!(changes.loaded, ["good"], "{changes:?}");
    // A signature that comes later is enough.
    dir.write("bare.wasm.minisig", &signed);
    assert_eq!(reload(&runner).loaded, ["bare"]);
    // And one that is gone is missed, but what serves goes on.
    std::fs::remove_file(dir.0.join("good.wasm.minisig")).unwrap();
    assert_eq!(reload(&runner).failed.len(), 1);
    assert!(runner.plugins().get("good").is_ok());
    assert!(TrustedKey::parse("RWrubbish").is_err() && TrustedKey::parse("").is_err());
}

#[test]
fn deployment_takes_the_signature_first() {
    let signer = Signer::new();
    let config = RunnerConfig { trusted_keys: vec![signer.key()], ..crate::support::runner_config() };
    let site = Site::with(config, DoorLimits::default());
    let put = |n: i32| site.send("PUT", "/plugins/n", &giving(n)).status;
    let sign = |n: i32| site.send("PUT", "/plugins/n/signature", signer.sign(&giving(n)).as_bytes()).status;
    let gives = || site.client().send("POST", "/execute/n?func=f", b"").text();
    assert_eq!(put(1), 422);
    assert_eq!((sign(1), put(1)), (204, 201));
    assert_eq!((put(2), gives()), (422, "1\n".into()));
    // Between the two, the old version is good with its own signature, also for whoever starts anew.
    assert_eq!((sign(2), gives()), (204, "1\n".into()));
    let anew = || {
        let config = RunnerConfig { trusted_keys: vec![signer.key()], ..crate::support::runner_config() };
        let runner = Runner::new(config).unwrap();
        runner.load_plugins(&site.plugins.0).unwrap();
        runner.bytes("n", "f", b"").unwrap()
    };
    assert_eq!(anew(), b"1\n");
    // Killed between putting the module and its signature in place, it would be so:
    site.plugins.write("n.wasm", giving(2));
    assert_eq!(anew(), b"2\n");
    assert_eq!((put(2), gives()), (204, "2\n".into()));
    assert_eq!(site.files(), ["greet.wasm", "n.wasm", "n.wasm.minisig"]);
    assert_eq!(site.send("PUT", "/plugins/n/signature", b"rubbish").status, 422);
    assert_eq!(site.send("GET", "/plugins/n/signature", b"").status, 405);
    assert_eq!(site.send("DELETE", "/plugins/n", b"").status, 204);
    assert_eq!(site.files(), ["greet.wasm"]);
}

#[test]
fn a_signature_that_a_module_in_place_needs_is_not_lost() {
    let signer = Signer::new();
    let config = || RunnerConfig { trusted_keys: vec![signer.key()], ..crate::support::runner_config() };
    let site = Site::with(config(), DoorLimits::default());
    let sign = |n: i32| site.send("PUT", "/plugins/n/signature", signer.sign(&giving(n)).as_bytes()).status;
    assert_eq!((sign(1), site.send("PUT", "/plugins/n", &giving(1)).status), (204, 201));
    // As a process leaves it that was killed when the second module was in place and its signature not yet.
    assert_eq!(sign(2), 204);
    site.plugins.write("n.wasm", giving(2));
    assert_eq!(sign(3), 204);
    let anew = Runner::new(config()).unwrap();
    let changes = anew.load_plugins(&site.plugins.0).unwrap();
    assert_eq!(changes.loaded, ["n"], "{changes:?}");
}
