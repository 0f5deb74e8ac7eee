//! A gateway whose plug-ins can be changed, for the tests of deployment.

use crate::support::{Client, Reply, TempDir, prebuilt, wat};
use fuelbox::base::limits::DoorLimits;
use fuelbox::gateway::http::tokens::Tokens;
use fuelbox::gateway::{Gateway, GatewayConfig};
use fuelbox::{Runner, RunnerConfig};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Arc;

pub const DEPLOY: &str = "deploy-0123456789";
pub const CALL: &str = "call-0123456789abc";

/// A file of tokens that only its owner can read.
pub fn token_file(dir: &TempDir, text: &str) -> PathBuf {
    let path = dir.write("tokens", text);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    path
}

/// A gateway whose plug-ins can be changed.
pub struct Site {
    pub plugins: TempDir,
    pub runner: Arc<Runner>,
    gateway: Option<Gateway>,
}

impl Site {
    pub fn new() -> Site {
        Site::with(crate::support::runner_config(), DoorLimits::default())
    }

    pub fn with(config: RunnerConfig, door: DoorLimits) -> Site {
        Site::keeping(0, config, door)
    }

    /// One that keeps former versions.
    pub fn keeping(keep_versions: usize, config: RunnerConfig, door: DoorLimits) -> Site {
        let (plugins, keys) = (TempDir::new(), TempDir::new());
        std::fs::copy(prebuilt("greet.wasm"), plugins.0.join("greet.wasm")).unwrap();
        let tokens = Tokens::read(&token_file(&keys, &format!("{DEPLOY}\ncall {CALL} # phones\n"))).unwrap();
        let runner = Arc::new(Runner::new(config).unwrap());
        runner.load_plugins(&plugins.0).unwrap();
        let listen = "127.0.0.1:0".parse().unwrap();
        let config = GatewayConfig {
            listen,
            workers: 2,
            door,
            tokens: Some(Arc::new(tokens)),
            keep_versions,
            ..GatewayConfig::default()
        };
        let gateway = Gateway::start(&config, Arc::clone(&runner)).unwrap();
        Site { plugins, runner, gateway: Some(gateway) }
    }

    pub fn client_from(&self, host: u8) -> Client {
        Client::from(host, self.gateway.as_ref().unwrap().address())
    }

    pub fn client(&self) -> Client {
        Client::connect(self.gateway.as_ref().unwrap().address())
    }

    /// With the token that may.
    pub fn send(&self, method: &str, target: &str, body: &[u8]) -> Reply {
        self.on(method, target, &[], body)
    }

    /// The same under conditions.
    pub fn on(&self, method: &str, target: &str, fields: &[(&str, &str)], body: &[u8]) -> Reply {
        let bearer = format!("Bearer {DEPLOY}");
        let fields = [&[("Authorization", bearer.as_str())], fields].concat();
        self.client().ask(method, target, &fields, body)
    }

    pub fn files(&self) -> Vec<String> {
        let entries = std::fs::read_dir(&self.plugins.0).unwrap();
        let mut names: Vec<_> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.gateway.take().unwrap().stop();
    }
}

/// A module whose function `f` gives `n`.
pub fn giving(n: i32) -> Vec<u8> {
    wat(&format!(r#"(module (func (export "f") (result i32) (i32.const {n})))"#))
}

pub fn tag_of(bytes: &[u8]) -> String {
    format!("\"{}\"", fuelbox::base::digest::Digest::of(bytes))
}
