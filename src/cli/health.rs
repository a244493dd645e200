//! `health`: one line and an exit status, for service managers and containers.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use super::ask::{self, Request};
use crate::error::Result;

/// How long the server may take.
const WAIT: Duration = Duration::from_secs(5);

/// Runs the command: exit status 0 where the server can do its work, 1 where it can't or does not answer.
///
/// # Errors
/// None; what is wrong is printed.
pub(super) fn run(url: Option<&str>, listen: &str, ca: Option<&Path>) -> Result<ExitCode> {
    let base = url.map_or_else(|| base_of(listen), str::to_owned);
    let asked = ask::ask(&Request {
        base: &base,
        path: "/api/health",
        host: None,
        token: None,
        body: None,
        wait: WAIT,
        ca,
    });
    let (well, line) = match asked {
        Err(error) => {
            let said = super::plain(&error);
            let next = url.map_or_else(String::new, |_| format!(" -> {}", ask::next_step(&said)));
            (false, said + &next)
        }
        Ok(answer) => {
            let body = answer.body.unwrap_or_default();
            let status = body.get("status").and_then(|status| status.as_str());
            match status {
                Some(status) => (
                    answer.status == 200,
                    format!(
                        "{status}: {} waiting, {} in work, version {}",
                        body["queue"]["pending"],
                        body["queue"]["processing"],
                        body["version"].as_str().unwrap_or("?")
                    ),
                ),
                None => (
                    false,
                    format!("{base} answers {}, but it is no Sheetline.", answer.status),
                ),
            }
        }
    };
    super::out::line(line)?;
    Ok(ExitCode::from(u8::from(!well)))
}

/// How a server that listens there is reached from this machine.
pub(super) fn base_of(listen: &str) -> String {
    if listen.starts_with("unix:") {
        return listen.to_owned();
    }
    let here = listen
        .replace("0.0.0.0:", "127.0.0.1:")
        .replace("[::]:", "[::1]:");
    format!("http://{here}")
}
