//! What can be set, with its default and unit. The command line fills it; nothing else does.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use crate::limits::Limits;

/// What one connection may cost: bytes, and how long it is waited for.
#[derive(Debug, Clone)]
pub struct Door {
    /// Bytes of a request's head.
    pub head_bytes_max: usize,
    /// Header lines of a request.
    pub headers_max: usize,
    /// Bytes of a request's target (path and query).
    pub target_bytes_max: usize,
    /// How long a head may take from its first byte (of a new connection: from the start).
    pub head_time_max: Duration,
    /// How long a kept connection may be silent.
    pub idle_time_max: Duration,
    /// How long a body may take, whatever its size ...
    pub body_time_grace: Duration,
    /// ... and how many of its bytes allow one second more.
    pub body_bytes_per_second: u64,
    /// How long an answer may take to be taken, whatever its size ...
    pub answer_time_grace: Duration,
    /// ... and how many of its bytes allow one second more.
    pub answer_bytes_per_second: u64,
    /// After an answer to a request that was not read: how long the rest of it is thrown away, so
    /// that the client gets to see the answer.
    pub drain_time_max: Duration,
    /// The stack of a connection's thread, in bytes.
    pub stack_bytes: usize,
}

impl Default for Door {
    fn default() -> Door {
        Door {
            head_bytes_max: 64 << 10,
            headers_max: 100,
            target_bytes_max: 16 << 10,
            head_time_max: Duration::from_secs(10),
            idle_time_max: Duration::from_secs(60),
            body_time_grace: Duration::from_secs(30),
            body_bytes_per_second: 64 << 10,
            answer_time_grace: Duration::from_secs(30),
            answer_bytes_per_second: 4 << 10,
            drain_time_max: Duration::from_secs(1),
            stack_bytes: 1 << 20,
        }
    }
}

/// What bodies may hold that are no file: JSON, and the parts of a form beside its file.
#[derive(Debug, Clone)]
pub struct Bodies {
    /// Bytes of a JSON body.
    pub json_bytes_max: usize,
    /// Fields of a form beside the file.
    pub form_fields_max: usize,
    /// Bytes of a field's name.
    pub form_name_bytes_max: usize,
    /// Bytes of a field's value.
    pub form_value_bytes_max: usize,
    /// Bytes that may come at a stretch without any content: a part's headers, what stands before the
    /// first boundary and behind the last.
    pub form_overhead_bytes_max: usize,
}

impl Default for Bodies {
    fn default() -> Bodies {
        Bodies {
            json_bytes_max: 64 << 10,
            form_fields_max: 32,
            form_name_bytes_max: 100,
            form_value_bytes_max: 16 << 10,
            form_overhead_bytes_max: 64 << 10,
        }
    }
}

impl Bodies {
    /// Bytes that a form may have beside its file.
    pub fn beside_the_file(&self) -> u64 {
        let part = self.form_overhead_bytes_max + self.form_name_bytes_max;
        let parts = self.form_fields_max.saturating_add(2);
        let bytes = parts.saturating_mul(part.saturating_add(self.form_value_bytes_max));
        u64::try_from(bytes).unwrap_or(u64::MAX)
    }
}

/// An address, or all that begin with the same bits (`10.0.0.0/8`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    bits: u32,
}

impl Network {
    /// Whether the address is in it.
    pub fn holds(&self, other: IpAddr) -> bool {
        match (self.address, other.to_canonical()) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                let differ = own.to_bits() ^ other.to_bits();
                differ.leading_zeros() >= self.bits
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                let differ = own.to_bits() ^ other.to_bits();
                differ.leading_zeros() >= self.bits
            }
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }

    /// Whether it is on this computer.
    pub fn is_loopback(&self) -> bool {
        self.address.is_loopback()
    }

    fn bits_max(address: IpAddr) -> u32 {
        if address.is_ipv4() { 32 } else { 128 }
    }
}

impl From<IpAddr> for Network {
    fn from(address: IpAddr) -> Network {
        let address = address.to_canonical();
        Network {
            address,
            bits: Network::bits_max(address),
        }
    }
}

impl FromStr for Network {
    type Err = ();

    fn from_str(text: &str) -> Result<Network, ()> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let whole = Network::from(address.parse::<IpAddr>().map_err(|_| ())?);
        let Some(bits) = bits else {
            return Ok(whole);
        };
        let bits = bits.parse::<u32>().ok().filter(|bits| *bits <= whole.bits);
        Ok(Network {
            bits: bits.ok_or(())?,
            ..whole
        })
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.bits == Network::bits_max(self.address) {
            self.address.fmt(f)
        } else {
            write!(f, "{}/{}", self.address, self.bits)
        }
    }
}

