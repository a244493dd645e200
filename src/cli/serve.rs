//! `serve`: the server, until it is told to stop.

use std::fs;
use std::io::Write;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::{ArgAction, Args, CommandFactory};

use super::{check, config, door, limits, log as log_setup, signals, values};
use crate::accounts;
use crate::app::App;
use crate::db::{Db, emptied, lock};
use crate::error::{Error, Result};
use crate::server::Address;
use crate::server::Server;
use crate::settings::{Network, Settings};
use crate::words::Code;

/// The settings of the server.
#[derive(Debug, Clone, Args)]
pub struct Flags {
    /// The database file; it is made where it is missing
    #[arg(
        long,
        env = "SHEETLINE_DB",
        default_value = "sheetline.db",
        value_name = "FILE"
    )]
    db: PathBuf,
    /// Address and port (port 0 takes a free one and prints it), or unix:PATH for a proxy
    #[arg(
        long,
        env = "SHEETLINE_LISTEN",
        default_value = "127.0.0.1:8080",
        value_name = "ADDR:PORT",
        value_parser = values::address
    )]
    listen: String,
    /// Threads that work on jobs; claiming stays first come, first served
    #[arg(long, env = "SHEETLINE_WORKERS", default_value_t = 1, value_name = "N", value_parser = values::whole::<usize>(1..=64))]
    workers: usize,
    /// Larger uploads get 413
    #[arg(
        long,
        env = "SHEETLINE_MAX_UPLOAD_MB",
        default_value_t = 64,
        value_name = "N",
        value_parser = values::whole::<u64>(1..=1_048_576)
    )]
    max_upload_mb: u64,
    /// Seconds that a session lasts after its last request
    #[arg(
        long,
        env = "SHEETLINE_SESSION_TTL",
        default_value_t = 86_400,
        value_name = "SECONDS",
        value_parser = values::whole::<u64>(1..=315_360_000)
    )]
    session_ttl: u64,
    /// Seconds that a session lasts at most
    #[arg(long, env = "SHEETLINE_SESSION_MAX", default_value_t = 30 * 86_400, value_name = "SECONDS",
          value_parser = values::whole::<u64>(1..=315_360_000))]
    session_max: u64,
    /// Seconds after which a job that is still processing is stopped
    #[arg(
        long,
        env = "SHEETLINE_STALE_AFTER",
        default_value_t = 1_800,
        value_name = "SECONDS",
        value_parser = values::whole::<u64>(1..=31_536_000)
    )]
    stale_after: u64,
    /// Seconds between two rounds of the scheduler
    #[arg(
        long,
        env = "SHEETLINE_SWEEP_EVERY",
        default_value_t = 300,
        value_name = "SECONDS",
        value_parser = values::whole::<u64>(1..=86_400)
    )]
    sweep_every: u64,
    /// Purge finished uploads older than this many days; 0 keeps them for ever
    #[arg(
        long,
        env = "SHEETLINE_RETAIN_DAYS",
        default_value_t = 0,
        value_name = "N",
        value_parser = values::whole::<u32>(0..=36_500)
    )]
    retain_days: u32,
    /// Connections open at once
    #[arg(
        long,
        env = "SHEETLINE_MAX_CONNECTIONS",
        default_value_t = 4_096,
        value_name = "N",
        value_parser = values::whole::<usize>(1..=1_000_000)
    )]
    max_connections: usize,
    /// Litestream replicates the database: leave its write-ahead log to it
    #[arg(long, env = "SHEETLINE_REPLICATED", value_name = "BOOL", action = ArgAction::Set,
          value_parser = values::yes_or_no,
          num_args = 0..=1, default_value = "false", default_missing_value = "true")]
    replicated: bool,
    /// The address under which people reach the server, where a proxy stands before it
    #[arg(long, env = "SHEETLINE_PUBLIC_URL", value_name = "URL", value_parser = values::public_url)]
    public_url: Option<String>,
    /// A proxy, or a network of them (10.0.0.0/8), whose X-Forwarded-* headers are believed; may be given several times
    #[arg(long, env = "SHEETLINE_TRUSTED_PROXY", value_name = "ADDR", action = ArgAction::Append,
          value_delimiter = ',', value_parser = values::network)]
    trusted_proxy: Vec<Network>,
    #[command(flatten)]
    door: door::Flags,
    #[command(flatten)]
    limits: limits::Flags,
    #[command(flatten)]
    log: log_setup::Flags,
}

impl Flags {
    pub(super) fn settings(&self) -> Settings {
        let seconds = Duration::from_secs;
        let mut settings = Settings::new(self.db.clone());
        settings.listen = self.listen.clone();
        settings.workers = self.workers;
        settings.upload_bytes_max = self.max_upload_mb << 20;
        settings.session_ttl = seconds(self.session_ttl);
        settings.session_max = seconds(self.session_max);
        settings.stale_after = seconds(self.stale_after);
        settings.sweep_every = seconds(self.sweep_every);
        settings.retain_days = self.retain_days;
        settings.replicated = self.replicated;
        settings.connections_max = self.max_connections;
        settings.connections_per_address_max = self.door.per_address(settings.connections_max);
        settings.door = self.door.door();
        settings.bodies = self.door.bodies();
        settings.public_url = self.public_url.clone();
        settings.trusted_proxies = self.trusted_proxy.clone();
        settings.limits = self.limits.limits();
        settings
    }
}

