//! Where connections come from: TCP, or a Unix socket for a proxy on the same computer.

use std::fmt;
#[cfg(unix)]
use std::fs;
use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
#[cfg(unix)]
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
#[cfg(unix)]
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

#[cfg(not(unix))]
use super::no_unix::{UnixListener, UnixStream};

/// Connections that may wait to be accepted; the system may allow fewer.
const QUEUE: i32 = 4_096;
/// The owner and the group of a Unix socket may connect: the proxy belongs into that group.
#[cfg(unix)]
const MODE: u32 = 0o660;

/// Where a listener listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    Tcp(SocketAddr),
    /// The path of a Unix socket.
    Unix(PathBuf),
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::Tcp(address) => write!(f, "http://{address}"),
            Address::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

impl Address {
    /// Connects and hangs up: whoever waits to accept wakes up.
    pub(super) fn wake(&self) -> io::Result<()> {
        match self {
            Address::Tcp(address) => {
                let ip = match address.ip() {
                    IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
                    IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
                    ip @ (IpAddr::V4(_) | IpAddr::V6(_)) => ip,
                };
                let address = SocketAddr::new(ip, address.port());
                TcpStream::connect_timeout(&address, Duration::from_secs(1)).map(|_| ())
            }
            Address::Unix(path) => UnixStream::connect(path).map(|_| ()),
        }
    }
}

/// A socket that listens.
pub(super) enum Socket {
    Tcp(TcpListener),
    Unix(UnixListener),
}

/// Listens at `127.0.0.1:8080` or `unix:/run/sheetline/socket`.
///
/// # Errors
/// What the system said.
pub(super) fn listen(address: &str) -> io::Result<(Socket, Address)> {
    let (socket, address) = match address.strip_prefix("unix:") {
        Some(path) => {
            let path = PathBuf::from(path);
            remove_stale(&path)?;
            let socket = UnixListener::bind(&path)?;
            #[cfg(unix)]
            fs::set_permissions(&path, fs::Permissions::from_mode(MODE))?;
            (Socket::Unix(socket), Address::Unix(path))
        }
        None => {
            let socket = TcpListener::bind(address)?;
            let address = socket.local_addr()?;
            (Socket::Tcp(socket), Address::Tcp(address))
        }
    };
    // The standard library's 128 are too few: where more come at once, the kernel drops their
    // packets and each of them waits a second or more.
    let queued = match &socket {
        Socket::Tcp(socket) => rustix::net::listen(socket, QUEUE),
        #[cfg(unix)]
        Socket::Unix(socket) => rustix::net::listen(socket, QUEUE),
        #[cfg(not(unix))]
        Socket::Unix(_) => Ok(()),
    };
    if let Err(error) = queued {
        log::warn!("connections queue up as the system likes: {error}");
    }
    Ok((socket, address))
}

/// A process that died leaves its socket's file behind; one that somebody still listens at stays.
#[cfg(unix)]
fn remove_stale(path: &Path) -> io::Result<()> {
    let is_socket = fs::symlink_metadata(path).is_ok_and(|about| about.file_type().is_socket());
    if is_socket && UnixStream::connect(path).is_err() {
        fs::remove_file(path)?;
    }
    Ok(())
}

#[cfg(not(unix))]
fn remove_stale(_: &Path) -> io::Result<()> {
    Ok(())
}

impl Socket {
    /// The next connection, and its other end: that of a Unix socket counts as this computer.
    pub(super) fn accept(&self) -> io::Result<(Stream, SocketAddr)> {
        match self {
            Socket::Tcp(socket) => {
                let (stream, peer) = socket.accept()?;
                // Without it, an answer of two packets waits for the client's delayed
                // acknowledgement.
                if let Err(error) = stream.set_nodelay(true) {
                    log::debug!("TCP_NODELAY: {error}");
                }
                // An IPv4 client of an IPv6 socket is an IPv4 client.
                let peer = SocketAddr::new(peer.ip().to_canonical(), peer.port());
                Ok((Stream::Tcp(stream), peer))
            }
            Socket::Unix(socket) => {
                let (stream, _) = socket.accept()?;
                Ok((
                    Stream::Unix(stream),
                    SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
                ))
            }
        }
    }
}

