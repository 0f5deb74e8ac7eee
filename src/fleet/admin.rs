//! A connection for one command of the command line.

use super::config::Access;
use super::connect::connect;
use std::future::Future;
use std::time::Duration;
use tokio::runtime::Builder;

/// The longest time for the connection.
const PATIENCE: Duration = Duration::from_secs(10);

/// Has `work` done with a connection.
///
/// # Errors
/// A sentence: no connection, or that of `work`.
pub fn run<T, F: Future<Output = Result<T, String>>>(
    access: &Access,
    work: impl FnOnce(async_nats::Client) -> F,
) -> Result<T, String> {
    let runtime = Builder::new_current_thread().enable_all().max_blocking_threads(1).build();
    let runtime = runtime.map_err(|error| error.to_string())?;
    let mut random = [0; 4];
    getrandom::fill(&mut random).map_err(|error| error.to_string())?;
    let name = format!("fuelbox-fleet-{:08x}", u32::from_ne_bytes(random));
    runtime.block_on(async {
        let connected = tokio::time::timeout(PATIENCE, connect(access, &name, false)).await;
        let connection =
            connected.map_err(|_| "cannot connect to NATS: it does not answer".to_string())??;
        work(connection.client).await
    })
}