/// Runs the command until SIGTERM or Ctrl-C.
///
/// # Errors
/// Where the server can't start.
pub fn run(flags: &Flags) -> Result<ExitCode> {
    let mut settings = flags.settings();
    log_setup::start(&flags.log)?;
    for stranger in config::strangers(&super::Cli::command(), config::variables())? {
        log::warn!("{stranger}");
    }
    // Before anything else, so that a signal during the start is not lost.
    let mut signals = signals::Signals::new()?;
    if let Some(folder) = settings.db.parent()
        && !folder.as_os_str().is_empty()
        && !folder.is_dir()
    {
        return Err(Error::problem(
            Code::BadRequest,
            format!(
                "There is no folder {}. Make it, or name another file with --db.",
                folder.display()
            ),
        ));
    }
    settings.db = lock::real(&settings.db)?;
    emptied::refuse_remains(&settings.db)?;
    let new = !settings.db.exists() || emptied::is_empty(&settings.db);
    let lock = lock::take(&settings.db)?;
    Db::prepare(&settings.db, &lock)?;
    let app = Arc::new(App::open(settings, super::clock())?);
    lock.mark();
    check::warn_of_place(&app.settings.db);
    super::user::unattended(&app.db)?;
    let setup = app.accounts.begin_setup(&app.db)?;
    let server = Server::start(Arc::clone(&app))?;
    let announced = announce(&app, &server, new, setup.as_deref());
    if let Err(error) = announced {
        log::warn!("the address could not be printed: {error}");
    }
    let signal = signals.wait();
    log::info!("stopping (signal {signal})");
    let code_file = accounts::code_file(&app.settings.db);
    let quiet = server.stop();
    if code_file.exists() {
        // A code is of no use without the process that made it.
        let _ = fs::remove_file(code_file);
    }
    log::info!(
        "stopped{}",
        if quiet {
            ""
        } else {
            ", though not everything had ended"
        }
    );
    Ok(ExitCode::SUCCESS)
}

/// The address alone on a line, for scripts; the rest for people.
fn announce(app: &App, server: &Server, new: bool, setup: Option<&str>) -> std::io::Result<()> {
    let address = server.address();
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "sheetline {}   database {}{}",
        env!("CARGO_PKG_VERSION"),
        app.settings.db.display(),
        if new { " (new)" } else { "" }
    )?;
    match address {
        Address::Tcp(address) => announce_tcp(*address, &mut out)?,
        Address::Unix(path) => writeln!(out, "  For a proxy     unix:{}", path.display())?,
    }
    if let Some(url) = &app.settings.public_url {
        writeln!(out, "  Known as        {url}")?;
    }
    if let Some(code) = setup {
        announce_setup(app, address, code, &mut out)?;
    }
    writeln!(out, "listening on {address}")?;
    out.flush()
}

fn announce_tcp(address: SocketAddr, out: &mut impl Write) -> std::io::Result<()> {
    writeln!(out, "  This computer   http://{}", reachable(address))?;
    let network = match (address.ip().is_loopback(), own_address()) {
        (false, Some(own)) if address.ip().is_unspecified() => {
            format!("http://{}", SocketAddr::new(own, address.port()))
        }
        (false, _) => format!("http://{address}"),
        (true, own) => {
            let port = address.port();
            let then = own
                .map(|own| format!("  ->  http://{}", SocketAddr::new(own, port)))
                .unwrap_or_default();
            format!("not reachable. To open it: --listen 0.0.0.0:{port}{then}")
        }
    };
    writeln!(out, "  Office network  {network}")
}

fn announce_setup(
    app: &App,
    address: &Address,
    code: &str,
    out: &mut impl Write,
) -> std::io::Result<()> {
    let file = accounts::code_file(&app.settings.db);
    let kept = write_private(&file, code).is_ok();
    let base = app
        .settings
        .public_url
        .clone()
        .unwrap_or_else(|| match address {
            Address::Tcp(address) => format!("http://{}", reachable(*address)),
            Address::Unix(_) => "http://localhost".to_owned(),
        });
    let base = base.trim_end_matches('/');
    writeln!(
        out,
        "  SETUP  no users yet. Open this link:  {base}/#setup={code}"
    )?;
    writeln!(
        out,
        "         or open the page and enter this code:  {code}"
    )?;
    if kept {
        writeln!(
            out,
            "         (also in {}, valid 60 minutes, one use)",
            file.display()
        )?;
    }
    writeln!(out, "         or run:  sheetline user add --admin NAME")
}

/// This computer's address in the office's network. Nothing is sent: "connecting" a UDP socket only
/// asks the system which way it would go.
fn own_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    // TEST-NET-1 of RFC 5737: an address that is nobody's.
    socket.connect("192.0.2.1:9").ok()?;
    let address = socket.local_addr().ok()?.ip();
    (!address.is_loopback() && !address.is_unspecified()).then_some(address)
}

/// An address that a browser on this machine can open: 0.0.0.0 is none.
fn reachable(address: SocketAddr) -> String {
    if address.ip().is_unspecified() {
        format!("127.0.0.1:{}", address.port())
    } else {
        address.to_string()
    }
}

fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    if path.exists() {
        fs::remove_file(path)?;
    }
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options
        .open(path)?
        .write_all(format!("{text}\n").as_bytes())
}
