//! Stands in for Unix sockets on systems that have none: there is never one, and wanting one is an error.

use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::path::Path;
use std::time::Duration;

pub(super) enum UnixListener {}

pub(super) enum UnixStream {}

fn none() -> io::Error {
    io::Error::new(
        io::ErrorKind::Unsupported,
        "this system has no Unix sockets; listen at an address and a port",
    )
}

impl UnixListener {
    pub(super) fn bind(_: &Path) -> io::Result<UnixListener> {
        Err(none())
    }

    pub(super) fn accept(&self) -> io::Result<(UnixStream, ())> {
        match *self {}
    }
}

impl UnixStream {
    pub(super) fn connect(_: &Path) -> io::Result<UnixStream> {
        Err(none())
    }

    pub(super) fn set_read_timeout(&self, _: Option<Duration>) -> io::Result<()> {
        match *self {}
    }

    pub(super) fn set_write_timeout(&self, _: Option<Duration>) -> io::Result<()> {
        match *self {}
    }

    pub(super) fn set_nonblocking(&self, _: bool) -> io::Result<()> {
        match *self {}
    }

    pub(super) fn shutdown(&self, _: Shutdown) -> io::Result<()> {
        match *self {}
    }
}

impl Read for &UnixStream {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        match **self {}
    }
}

impl Write for &UnixStream {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        match **self {}
    }

    fn flush(&mut self) -> io::Result<()> {
        match **self {}
    }
}
