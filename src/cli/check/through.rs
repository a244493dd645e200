//! What really comes through a proxy: how large an upload may be, and what the server gets to know of
//! whoever sends it.

use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use super::Finding;
use crate::cli::ask::{self, Answer, Request};
use crate::error::Result;
use crate::settings::Settings;

/// The route that takes a body of any size and throws it away.
const SINK: &str = "/api/admin/sink";

/// How long one body may take.
const WAIT: Duration = Duration::from_secs(120);

/// The limit is told to this many bytes.
const PRECISION: u64 = 64 << 10;

const MIB: u64 = 1 << 20;

/// How a body fared.
enum Fate {
    Arrived,
    /// Somebody on the way refused it.
    Stopped(String),
}

pub(super) fn all(
    url: &str,
    token_file: Option<&Path>,
    ca: Option<&Path>,
    settings: &Settings,
) -> Vec<Finding> {
    let token = match token_file.map(fs::read_to_string) {
        Some(Ok(token)) => token.trim().to_owned(),
        Some(Err(error)) => {
            return vec![Finding::problem(
                "through",
                format!("the file with the token can't be read ({error})"),
                "name another one with --token-file",
            )];
        }
        None => {
            return vec![Finding::problem(
                "through",
                "--through needs an administrator's API token",
                "make one on the page under Profile, write it into a file that only you can read, and name that with --token-file",
            )];
        }
    };
    let send = |bytes: u64| {
        ask::ask(&Request {
            base: url,
            path: SINK,
            host: None,
            token: Some(&token),
            body: Some(bytes),
            wait: WAIT,
            ca,
        })
    };
    let first = match send(1) {
        Err(error) => {
            let said = crate::cli::plain(&error);
            let next = ask::next_step(&said);
            return vec![Finding::problem("through", said, next)];
        }
        Ok(answer) if answer.status == 200 => answer.body.unwrap_or_default(),
        Ok(answer) => return vec![refused(url, &answer)],
    };
    let most = first["limit"].as_u64().unwrap_or(settings.upload_bytes_max);
    vec![
        seen(url, &first["seen"]),
        figures(url, ca),
        largest(most, |bytes| fate(send(bytes))),
    ]
}

fn fate(sent: Result<Answer>) -> Fate {
    match sent {
        Ok(answer) if answer.status == 200 => Fate::Arrived,
        Ok(answer) => Fate::Stopped(format!("answers {}", answer.status)),
        Err(error) => Fate::Stopped(format!("gives no answer ({})", crate::cli::plain(&error))),
    }
}

fn refused(url: &str, answer: &Answer) -> Finding {
    let detail = answer
        .body
        .as_ref()
        .and_then(|body| body["detail"].as_str())
        .unwrap_or("and that does not come from Sheetline");
    Finding::problem(
        "through",
        format!("{url} answers {}: {detail}", answer.status),
        match answer.status {
            401 | 403 => "the token must be an administrator's, and not be revoked",
            502..=504 => "the proxy does not reach the server: look at its log, and at --listen",
            _ => "look whether the address leads to this server",
        },
    )
}

/// Whether strangers see `/metrics`: a proxy that hides where requests come from makes everybody look like
/// somebody on this computer.
fn figures(url: &str, ca: Option<&Path>) -> Finding {
    let own = url.split_once("://").map_or("", |(_, rest)| rest);
    let is_here = ["127.", "localhost", "[::1]"]
        .iter()
        .any(|name| own.starts_with(name));
    let asked = ask::ask(&Request {
        base: url,
        path: "/metrics",
        // The server opens them to whoever asks for this computer, as this check may do.
        host: is_here.then_some("sheetline.invalid"),
        token: None,
        body: None,
        wait: WAIT,
        ca,
    });
    match asked {
        // Some proxies answer 200 with nothing where they know no such host.
        Ok(answer) if answer.status == 200 && answer.text.contains("sheetline_") => {
            Finding::problem(
                "through",
                format!(
                    "everybody can read the figures at {url}/metrics: the proxy sends neither the name that was asked for nor X-Forwarded-For"
                ),
                "let the proxy send both, or refuse /metrics (docs/office.md shows how)",
            )
        }
        Ok(_) => Finding::sound("through", "figures (/metrics) are not told to strangers"),
        Err(error) => Finding::problem(
            "through",
            crate::cli::plain(&error),
            "look into the proxy's log",
        ),
    }
}

