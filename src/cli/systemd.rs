//! `systemd`: prints a unit that gives the server what it needs and nothing else.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{ArgAction, Args};

use super::{out, values};
use crate::error::Result;
use crate::settings::Network;

/// What goes into the unit's command line; everything else that can be set belongs into a file.
#[derive(Debug, Clone, Args)]
#[group(skip)] // its name would be that of others
pub(super) struct Flags {
    /// Where the server is to listen
    #[arg(long, env = "SHEETLINE_LISTEN", default_value = "127.0.0.1:8080", value_name = "ADDR:PORT",
          value_parser = values::address)]
    listen: String,
    /// The database file; without it one in the service's own folder, /var/lib/sheetline
    #[arg(long, value_name = "FILE")]
    db: Option<PathBuf>,
    /// The address under which people reach the server, where a proxy stands before it
    #[arg(long, env = "SHEETLINE_PUBLIC_URL", value_name = "URL", value_parser = values::public_url)]
    public_url: Option<String>,
    /// A proxy, or a network of them (10.0.0.0/8), whose X-Forwarded-* headers are believed; may be given several times
    #[arg(long, env = "SHEETLINE_TRUSTED_PROXY", value_name = "ADDR", action = ArgAction::Append,
          value_delimiter = ',', value_parser = values::network)]
    trusted_proxy: Vec<Network>,
}

/// Runs the command.
///
/// # Errors
/// Where this program's own path can't be told.
pub(super) fn run(flags: &Flags) -> Result<ExitCode> {
    let program = std::env::current_exe()?;
    out::text(unit(&program, flags))?;
    Ok(ExitCode::SUCCESS)
}

