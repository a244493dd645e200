//! What a request carries to say who makes it and from where: session or token, origin, address.

use std::net::{IpAddr, SocketAddr};

use crate::app::App;
use crate::error::{Error, Result};
use crate::http::listener::Incoming;
use crate::id::Token;
use crate::words::Code;

/// The name of the cookie.
const COOKIE: &str = "session";

/// What carries the secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Carrier {
    /// A header that a page of another site can't make a browser send.
    Header,
    /// What a browser sends along by itself.
    Cookie,
}

/// The secret that a request carries, taken from the first carrier that is there: Authorization,
/// X-Session-Id, cookie. A carrier that is there but wrong is not passed over.
pub fn carried(incoming: &Incoming<'_>) -> Option<Token> {
    let (_, token) = find(incoming)?;
    // An API token goes in Authorization and nowhere else.
    if token.is_api() && values(incoming, "Authorization").is_empty() {
        return Some(Token::received(""));
    }
    Some(token)
}

/// The session that a browser sends along by itself.
pub fn by_cookie(incoming: &Incoming<'_>) -> Option<Token> {
    match find(incoming) {
        Some((Carrier::Cookie, token)) => Some(token),
        Some((Carrier::Header, _)) | None => None,
    }
}

fn find(incoming: &Incoming<'_>) -> Option<(Carrier, Token)> {
    let authorization = values(incoming, "Authorization");
    if !authorization.is_empty() {
        let token = only(&authorization).and_then(bearer).unwrap_or("");
        return Some((Carrier::Header, Token::received(token)));
    }
    let session = values(incoming, "X-Session-Id");
    if !session.is_empty() {
        let token = only(&session).map_or("", str::trim);
        return Some((Carrier::Header, Token::received(token)));
    }
    cookie(&values(incoming, "Cookie")).map(|token| (Carrier::Cookie, Token::received(token)))
}

/// All values of a header.
fn values<'i>(incoming: &'i Incoming<'_>, name: &str) -> Vec<&'i str> {
    incoming
        .request
        .headers()
        .filter(|(header, _)| header.eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
        .collect()
}

/// The value of a header that may come once; twice, it could be read in two ways.
fn only<'v>(values: &[&'v str]) -> Option<&'v str> {
    match values {
        [value] => Some(value),
        _ => None,
    }
}

fn bearer(authorization: &str) -> Option<&str> {
    let (scheme, token) = authorization.trim().split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("Bearer")
        .then(|| token.trim_start())
}

/// The session among the cookies. Programs under the same host name share its cookies, and some
/// call theirs by the same name: what can't be ours is passed over. Two that could be are one too
/// many: somebody may have planted one.
fn cookie<'v>(headers: &[&'v str]) -> Option<&'v str> {
    let all: Vec<&str> = headers
        .iter()
        .flat_map(|header| header.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(name, value)| *name == COOKIE && !value.is_empty())
        .map(|(_, value)| value)
        .collect();
    let mut ours = all
        .iter()
        .filter(|value| value.len() == 64 && value.bytes().all(|b| b.is_ascii_hexdigit()));
    match (ours.next(), all.first()) {
        (Some(one), _) if ours.all(|other| other == one) => Some(one),
        (Some(_), _) => Some(""),
        (None, other) => other.copied(),
    }
}

/// The cookie that hands a session to a browser.
pub fn set_cookie(token: &Token, https: bool) -> String {
    with_attributes(token.reveal(), "", https)
}

/// The cookie that takes it away again.
pub fn clear_cookie(https: bool) -> String {
    with_attributes("", "; Max-Age=0", https)
}

fn with_attributes(value: &str, life: &str, https: bool) -> String {
    let secure = if https { "; Secure" } else { "" };
    format!("{COOKIE}={value}; Path=/; HttpOnly; SameSite=Strict{life}{secure}")
}