/// What the server says of how the request came to it.
fn seen(url: &str, seen: &Value) -> Finding {
    let peer = seen["peer"].as_str().unwrap_or("?");
    let is = |name: &str| seen[name] == Value::Bool(true);
    if is("forwarded") && !is("peer_trusted") {
        return Finding::problem(
            "through",
            format!("the proxy at {peer} says who sends a request, but it is not believed"),
            format!("start the server with --trusted-proxy {peer}"),
        );
    }
    if url.starts_with("https://") && !is("https") {
        return Finding::problem(
            "through",
            "requests come by https, but the server does not know: its cookie is not marked Secure",
            "let the proxy send X-Forwarded-Proto, and start with --trusted-proxy and --public-url",
        );
    }
    if is("peer_trusted") && !is("forwarded") {
        return Finding::problem(
            "through",
            "the proxy does not say whose request it hands on: all people have its address, and share one limit of wrong passwords",
            "let the proxy send X-Forwarded-For",
        );
    }
    Finding::sound(
        "through",
        format!(
            "the server sees requests through {url} come from {}, by {}",
            seen["address"].as_str().unwrap_or("?"),
            if is("https") { "https" } else { "http" }
        ),
    )
}

/// Doubles the size until a body is stopped or is as large as the server takes, then halves the gap.
fn largest(most: u64, send: impl Fn(u64) -> Fate) -> Finding {
    let (mut passed, mut size) = (1, MIB.min(most));
    let (mut stopped, mut how) = loop {
        match send(size) {
            Fate::Stopped(how) => break (size, how),
            Fate::Arrived if size >= most => {
                return Finding::sound(
                    "through",
                    format!(
                        "uploads of {} MiB, the server's own limit, come through",
                        most / MIB
                    ),
                );
            }
            Fate::Arrived => {
                passed = size;
                size = size.saturating_mul(2).min(most);
            }
        }
    };
    while stopped - passed > PRECISION {
        let middle = passed + (stopped - passed) / 2;
        match send(middle) {
            Fate::Arrived => passed = middle,
            Fate::Stopped(said) => (stopped, how) = (middle, said),
        }
    }
    Finding::problem(
        "through",
        format!(
            "uploads over {} KiB are stopped on the way, which {how}; the server takes {} MiB",
            passed / 1024,
            most / MIB
        ),
        format!(
            "raise the proxy's limit above {} MiB (nginx: client_max_body_size; Apache: LimitRequestBody; Caddy: request_body max_size; IIS: maxAllowedContentLength), or lower --max-upload-mb",
            most / MIB + 1
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxy(limit: u64) -> impl Fn(u64) -> Fate {
        move |bytes| {
            if bytes > limit {
                Fate::Stopped("answers 413".to_owned())
            } else {
                Fate::Arrived
            }
        }
    }

    #[test]
    fn a_limit_is_found_to_64_kib_wherever_it_is() {
        for limit in [1, 70_000, MIB, 10_000_000, 63 * MIB] {
            let found = largest(64 * MIB, proxy(limit));
            assert!(!found.sound);
            let told: u64 = found.said.split(' ').nth(2).unwrap().parse().unwrap();
            assert!(
                told * 1024 <= limit && limit - told * 1024 <= PRECISION + 1024,
                "{limit} {told}"
            );
        }
        assert!(largest(64 * MIB, proxy(64 * MIB)).sound);
        assert!(largest(1, proxy(64 * MIB)).sound);
    }
}
