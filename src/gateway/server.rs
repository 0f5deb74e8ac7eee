//! Sockets and threads of the gateway: tiny_http with a fixed set of request threads.

use super::message::{Request, Response};
use super::{problem, routes};
use crate::error::Error;
use crate::runner::Runner;
use std::io::Read;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

/// Stack of a request thread. The interpreter keeps guest frames on the heap, so little is needed.
const WORKER_STACK_BYTES: usize = 512 * 1024;

/// How long a stop waits beyond the deadline of the guests that still run.
const STOP_GRACE: Duration = Duration::from_secs(2);

/// How long a stop waits for guests that have no deadline.
const STOP_WITHOUT_DEADLINE: Duration = Duration::from_secs(30);

/// How a gateway is set up.
#[derive(Debug, Clone)]
pub struct GatewayConfig {
    /// The address to listen on; port 0 lets the system choose.
    pub listen: SocketAddr,
    /// Request threads, and so the number of guests that run at once.
    pub workers: usize,
}

/// The default number of request threads: two for each core, at least four.
pub fn default_workers() -> usize {
    let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get());
    (2 * cores).max(4)
}

/// A running gateway.
pub struct Gateway {
    server: Arc<tiny_http::Server>,
    address: SocketAddr,
    stopping: Arc<AtomicBool>,
    ended: Receiver<()>,
    workers: usize,
    patience: Duration,
}

impl std::fmt::Debug for Gateway {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gateway").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Gateway {
    /// Listens and starts the request threads.
    ///
    /// # Errors
    /// The address cannot be listened on, or the system gives no thread.
    pub fn start(config: &GatewayConfig, runner: Arc<Runner>) -> std::io::Result<Gateway> {
        let listener = TcpListener::bind(config.listen)?;
        let address = listener.local_addr()?;
        let server = tiny_http::Server::from_listener(listener, None).map_err(std::io::Error::other)?;
        let server = Arc::new(server);
        let stopping = Arc::new(AtomicBool::new(false));
        let (end, ended) = channel();
        let patience = runner.limits().deadline.unwrap_or(STOP_WITHOUT_DEADLINE) + STOP_GRACE;
        for number in 0..config.workers {
            let worker = Worker {
                server: Arc::clone(&server),
                runner: Arc::clone(&runner),
                stopping: Arc::clone(&stopping),
                _end: end.clone(),
            };
            std::thread::Builder::new()
                .name(format!("worker-{number}"))
                .stack_size(WORKER_STACK_BYTES)
                .spawn(move || worker.work())?;
        }
        Ok(Gateway { server, address, stopping, ended, workers: config.workers, patience })
    }

    /// The address it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops accepting, lets what runs come to its end (bounded by the guests' deadline) and ends.
    pub fn stop(self) {
        self.stopping.store(true, Ordering::SeqCst);
        for _ in 0..self.workers {
            self.server.unblock();
        }
        // Every worker holds a sender; the channel closes when the last has ended.
        if self.ended.recv_timeout(self.patience) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
            log::warn!("some requests did not end within {:?}", self.patience);
        }
    }
}

struct Worker {
    server: Arc<tiny_http::Server>,
    runner: Arc<Runner>,
    stopping: Arc<AtomicBool>,
    _end: Sender<()>,
}

impl Worker {
    fn work(self) {
        while !self.stopping.load(Ordering::SeqCst) {
            match self.server.recv() {
                Ok(request) => self.answer(request),
                Err(error) if !self.stopping.load(Ordering::SeqCst) => {
                    log::error!("accepting connections failed: {error}");
                }
                Err(_) => {}
            }
        }
    }

    fn answer(&self, mut http: tiny_http::Request) {
        let begin = Instant::now();
        let limit = self.runner.limits().input_bytes;
        let client = http.remote_addr().map(SocketAddr::ip);
        let mut request = Request {
            method: http.method().to_string(),
            target: http.url().to_string(),
            content_type: content_type(&http),
            body: Vec::new(),
            client,
        };
        let announced = http.body_length().unwrap_or(0);
        let too_large = announced > limit || {
            let mut body = http.as_reader().take(limit as u64 + 1);
            match body.read_to_end(&mut request.body) {
                Ok(_) => request.body.len() > limit,
                // The client is gone; there is nobody to answer.
                Err(_) => return,
            }
        };
        let response = if too_large {
            let error = Error::InputTooLarge { size: announced.max(request.body.len()), limit };
            problem::response(problem::of_error(&error), &error.to_string())
        } else {
            routes::handle(&self.runner, &request)
        };
        log_access(&request, &response, begin);
        // A client that has gone away is no error of ours.
        let _ = http.respond(to_http(response));
    }
}

fn content_type(http: &tiny_http::Request) -> Option<String> {
    let header = http.headers().iter().find(|header| header.field.equiv("Content-Type"))?;
    Some(header.value.to_string())
}

fn log_access(request: &Request, response: &Response, begin: Instant) {
    log::info!(
        target: "fuelbox::access",
        "{} {} {} {} {} bytes {} fuel {:.3} ms",
        request.client.map_or_else(|| "-".into(), |address| address.to_string()),
        request.method,
        request.target.escape_debug(),
        response.status,
        response.body.len(),
        response.fuel.map_or_else(|| "-".into(), |fuel| fuel.to_string()),
        begin.elapsed().as_secs_f64() * 1000.0,
    );
}

fn to_http(response: Response) -> tiny_http::Response<std::io::Cursor<Vec<u8>>> {
    let headers = std::iter::once(("Content-Type", response.content_type))
        .chain(response.headers.iter().map(|(name, value)| (*name, value.as_str())))
        // Names are constants and values are made here from numbers and names, so none is lost.
        .filter_map(|(name, value)| tiny_http::Header::from_bytes(name, value).ok())
        .collect();
    let length = response.body.len();
    let body = std::io::Cursor::new(response.body);
    tiny_http::Response::new(response.status.into(), headers, body, Some(length), None)
        .with_chunked_threshold(usize::MAX)
}
