//! The listener: sockets in, rouille's requests out; limits, deadlines and an orderly end.

mod answer;
mod body;
pub mod chunked;
mod connection;
mod files;
mod guests;
pub mod head;
mod inbox;
mod usher;

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use rouille::Response;

pub use body::Body;
use guests::Guests;
use usher::Usher;

use crate::metrics::Metrics;
use crate::settings::Door;

/// Connections that may wait to be accepted; the system may allow fewer.
const QUEUE: i32 = 4_096;
/// How long the loop rests when the system gives it no connection.
const ACCEPT_REST: Duration = Duration::from_millis(50);

/// One request: its head in rouille's form, its body beside it.
pub struct Incoming<'c> {
    /// The head; rouille's own body is empty.
    pub request: rouille::Request,
    pub body: Body<'c>,
    /// The other end of the TCP connection.
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
    pub trusted_proxies: Vec<IpAddr>,
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
    socket: TcpListener,
    address: SocketAddr,
    bounds: Bounds,
    guests: Arc<Guests>,
}

/// Ends a listener.
#[derive(Clone)]
pub struct Shutdown {
    guests: Arc<Guests>,
    address: SocketAddr,
}

/// Listens at an address such as `127.0.0.1:8080`; port 0 takes a free one.
///
/// # Errors
/// What the system said.
pub fn bind(address: &str, bounds: Bounds) -> io::Result<Listener> {
    let socket = TcpListener::bind(address)?;
    // The standard library's 128 are too few: where more come at once, the kernel drops their
    // packets and each of them waits a second or more.
    if let Err(error) = rustix::net::listen(&socket, QUEUE) {
        log::warn!("connections queue up as the system likes: {error}");
    }
    let address = socket.local_addr()?;
    let possible = files::connections_possible();
    if possible < bounds.connections_max {
        log::warn!(
            "the system allows {possible} connections at once, not {}",
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
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// The handle that ends it.
    pub fn handle(&self) -> Shutdown {
        Shutdown {
            guests: Arc::clone(&self.guests),
            address: self.address,
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
        while !self.guests.is_closing() {
            let (stream, peer) = match self.socket.accept() {
                Ok(accepted) => accepted,
                Err(error) => {
                    // Out of files, for example: it passes.
                    log::warn!("no connection could be accepted: {error}");
                    thread::sleep(ACCEPT_REST);
                    continue;
                }
            };
            if self.guests.is_closing() {
                break;
            }
            let stream = Arc::new(stream);
            if !receive(&stream, plain(peer), &self.guests, &handler, &bounds) {
                bounds.metrics.connection_refused();
                if let Some(usher) = &usher {
                    usher.turn_away(stream);
                }
            }
        }
    }
}

/// A seat and a thread for a connection, where both are to be had.
fn receive(
    stream: &Arc<TcpStream>,
    peer: SocketAddr,
    guests: &Arc<Guests>,
    handler: &Arc<dyn Handler>,
    bounds: &Arc<Bounds>,
) -> bool {
    let Some(seat) = guests.admit(stream, peer) else {
        return false;
    };
    let stream = Arc::clone(stream);
    let handler = Arc::clone(handler);
    let bounds = Arc::clone(bounds);
    let open = bounds.metrics.connection();
    let spawned = thread::Builder::new()
        .name("connection".to_owned())
        .stack_size(bounds.door.stack_bytes)
        .spawn(move || {
            let _open = open;
            connection::serve(&stream, &seat, peer, handler.as_ref(), &bounds.door);
        });
    if let Err(error) = &spawned {
        log::warn!("no thread for a connection: {error}");
    }
    spawned.is_ok()
}

/// An IPv4 client of an IPv6 socket is an IPv4 client.
fn plain(peer: SocketAddr) -> SocketAddr {
    SocketAddr::new(peer.ip().to_canonical(), peer.port())
}

impl Shutdown {
    /// No new connections; silent ones end at once; requests in flight are answered.
    pub fn begin(&self) {
        self.guests.close();
        // The loop waits for a connection: here is one.
        let ip = match self.address.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
            ip @ (IpAddr::V4(_) | IpAddr::V6(_)) => ip,
        };
        let wake = SocketAddr::new(ip, self.address.port());
        if let Err(error) = TcpStream::connect_timeout(&wake, Duration::from_secs(1)) {
            log::debug!("waking the listener: {error}");
        }
    }

    /// Waits until every connection has ended, for `wait` at most. False: some had to be cut off.
    pub fn wait(&self, wait: Duration) -> bool {
        self.guests.wait_until_empty(wait)
    }
}
