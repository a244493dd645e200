//! The listener's types that handlers see (its sockets are to come).

use std::io::Read;
use std::net::SocketAddr;

use crate::error::{Error, Result};
use crate::words::Code;

/// One request: its head in rouille's form, its body beside it.
pub struct Incoming<'c> {
    /// The head; rouille's own body is empty.
    pub request: rouille::Request,
    pub body: Body<'c>,
    /// The other end of the TCP connection.
    pub peer: SocketAddr,
}

/// The body of a request, as a stream.
pub struct Body<'c> {
    source: Box<dyn Read + 'c>,
    declared: Option<u64>,
}

impl<'c> Body<'c> {
    /// A body that is already there; for tests and for requests made in the process.
    pub fn from_bytes(bytes: Vec<u8>) -> Body<'static> {
        Body {
            declared: u64::try_from(bytes.len()).ok(),
            source: Box::new(std::io::Cursor::new(bytes)),
        }
    }

    /// The declared length; `None` for a chunked body.
    pub fn declared(&self) -> Option<u64> {
        self.declared
    }

    /// The whole body, where it has at most `bytes_max` bytes.
    ///
    /// # Errors
    /// `too-large`, or what reading said.
    pub fn read_small(&mut self, bytes_max: usize) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let limit = u64::try_from(bytes_max).unwrap_or(u64::MAX);
        (&mut self.source).take(limit + 1).read_to_end(&mut bytes)?;
        if bytes.len() > bytes_max {
            return Err(Error::problem(Code::TooLarge, "The request is too large."));
        }
        Ok(bytes)
    }
}

#[derive(Default)]
pub struct Bounds {
    pub connections_max: usize,
    pub connections_per_address_max: usize,
    pub trusted_proxies: Vec<std::net::IpAddr>,
}
pub trait Handler: Send + Sync + 'static {
    fn handle(&self, incoming: &mut Incoming<'_>) -> rouille::Response;
}
pub struct Listener;
#[derive(Clone)]
pub struct Shutdown;
pub fn bind(_a: &str, _b: Bounds) -> std::io::Result<Listener> {
    Ok(Listener)
}
impl Listener {
    pub fn local_addr(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], 0))
    }
    pub fn handle(&self) -> Shutdown {
        Shutdown
    }
    pub fn run(self, _h: std::sync::Arc<dyn Handler>) {}
}
impl Shutdown {
    pub fn begin(&self) {}
    pub fn wait(&self, _d: std::time::Duration) -> bool {
        true
    }
}
