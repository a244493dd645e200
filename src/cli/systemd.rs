//! `systemd`: prints a unit that gives the server what it needs and nothing else.

use std::path::Path;
use std::process::ExitCode;

use crate::error::Result;

/// Runs the command.
///
/// # Errors
/// Where this program's own path can't be told.
pub(super) fn run(listen: &str) -> Result<ExitCode> {
    let program = std::env::current_exe()?;
    print!("{}", unit(&program, listen));
    Ok(ExitCode::SUCCESS)
}

/// The unit. `MemoryMax` holds for the server and its reading children together: each of those limits
/// itself to 1 GiB of address space (`--read-memory-mb`), and as many as there are cores run at once.
fn unit(program: &Path, listen: &str) -> String {
    // What systemd would take for a specifier or a variable of its own.
    let plain = |text: &str| text.replace('%', "%%").replace('$', "$$");
    let program = plain(&program.display().to_string());
    let listen = plain(listen);
    let port = listen.rsplit(':').next().and_then(|port| port.parse().ok());
    // A port of the system's own needs a capability, which holds for nobody in a namespace of users.
    let (capability, private_users) = match port {
        Some(1..=1023_u16) => ("CAP_NET_BIND_SERVICE", "no"),
        Some(_) | None => ("", "yes"),
    };
    let runtime = if listen.starts_with("unix:") {
        "\nRuntimeDirectory=sheetline"
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
ExecStart="{program}" serve --db %S/sheetline/sheetline.db --listen {listen}
# Settings of your own: sheetline.toml in /var/lib/sheetline, or lines here (systemctl edit sheetline).
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

# A user and a folder of its own: /var/lib/sheetline, for nobody else to read.
DynamicUser=yes
StateDirectory=sheetline
StateDirectoryMode=0700{runtime}
WorkingDirectory=%S/sheetline
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

    #[test]
    fn a_path_with_letters_that_mean_something_to_systemd_stays_a_path() {
        let unit = unit(Path::new("/opt/50% $HOME/sheetline"), "0.0.0.0:8080");
        assert!(unit.contains("\nCapabilityBoundingSet=\n"));
        assert!(unit.contains("ExecStart=\"/opt/50%% $$HOME/sheetline\" serve "));
    }

    #[test]
    fn a_port_of_the_system_s_own_may_be_used() {
        let unit = unit(Path::new("/usr/local/bin/sheetline"), "0.0.0.0:80");
        assert!(unit.contains("\nAmbientCapabilities=CAP_NET_BIND_SERVICE\n"));
        assert!(unit.contains("\nPrivateUsers=no\n"));
    }
}
