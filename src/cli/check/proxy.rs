//! Do the settings for a proxy fit each other.

use std::net::SocketAddr;

use super::Finding;
use crate::settings::Settings;

/// What the settings alone tell; `--through` tells what really comes through.
pub(super) fn settings(settings: &Settings) -> Vec<Finding> {
    let url = settings.public_url.as_deref();
    let trusted = &settings.trusted_proxies;
    let mut found = Vec::new();
    if let Some(url) = url
        && !url.starts_with("http://")
        && !url.starts_with("https://")
    {
        found.push(Finding::problem(
            "proxy",
            format!("--public-url {url} is no address"),
            "it begins with https:// or http://, as people type it",
        ));
    }
    if url.is_some_and(|url| url.starts_with("https://")) && trusted.is_empty() {
        found.push(Finding::problem(
            "proxy",
            "people come by https, so through a proxy, but none is trusted: to the server all of them have the proxy's address, and share one limit of wrong passwords",
            "start with --trusted-proxy and the proxy's address (127.0.0.1 where it is on this machine)",
        ));
    }
    if !trusted.is_empty() && url.is_none() {
        found.push(Finding::problem(
            "proxy",
            "a proxy is trusted, but the address under which people reach the server is not set: links that the server prints lead past the proxy",
            "start with --public-url and that address",
        ));
    }
    let all_here = !trusted.is_empty() && trusted.iter().all(|proxy| proxy.is_loopback());
    let listens_wide = settings
        .listen
        .parse::<SocketAddr>()
        .is_ok_and(|address| !address.ip().is_loopback());
    if all_here && listens_wide {
        found.push(Finding::problem(
            "proxy",
            format!(
                "the proxy is on this machine, but the server answers the whole network at {}, too, without https",
                settings.listen
            ),
            "start with --listen 127.0.0.1:8080, or a unix: socket",
        ));
    }
    if found.is_empty() {
        let said = match url {
            Some(url) => format!("settings for the proxy at {url} fit each other"),
            None => "no proxy is set up".to_owned(),
        };
        found.push(Finding::sound("proxy", said));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(change: impl FnOnce(&mut Settings)) -> usize {
        let mut given = Settings::new("a.db".into());
        change(&mut given);
        let found = settings(&given);
        found.iter().filter(|finding| !finding.sound).count()
    }

    #[test]
    fn settings_that_do_not_fit_each_other_are_found() {
        let here = "127.0.0.1".parse().unwrap();
        assert_eq!(problems(|_| {}), 0);
        assert_eq!(
            problems(|s| s.public_url = Some("https://a.example".into())),
            1
        );
        assert_eq!(problems(|s| s.public_url = Some("a.example".into())), 1);
        assert_eq!(problems(|s| s.trusted_proxies = vec![here]), 1);
        let both = |s: &mut Settings| {
            s.public_url = Some("https://a.example".into());
            s.trusted_proxies = vec![here];
        };
        assert_eq!(problems(both), 0);
        assert_eq!(
            problems(|s| {
                both(s);
                s.listen = "0.0.0.0:8080".into();
            }),
            1
        );
    }
}