/// A connection.
pub(super) enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Stream {
    pub(super) fn set_read_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        match self {
            Stream::Tcp(stream) => stream.set_read_timeout(timeout),
            Stream::Unix(stream) => stream.set_read_timeout(timeout),
        }
    }

    pub(super) fn set_write_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        match self {
            Stream::Tcp(stream) => stream.set_write_timeout(timeout),
            Stream::Unix(stream) => stream.set_write_timeout(timeout),
        }
    }

    pub(super) fn set_nonblocking(&self, nonblocking: bool) -> io::Result<()> {
        match self {
            Stream::Tcp(stream) => stream.set_nonblocking(nonblocking),
            Stream::Unix(stream) => stream.set_nonblocking(nonblocking),
        }
    }

    pub(super) fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        match self {
            Stream::Tcp(stream) => stream.shutdown(how),
            Stream::Unix(stream) => stream.shutdown(how),
        }
    }

    /// Whether the other side has ended its half of the connection or all of it, whatever it sent before
    /// and nobody has read yet. No where it can't be told.
    #[cfg(target_os = "linux")]
    pub(super) fn is_at_its_end(&self) -> bool {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};
        let mut watched = [match self {
            Stream::Tcp(stream) => PollFd::new(stream, PollFlags::RDHUP),
            Stream::Unix(stream) => PollFd::new(stream, PollFlags::RDHUP),
        }];
        let at_once = Timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        poll(&mut watched, Some(&at_once)).is_ok_and(|count| count > 0)
    }

    /// Whether the connection is over in both directions, as it is once the other side has refused something.
    #[cfg(target_os = "linux")]
    pub(super) fn is_broken(&self) -> bool {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};
        // Errors and hang-ups are told unasked.
        let mut watched = [match self {
            Stream::Tcp(stream) => PollFd::new(stream, PollFlags::empty()),
            Stream::Unix(stream) => PollFd::new(stream, PollFlags::empty()),
        }];
        let at_once = Timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        poll(&mut watched, Some(&at_once)).is_ok_and(|count| count > 0)
    }

    /// Can't be told.
    #[cfg(not(target_os = "linux"))]
    pub(super) fn is_broken(&self) -> bool {
        false
    }

    /// [`Stream::is_at_its_end`] elsewhere: seen only where nothing unread stands before the end.
    #[cfg(not(target_os = "linux"))]
    pub(super) fn is_at_its_end(&self) -> bool {
        let Stream::Tcp(stream) = self else {
            return false;
        };
        // Nobody reads or writes meanwhile: the thread that asks is the one that would.
        if stream.set_nonblocking(true).is_err() {
            return false;
        }
        let ended = match stream.peek(&mut [0; 1]) {
            Ok(size) => size == 0,
            Err(error) => error.kind() != io::ErrorKind::WouldBlock,
        };
        stream.set_nonblocking(false).is_err() || ended
    }

    /// Ends by a reset when it is dropped, where the protocol has one.
    pub(super) fn reset_when_dropped(&self) {
        match self {
            Stream::Tcp(stream) => {
                // Where it fails it has ended already.
                let _ = rustix::net::sockopt::set_socket_linger(stream, Some(Duration::ZERO));
            }
            Stream::Unix(_) => {}
        }
    }
}

impl Read for &Stream {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        match self {
            Stream::Tcp(stream) => (&mut &*stream).read(out),
            Stream::Unix(stream) => (&mut &*stream).read(out),
        }
    }
}

impl Write for &Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Stream::Tcp(stream) => (&mut &*stream).write(bytes),
            Stream::Unix(stream) => (&mut &*stream).write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