/// Refuses a state-changing request of a browser that comes from another site.
///
/// # Errors
/// `cross-origin`.
pub fn check_origin(app: &App, incoming: &Incoming<'_>) -> Result<()> {
    if matches!(incoming.request.method(), "GET" | "HEAD" | "OPTIONS") {
        return Ok(());
    }
    // No page of another site can set these headers without asking first, and nobody answers that.
    if matches!(find(incoming), Some((Carrier::Header, _))) {
        return Ok(());
    }
    let sites = values(incoming, "Sec-Fetch-Site");
    let origins = values(incoming, "Origin");
    let same = if !sites.is_empty() {
        only(&sites).is_some_and(|site| site.trim().eq_ignore_ascii_case("same-origin"))
    } else if !origins.is_empty() {
        only(&origins).is_some_and(|origin| is_own(app, incoming, origin.trim()))
    } else {
        true
    };
    if same {
        return Ok(());
    }
    Err(Error::problem(
        Code::CrossOrigin,
        "This request comes from another site. Open Sheetline itself and try again there.",
    ))
}

/// Whether an Origin is that of the request, or of the address under which people reach us, where no
/// proxy says that the request came otherwise.
fn is_own(app: &App, incoming: &Incoming<'_>, origin: &str) -> bool {
    let Some(origin) = site(origin) else {
        return false;
    };
    let said = said_https(app, incoming);
    let host = values(incoming, "Host");
    let scheme = scheme(said == Some(true));
    let here = only(&host).and_then(|host| site(&format!("{scheme}://{}", host.trim())));
    let as_said = |public: &Site| said.is_none_or(|https| public.0 == self::scheme(https));
    Some(&origin) == here.as_ref() || Some(&origin) == public(app).filter(as_said).as_ref()
}

fn scheme(https: bool) -> &'static str {
    if https { "https" } else { "http" }
}

/// Scheme, host and port.
type Site = (String, String, u16);

/// The address under which people reach us.
fn public(app: &App) -> Option<Site> {
    app.settings.public_url.as_deref().and_then(site)
}

/// Scheme, host and port of a URL; `null` and the like have none.
fn site(url: &str) -> Option<Site> {
    let (scheme, rest) = url.split_once("://")?;
    let scheme = scheme.to_ascii_lowercase();
    let usual = match scheme.as_str() {
        "http" => 80,
        "https" => 443,
        _ => return None,
    };
    let authority = rest.split(['/', '?', '#']).next()?;
    if authority.is_empty() || authority.contains('@') {
        return None;
    }
    // The colons of an IPv6 address stand inside its brackets.
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, port.parse().ok()?),
        _ => (authority, usual),
    };
    Some((scheme, host.to_ascii_lowercase(), port))
}

/// The client's address: the peer's, or what trusted proxies say: the last address on the way that
/// is not one of theirs.
pub fn client_address(app: &App, incoming: &Incoming<'_>) -> IpAddr {
    let mut address = incoming.peer.ip().to_canonical();
    if !is_trusted(app, address) {
        return address;
    }
    let on_the_way: Vec<&str> = values(incoming, "X-Forwarded-For")
        .into_iter()
        .flat_map(|value| value.split(','))
        .collect();
    for hop in on_the_way.iter().rev() {
        // What is no address was not written by a proxy of ours, and neither was what is before it.
        let Some(next) = parse_address(hop.trim()) else {
            break;
        };
        address = next;
        if !is_trusted(app, address) {
            break;
        }
    }
    address
}

fn parse_address(text: &str) -> Option<IpAddr> {
    let bare = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(text);
    bare.parse::<IpAddr>()
        .or_else(|_| text.parse::<SocketAddr>().map(|address| address.ip()))
        .ok()
        .map(|address| address.to_canonical())
}

/// Whether forwarding headers from there are believed.
pub fn is_trusted(app: &App, address: IpAddr) -> bool {
    app.settings
        .trusted_proxies
        .iter()
        .any(|proxy| proxy.holds(address))
}