/// The unit. `MemoryMax` holds for the server and its reading children together: each of those limits
/// itself to 1 GiB of address space (`--read-memory-mb`), and as many as there are cores run at once.
fn unit(program: &Path, flags: &Flags) -> String {
    // What systemd would take for a specifier or a variable of its own.
    let plain = |text: &str| text.replace('%', "%%").replace('$', "$$");
    let program = plain(&program.display().to_string());
    let listen = plain(&flags.listen);
    let mut more = String::new();
    if let Some(url) = &flags.public_url {
        more.push_str(&format!(" --public-url {}", plain(url)));
    }
    for proxy in &flags.trusted_proxy {
        more.push_str(&format!(" --trusted-proxy {proxy}"));
    }
    let by_socket = listen.starts_with("unix:");
    let (db, identity) = match &flags.db {
        None if by_socket => (
            "%S/sheetline/sheetline.db".to_owned(),
            "# A user and group that stay, so that the proxy's user can be put into the group: it reaches the socket by it.\n\
             # useradd --system --user-group sheetline && usermod -aG sheetline www-data (nginx; `caddy` for Caddy), then restart the proxy.\n\
             User=sheetline\nGroup=sheetline\nStateDirectory=sheetline\nStateDirectoryMode=0700\n\
             WorkingDirectory=%S/sheetline"
                .to_owned(),
        ),
        None => (
            "%S/sheetline/sheetline.db".to_owned(),
            "# A user and a folder of its own: /var/lib/sheetline, for nobody else to read.\n\
             DynamicUser=yes\nStateDirectory=sheetline\nStateDirectoryMode=0700\n\
             WorkingDirectory=%S/sheetline"
                .to_owned(),
        ),
        Some(db) => {
            let db = std::path::absolute(db).unwrap_or_else(|_| db.clone());
            let folder = db.parent().unwrap_or(Path::new("/")).display().to_string();
            let folder = plain(&folder);
            (
                format!("\"{}\"", plain(&db.display().to_string())),
                format!(
                    "# The folder must be this user's: useradd --system --user-group sheetline, then\n\
                     # install -d -o sheetline -g sheetline -m 700 {folder}\n\
                     User=sheetline\nGroup=sheetline\nReadWritePaths={folder}\nWorkingDirectory={folder}"
                ),
            )
        }
    };
    let port = listen.rsplit(':').next().and_then(|port| port.parse().ok());
    // A port of the system's own needs a capability, which holds for nobody in a namespace of users.
    let (capability, private_users) = match port {
        Some(1..=1023_u16) => ("CAP_NET_BIND_SERVICE", "no"),
        Some(_) | None => ("", "yes"),
    };
    let runtime = if by_socket {
        // For whoever may pass to the socket in it, which is for the group alone.
        "\nRuntimeDirectory=sheetline\nRuntimeDirectoryMode=0755"
    } else {
        ""
    };
    format!(
        r#"# {path}: sheetline systemd > {path}
[Unit]
Description=Sheetline: spreadsheets in, clean records out
After=network-online.target
Wants=network-online.target

[Service]
Type=exec
ExecStart="{program}" serve --db {db} --listen {listen}{more}
# Settings of your own: sheetline.toml in WorkingDirectory, or lines here (systemctl edit sheetline).
#Environment=SHEETLINE_PUBLIC_URL=https://sheets.example.org SHEETLINE_TRUSTED_PROXY=127.0.0.1
Restart=on-failure
RestartSec=2
# It stops in less than 5 seconds; a job in work goes back into the queue.
TimeoutStopSec=10
# A reading child that needs too much memory ends alone.
OOMPolicy=continue
MemoryMax=3G
TasksMax=9000
LimitNOFILE=16384

{identity}{runtime}
UMask=0077

# It reads its own program, writes its own folder, talks to the network, and starts itself as a reader.
NoNewPrivileges=yes
CapabilityBoundingSet={capability}
AmbientCapabilities={capability}
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
PrivateUsers={private_users}
ProtectClock=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectControlGroups=yes
ProtectProc=invisible
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RemoveIPC=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged
SystemCallErrorNumber=EPERM

[Install]
WantedBy=multi-user.target
"#,
        path = "/etc/systemd/system/sheetline.service"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flags(listen: &str) -> Flags {
        Flags {
            listen: listen.to_owned(),
            db: None,
            public_url: None,
            trusted_proxy: Vec::new(),
        }
    }

    #[test]
    fn a_path_with_letters_that_mean_something_to_systemd_stays_a_path() {
        let unit = unit(
            Path::new("/opt/50% $HOME/sheetline"),
            &flags("0.0.0.0:8080"),
        );
        assert!(unit.contains("\nCapabilityBoundingSet=\n"));
        assert!(unit.contains("ExecStart=\"/opt/50%% $$HOME/sheetline\" serve "));
    }

    #[test]
    fn a_port_of_the_system_s_own_may_be_used() {
        let unit = unit(Path::new("/usr/local/bin/sheetline"), &flags("0.0.0.0:80"));
        assert!(unit.contains("\nAmbientCapabilities=CAP_NET_BIND_SERVICE\n"));
        assert!(unit.contains("\nPrivateUsers=no\n"));
    }

    #[test]
    fn the_group_of_a_socket_is_one_that_a_proxy_can_be_put_into() {
        let socket = "unix:/run/sheetline/socket";
        let unit = unit(Path::new("/usr/local/bin/sheetline"), &flags(socket));
        assert!(unit.contains("\nGroup=sheetline\n") && !unit.contains("DynamicUser"));
        assert!(unit.contains("usermod -aG sheetline www-data"));
        assert!(unit.contains("\nStateDirectory=sheetline\n"));
        assert!(unit.contains("\nRuntimeDirectory=sheetline\n"));
    }

    #[test]
    fn what_stands_before_the_server_and_where_its_database_lies_can_be_told() {
        let flags = Flags {
            db: Some("/srv/office/a.db".into()),
            public_url: Some("https://a.example".to_owned()),
            trusted_proxy: vec!["127.0.0.1".parse().unwrap()],
            ..flags("127.0.0.1:8080")
        };
        let unit = unit(Path::new("/usr/local/bin/sheetline"), &flags);
        assert!(unit.contains(
            " serve --db \"/srv/office/a.db\" --listen 127.0.0.1:8080 --public-url https://a.example --trusted-proxy 127.0.0.1\n"
        ));
        assert!(unit.contains("\nReadWritePaths=/srv/office\n") && !unit.contains("DynamicUser"));
    }
}
