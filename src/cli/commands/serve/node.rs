//! The gateway as a node of a fleet.

use crate::cli::args::command::Serve;
use crate::cli::exit;
use crate::cli::failure::Failure;
use crate::gateway::Gateway;
use crate::runner::Runner;
use std::sync::Arc;

/// The node, if the flags ask for one.
pub struct Node {
    #[cfg(feature = "nats")]
    fleet: Option<crate::fleet::Fleet>,
}

impl Node {
    /// Begins to serve what comes by NATS.
    pub fn start(serve: &Serve, gateway: &Gateway, runner: &Arc<Runner>) -> Result<Node, Failure> {
        #[cfg(feature = "nats")]
        {
            let start = |mut config: Box<crate::fleet::FleetConfig>| {
                if config.node.is_empty() {
                    config.node = usual_name(gateway.address().port());
                }
                crate::fleet::Fleet::start(*config, gateway.inside(), Arc::clone(runner))
            };
            let fleet = serve.fleet.clone().map(start).transpose();
            let failed = |error| Failure::new(exit::FAILURE, format!("--nats: {error}"));
            Ok(Node { fleet: fleet.map_err(failed)? })
        }
        #[cfg(not(feature = "nats"))]
        {
            // The parser has refused the flags.
            let _ = (serve, gateway, runner, exit::FAILURE);
            Ok(Node {})
        }
    }

    /// Takes nothing more.
    pub fn leave(&self) {
        #[cfg(feature = "nats")]
        self.fleet.iter().for_each(crate::fleet::Fleet::leave);
    }

    /// Ends, once the gateway has.
    pub fn stop(self) {
        #[cfg(feature = "nats")]
        self.fleet.into_iter().for_each(crate::fleet::Fleet::stop);
    }
}

/// The host's name and the port: `gateway-8080`.
#[cfg(feature = "nats")]
fn usual_name(port: u16) -> String {
    const NAME_LEN_MAX: usize = 64;
    let system = rustix::system::uname();
    let host = system.nodename().to_string_lossy();
    let plain = host.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' });
    format!("{}-{port}", plain.take(NAME_LEN_MAX).collect::<String>())
}
