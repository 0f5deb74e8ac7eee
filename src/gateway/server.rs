//! The gateway as a whole: start, workers, stop.

use super::connection::door::Door;
use super::http::client::Network;
use super::http::overflow::Overflow;
use super::http::service::Service;
use super::http::tokens::Tokens;
use super::routes::counted::{Counted, Others};
use super::routes::counters::Counters;
use super::routes::deployment::Deployment;
use super::routes::service::Routes;
use super::scheduling::admission::Occupancy;
use super::workers::lane::Lane;
use super::workers::threads;
use super::workers::worker::Worker;
use crate::base::limits::{DoorLimits, WORKERS_MAX};
use crate::runner::Runner;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

/// Stack of a worker. The interpreter keeps guest frames on the heap, so little is needed.
const WORKER_STACK_BYTES: usize = 512 * 1024;

/// How long a stop lets requests that wait for a worker begin. Then it waits for the guests that run.
const STOP_GRACE: Duration = Duration::from_secs(2);

/// How long a stop waits beyond the deadline of the guests that run.
const STOP_MARGIN: Duration = Duration::from_millis(200);

/// How long a stop waits for guests that have no deadline.
const STOP_WITHOUT_DEADLINE: Duration = Duration::from_secs(30);

/// How a gateway is set up.
///
/// ```
/// use fuelbox::{DoorLimits, GatewayConfig};
///
/// let door = DoorLimits { body_bytes: 64 * 1024, ..DoorLimits::default() };
/// let config = GatewayConfig { workers: 8, door, ..GatewayConfig::default() };
/// assert!(config.listen.ip().is_loopback());
/// ```
#[derive(Debug, Clone)]
pub struct GatewayConfig {
    /// The address to listen on; port 0 lets the system choose.
    pub listen: SocketAddr,
    /// Guests that run at once. There is a request thread for each, and one more that polls.
    pub workers: usize,
    /// Limits for connections and clients.
    pub door: DoorLimits,
    /// Proxies whose `Forwarded` or `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<Network>,
    /// Tokens for plug-ins that ask for one, and for deployment. Without, nobody may use either.
    pub tokens: Option<Arc<Tokens>>,
    /// Former versions of each plug-in that are kept when it is deployed.
    pub keep_versions: usize,
    /// Counter of dropped log lines, for `/metrics`, if the program has one.
    pub log_dropped: Option<&'static AtomicU64>,
}

impl Default for GatewayConfig {
    fn default() -> Self {
        GatewayConfig {
            listen: DEFAULT_LISTEN,
            workers: default_workers(),
            door: DoorLimits::default(),
            trusted_proxies: Vec::new(),
            tokens: None,
            keep_versions: KEEP_VERSIONS,
            log_dropped: None,
        }
    }
}

/// The default number of former versions that are kept of each plug-in.
pub const KEEP_VERSIONS: usize = 3;

/// The most that can be asked for: a look at them reads each.
pub const KEEP_VERSIONS_MAX: usize = 100;

/// The longest time between the signal to stop and the end of accepting: balancers ask far more often.
pub const SHUTDOWN_DELAY_MAX: Duration = Duration::from_secs(600);

/// Where a gateway listens unless told otherwise: loopback only.
pub const DEFAULT_LISTEN: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 8080);

/// The default number of guests at once: two for each core, at least four and at most [`WORKERS_MAX`].
pub fn default_workers() -> usize {
    let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get());
    (2 * cores).clamp(4, WORKERS_MAX)
}

/// A running gateway.
///
/// ```
/// use fuelbox::{Gateway, GatewayConfig, Runner, RunnerConfig};
/// use std::sync::Arc;
///
/// let runner = Arc::new(Runner::new(RunnerConfig::default())?);
/// runner.load_built_in()?;
/// let config = GatewayConfig { listen: "127.0.0.1:0".parse().unwrap(), ..GatewayConfig::default() };
/// let gateway = Gateway::start(&config, runner).unwrap();
/// println!("POST http://{}/execute/greet", gateway.address());
/// gateway.stop();
/// # Ok::<(), fuelbox::Error>(())
/// ```
pub struct Gateway {
    door: Arc<Door>,
    others: Others,
    address: SocketAddr,
    ended: Receiver<()>,
    patience: Duration,
}

impl std::fmt::Debug for Gateway {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gateway").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Gateway {
    /// Serves `runner`'s plug-ins.
    ///
    /// # Errors
    /// The address cannot be listened on; contradictory limits; no thread, descriptor, or folder for the
    /// lanes' sockets.
    ///
    /// ```
    /// use fuelbox::{Gateway, GatewayConfig, Runner, RunnerConfig};
    /// use std::sync::Arc;
    ///
    /// let runner = Arc::new(Runner::new(RunnerConfig::default())?);
    /// runner.load_built_in()?;
    /// let config = GatewayConfig { listen: "127.0.0.1:0".parse().unwrap(), ..GatewayConfig::default() };
    /// let gateway = Gateway::start(&config, runner).unwrap();
    /// assert_ne!(gateway.address().port(), 0);
    /// gateway.stop();
    /// # Ok::<(), fuelbox::Error>(())
    /// ```
    pub fn start(config: &GatewayConfig, runner: Arc<Runner>) -> io::Result<Gateway> {
        Gateway::start_on(TcpListener::bind(config.listen)?, config, runner)
    }

