//! The listener: sockets in, rouille's requests out; limits, deadlines and an orderly end.

mod answer;
mod body;
pub mod chunked;
mod connection;
mod files;
mod guests;
pub mod head;
mod inbox;
mod line;
#[cfg(not(unix))]
mod no_unix;
mod socket;
mod usher;

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use rouille::Response;

pub use body::Body;
use guests::Guests;
pub use line::Line;
pub use socket::Address;
use socket::{Socket, Stream};
use usher::{Rarely, Usher};

use crate::metrics::Metrics;
use crate::settings::{Door, Network};

/// How long the loop rests when the system gives it no connection.
const ACCEPT_REST: Duration = Duration::from_millis(50);

/// One request: its head in rouille's form, its body beside it.
pub struct Incoming<'c> {
    /// The head; rouille's own body is empty.
    pub request: rouille::Request,
    pub body: Body<'c>,
    /// The other end of the connection; that of a Unix socket is 127.0.0.1.
    pub peer: SocketAddr,
}

/// What the listener allows.
#[derive(Debug, Clone, Default)]
pub struct Bounds {
    /// Connections open at once; fewer where the system's limit of open files wants it.
    pub connections_max: usize,
    /// Of those from one address (an IPv6 network of 64 bits counts as one). Loopback and trusted
    /// proxies have no such limit.
    pub connections_per_address_max: usize,
    pub trusted_proxies: Vec<Network>,
    /// What one of them may cost.
    pub door: Door,
    /// Where connections are counted.
    pub metrics: Arc<Metrics>,
}

/// What answers requests: the route table, or a test's own.
pub trait Handler: Send + Sync + 'static {
    /// Answers one request. A panic becomes a 500 and ends that connection only.
    fn handle(&self, incoming: &mut Incoming<'_>) -> Response;
}

/// A socket that listens.
pub struct Listener {
    socket: Socket,
    address: Address,
    bounds: Bounds,
    guests: Arc<Guests>,
}

/// Ends a listener.
#[derive(Clone)]
pub struct Shutdown {
    guests: Arc<Guests>,
    address: Address,
}

/// Listens at an address such as `127.0.0.1:8080` (port 0 takes a free one) or
/// `unix:/run/sheetline/socket`.
///
/// # Errors
/// What the system said.
pub fn bind(address: &str, bounds: Bounds) -> io::Result<Listener> {
    let (socket, address) = socket::listen(address)?;
    let possible = files::connections_possible();
    if possible < bounds.connections_max {
        log::warn!(
            "the system allows {possible} connections at once, not {}: its limit of open files (LimitNOFILE= of a service, ulimit -Hn) allows no more",
            bounds.connections_max
        );
    }
    let guests = Guests::new(
        bounds.connections_max.min(possible),
        bounds.connections_per_address_max,
        bounds.trusted_proxies.clone(),
    );
    Ok(Listener {
        socket,
        address,
        bounds,
        guests: Arc::new(guests),
    })
}

impl Listener {
    /// Where it listens.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// The handle that ends it.
    pub fn handle(&self) -> Shutdown {
        Shutdown {
            guests: Arc::clone(&self.guests),
            address: self.address.clone(),
        }
    }

    /// Accepts connections until [`Shutdown::begin`].
    pub fn run(self, handler: Arc<dyn Handler>) {
        let usher = match Usher::start(self.bounds.door.clone()) {
            Ok(usher) => Some(usher),
            Err(error) => {
                log::warn!("whoever is turned away gets no answer: {error}");
                None
            }
        };
        let bounds = Arc::new(self.bounds);
        let mut log = Rarely::default();
        while !self.guests.is_closing() {
            let (stream, peer) = match self.socket.accept() {
                Ok(accepted) => accepted,
                Err(error) => {
                    // Out of files, for example: it passes.
                    if log.may() {
                        log::warn!("no connection could be accepted: {error}");
                    }
                    thread::sleep(ACCEPT_REST);
                    continue;
                }
            };
            if self.guests.is_closing() {
                break;
            }
            let stream = Arc::new(stream);
            let received = receive(&stream, peer, &self.guests, &handler, &bounds);
            if let Err(Some(error)) = &received {
                // The next one gets the thread of whoever gives way now.
                self.guests.make_room();
                if log.may() {
                    log::warn!("no thread for a connection: {error}");
                }
            }
            if received.is_err() {
                bounds.metrics.connection_refused();
                if let Some(usher) = &usher {
                    usher.turn_away(stream);
                }
            }
        }
        if let Address::Unix(path) = &self.address
            && let Err(error) = fs::remove_file(path)
        {
            log::warn!("the socket's file could not be removed: {error}");
        }
    }
}

/// A seat and a thread for a connection.
///
/// # Errors
/// `None` where all seats are taken; what the system said where it has no thread.
fn receive(
    stream: &Arc<Stream>,
    peer: SocketAddr,
    guests: &Arc<Guests>,
    handler: &Arc<dyn Handler>,
    bounds: &Arc<Bounds>,
) -> Result<(), Option<io::Error>> {
    let Some(seat) = guests.admit(stream, peer) else {
        return Err(None);
    };
    let stream = Arc::clone(stream);
    let handler = Arc::clone(handler);
    let bounds = Arc::clone(bounds);
    let open = bounds.metrics.connection();
    thread::Builder::new()
        .name("connection".to_owned())
        .stack_size(bounds.door.stack_bytes)
        .spawn(move || {
            let _open = open;
            connection::serve(&stream, &seat, peer, handler.as_ref(), &bounds);
        })?;
    Ok(())
}

impl Shutdown {
    /// No new connections; silent ones end at once; requests in flight are answered.
    pub fn begin(&self) {
        self.guests.close();
        // The loop waits for a connection: here is one.
        if let Err(error) = self.address.wake() {
            log::debug!("waking the listener: {error}");
        }
    }

    /// Waits until every connection has ended by itself, for `wait` at most; whether all have.
    pub fn wait_for_requests(&self, wait: Duration) -> bool {
        self.guests.are_gone_within(wait)
    }

    /// Waits until every connection has ended, for `wait` at most. False: some had to be cut off.
    pub fn wait(&self, wait: Duration) -> bool {
        self.guests.wait_until_empty(wait)
    }
}