/// Whether the client came by https. A trusted proxy says so; where none does, a browser's own Origin
/// tells; where that is missing too, the address under which people reach us, unless the request did not
/// come by a proxy that is trusted.
pub fn is_https(app: &App, incoming: &Incoming<'_>) -> bool {
    if let Some(https) = said_https(app, incoming) {
        return https;
    }
    if let Some(origin) = only(&values(incoming, "Origin")).map(str::trim)
        && is_own(app, incoming, origin)
    {
        return site(origin).is_some_and(|(scheme, _, _)| scheme == "https");
    }
    let past_the_proxy = !app.settings.trusted_proxies.is_empty()
        && !is_trusted(app, incoming.peer.ip().to_canonical());
    !past_the_proxy && public(app).is_some_and(|(scheme, _, _)| scheme == "https")
}

/// What a trusted proxy says of the scheme; the nearest one, where several do.
fn said_https(app: &App, incoming: &Incoming<'_>) -> Option<bool> {
    if !is_trusted(app, incoming.peer.ip().to_canonical()) {
        return None;
    }
    let said = values(incoming, "X-Forwarded-Proto");
    let scheme = said.last()?.rsplit(',').next()?.trim();
    if scheme.eq_ignore_ascii_case("https") {
        Some(true)
    } else {
        scheme.eq_ignore_ascii_case("http").then_some(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    const TWO: &str = "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210";

    #[test]
    fn a_cookie_of_another_program_is_passed_over_and_a_planted_one_is_refused() {
        let find = |text: &str| cookie(&[text]).map(str::to_owned);
        assert_eq!(find(&format!("a=b; session={ONE}")), Some(ONE.to_owned()));
        assert_eq!(
            find(&format!("session=eyJfZm; session={ONE}; x")),
            Some(ONE.to_owned())
        );
        assert_eq!(
            find(&format!("session={ONE};session={ONE}")),
            Some(ONE.to_owned())
        );
        assert_eq!(
            find(&format!("session={ONE}; session={TWO}")),
            Some(String::new())
        );
        assert_eq!(find("session=abc"), Some("abc".to_owned()));
        assert_eq!(find("session="), None);
        assert_eq!(find("mysession=abc; Session=abc; session"), None);
        assert_eq!(cookie(&["a=b", &format!("session={ONE}")]), Some(ONE));
    }

    #[test]
    fn a_bearer_token_follows_its_scheme() {
        assert_eq!(bearer("Bearer abc"), Some("abc"));
        assert_eq!(bearer("bearer   abc "), Some("abc"));
        assert_eq!(bearer("Bearer"), None);
        assert_eq!(bearer("Basic abc"), None);
    }

    #[test]
    fn a_site_is_scheme_host_and_port() {
        let known = |text: &str| site(text).unwrap();
        assert_eq!(
            known("http://Office.test"),
            known("HTTP://office.test:80/x")
        );
        assert_eq!(known("https://a"), known("https://a:443"));
        assert_ne!(known("http://a"), known("https://a"));
        assert_ne!(known("http://a:80"), known("http://a:8080"));
        assert_eq!(known("http://[::1]:8080").1, "[::1]");
        assert_eq!(known("http://[::1]"), known("http://[::1]:80"));
        for none in ["null", "", "http://", "ftp://a", "http://a:x", "http://u@a"] {
            assert_eq!(site(none), None, "{none}");
        }
    }

    #[test]
    fn an_address_may_come_with_its_port() {
        let known = |text: &str| parse_address(text).unwrap().to_string();
        assert_eq!(known("192.0.2.1"), "192.0.2.1");
        assert_eq!(known("192.0.2.1:4711"), "192.0.2.1");
        assert_eq!(known("[2001:db8::1]:4711"), "2001:db8::1");
        assert_eq!(known("[2001:db8::1]"), "2001:db8::1");
        assert_eq!(known("::ffff:192.0.2.1"), "192.0.2.1");
        assert_eq!(parse_address("unknown"), None);
        assert_eq!(parse_address("_hidden"), None);
    }
}