/// The settings of a running server.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The database file.
    pub db: PathBuf,
    /// Address and port to listen at; port 0 takes a free one.
    pub listen: String,
    /// The address under which people reach the server, where a proxy or a name stands before it.
    pub public_url: Option<String>,
    /// Proxies whose `X-Forwarded-*` headers are believed.
    pub trusted_proxies: Vec<Network>,
    /// Connections open at once.
    pub connections_max: usize,
    /// Of those from one address.
    pub connections_per_address_max: usize,
    /// What one connection may cost.
    pub door: Door,
    /// What bodies may hold beside a file.
    pub bodies: Bodies,
    /// Threads that work on jobs.
    pub workers: usize,
    /// Bytes of an uploaded file.
    pub upload_bytes_max: u64,
    /// How long a session lasts after its last request.
    pub session_ttl: Duration,
    /// How long a session lasts at most.
    pub session_max: Duration,
    /// How long a job may be processed.
    pub stale_after: Duration,
    /// How often the scheduler looks.
    pub sweep_every: Duration,
    /// How long work waits before it tries again what the database or the disk refused.
    pub trouble_wait: Duration,
    /// How long an undoing waits for an import into the same list.
    pub undo_wait: Duration,
    /// After how many days finished uploads are purged; 0 is never.
    pub retain_days: u32,
    /// Another program (Litestream) replicates the database and moves its write-ahead log home.
    pub replicated: bool,
    /// The bounds of reading a file.
    pub limits: Limits,
    /// The program that reads files as a child process; normally this program itself.
    pub executable: PathBuf,
}

impl Settings {
    /// The defaults, with the database at `db`.
    pub fn new(db: PathBuf) -> Settings {
        Settings {
            db,
            listen: "127.0.0.1:8080".to_owned(),
            public_url: None,
            trusted_proxies: Vec::new(),
            connections_max: 4_096,
            connections_per_address_max: 1_024,
            bodies: Bodies::default(),
            door: Door::default(),
            workers: 1,
            upload_bytes_max: 64 << 20,
            session_ttl: Duration::from_secs(86_400),
            session_max: Duration::from_secs(30 * 86_400),
            stale_after: Duration::from_secs(1_800),
            sweep_every: Duration::from_secs(300),
            trouble_wait: Duration::from_millis(500),
            undo_wait: Duration::from_secs(10),
            retain_days: 0,
            replicated: false,
            limits: Limits::default(),
            executable: this_program(),
        }
    }

    /// How late the extension of a session may be written: the smaller of 60 s and a tenth of its
    /// lifetime.
    pub fn session_write_late_max(&self) -> Duration {
        (self.session_ttl / 10).min(Duration::from_secs(60))
    }

    /// Where uploads lie while they are received: beside the database, on the same disk.
    pub fn spool(&self) -> PathBuf {
        let mut name = self.db.clone().into_os_string();
        name.push("-spool");
        PathBuf::from(name)
    }
}

/// This program's own file. Linux has a name for it that stays right when the file is replaced
/// while the program runs.
pub fn this_program() -> PathBuf {
    if cfg!(target_os = "linux") {
        PathBuf::from("/proc/self/exe")
    } else {
        std::env::current_exe().unwrap_or_else(|_| PathBuf::from("sheetline"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_holds_what_begins_with_its_bits() {
        for (network, inside, outside) in [
            ("127.0.0.1", "127.0.0.1", "127.0.0.2"),
            ("127.0.0.1", "::ffff:127.0.0.1", "::1"),
            ("172.16.0.0/12", "172.31.255.255", "172.32.0.0"),
            ("10.1.2.3/24", "10.1.2.99", "10.1.3.3"),
            ("fd00::/8", "fdff::1", "fe80::1"),
            ("0.0.0.0/0", "192.0.2.1", "::1"),
        ] {
            let read: Network = network.parse().unwrap();
            assert_eq!(read.to_string(), network);
            assert!(read.holds(inside.parse().unwrap()), "{network} {inside}");
            assert!(!read.holds(outside.parse().unwrap()), "{network} {outside}");
        }
        for wrong in [
            "",
            "a",
            "10.0.0.0/33",
            "10.0.0.0/",
            "/8",
            "10.0.0.0/-1",
            "10.0.0.1:80",
        ] {
            assert!(wrong.parse::<Network>().is_err(), "{wrong}");
        }
    }
}