    /// Serves `runner`'s plug-ins on a socket that is there already, as systemd passes one; `config.listen`
    /// means nothing then.
    ///
    /// # Errors
    /// As [`Gateway::start`]; the socket does not listen and cannot.
    pub fn start_on(
        listener: TcpListener,
        config: &GatewayConfig,
        runner: Arc<Runner>,
    ) -> io::Result<Gateway> {
        config.door.check_with(runner.limits()).map_err(invalid)?;
        let patience = runner.limits().deadline.unwrap_or(STOP_WITHOUT_DEADLINE).saturating_add(STOP_MARGIN);
        let deployment = config.tokens.as_ref().map(|tokens| Deployment {
            tokens: Arc::clone(tokens),
            module_bytes: runner.limits().module_bytes.min(config.door.budget_bytes),
            budget_bytes: config.door.budget_bytes,
            keep_versions: config.keep_versions,
        });
        // One request thread more, so that plug-ins can be changed while guests use all workers.
        let spare = usize::from(deployment.is_some());
        let processes = runner.processes().map_or(0, |(count, _)| count);
        let counters = Counters::new(config.log_dropped);
        let others = Arc::clone(&counters.others);
        let routes = Routes::new(runner, counters, deployment);
        let gateway = Gateway::open(listener, config, (Box::new(routes), spare, processes), patience)?;
        Ok(Gateway { others, ..gateway })
    }

    /// Has any service serve; a stop waits `patience` for what runs.
    ///
    /// # Errors
    /// As [`Gateway::start`].
    #[doc(hidden)]
    pub fn start_service(
        config: &GatewayConfig,
        service: Box<dyn Service>,
        patience: Duration,
    ) -> io::Result<Gateway> {
        Gateway::open(TcpListener::bind(config.listen)?, config, (service, 0, 0), patience)
    }

    fn open(
        listener: TcpListener,
        config: &GatewayConfig,
        (service, spare, processes): (Box<dyn Service>, usize, usize),
        patience: Duration,
    ) -> io::Result<Gateway> {
        config.door.check().map_err(invalid)?;
        let address = listener.local_addr()?;
        // One for each guest, and one that polls.
        let workers = config.workers + 1 + spare;
        threads::check(config.workers, workers, processes)?;
        let short = |error: io::Error| threads::missing(config.workers, &error);
        let lanes = (0..workers).map(|_| Lane::open()).collect::<io::Result<Vec<_>>>().map_err(short)?;
        let rules = (config.door.clone(), config.trusted_proxies.clone());
        let door = Arc::new(Door::new(listener, rules, config.workers, service)?);
        let (end, ended) = channel();
        for (number, lane) in lanes.into_iter().enumerate() {
            let worker = Worker::new(Arc::clone(&door), lane);
            let end = end.clone();
            let thread = std::thread::Builder::new().name(format!("worker-{number}"));
            let spawned = thread.stack_size(WORKER_STACK_BYTES).spawn(move || {
                worker.work();
                drop(end);
            });
            if let Err(error) = spawned {
                door.stop();
                return Err(short(error));
            }
        }
        Ok(Gateway { door, others: Others::default(), address, ended, patience })
    }

    /// The address it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Open connections.
    pub fn connections(&self) -> usize {
        self.door.connections()
    }

    /// Tells whether the gateway works, without a connection to it.
    #[doc(hidden)]
    pub fn heartbeat(&self) -> Heartbeat {
        Heartbeat(Arc::clone(&self.door))
    }

    /// Requests from inside of this process, as of another protocol.
    #[doc(hidden)]
    pub fn inside(&self) -> Inside {
        Inside { door: Arc::clone(&self.door), others: Arc::clone(&self.others) }
    }

    /// Has `/readyz` answer 503 from now on, so that balancers send no more; everything else goes on until
    /// [`Gateway::stop`].
    pub fn announce_stop(&self) {
        self.door.announce_stop();
    }

    /// Stops: accepts no more, lets running requests end (at most for the guests' deadline), and ends.
    pub fn stop(self) {
        self.door.stop();
        // Every worker holds a sender; the channel closes when the last has ended.
        let has_ended = |patience| self.ended.recv_timeout(patience) != Err(RecvTimeoutError::Timeout);
        if has_ended(STOP_GRACE) {
            return;
        }
        // What waits for a worker until now gets a response, and what runs has its time.
        self.door.refuse_waiting();
        if !has_ended(self.patience) {
            log::warn!("some requests did not end within {:?}", STOP_GRACE.saturating_add(self.patience));
        }
    }
}

/// Tells whether a gateway is at work.
#[derive(Clone)]
pub struct Heartbeat(Arc<Door>);

impl Heartbeat {
    /// Whether events of connections are looked for, and what they tell is taken up, within `patience`.
    pub fn beats(&self, patience: Duration) -> bool {
        self.0.has_heartbeat(patience)
    }
}

/// The way for requests from inside of this process: admission, limits, policies, metrics and logs are those of others.
#[derive(Clone)]
pub struct Inside {
    door: Arc<Door>,
    others: Others,
}

impl Inside {
    /// A connection to the gateway, for HTTP/1.
    ///
    /// # Errors
    /// The gateway is stopping; no descriptor is left.
    pub fn connect(&self) -> io::Result<UnixStream> {
        let (ours, theirs) = UnixStream::pair()?;
        self.door.adopt(theirs)?;
        Ok(ours)
    }

    /// Has `overflow` take the requests that there is no free worker for. Only the first counts.
    pub fn set_overflow(&self, overflow: Box<dyn Overflow>) {
        let _ = self.door.overflow.set(overflow);
    }

    /// Has `/metrics` tell these counters as well. Only the first call counts.
    pub fn set_counted(&self, counted: Vec<Counted>) {
        let _ = self.others.set(counted);
    }

    /// The guests that run, and the requests that wait for one to end.
    pub fn occupancy(&self) -> Occupancy {
        self.door.occupancy()
    }
}

fn invalid(what: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, what)
}
