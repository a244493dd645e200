//! What a request carries to say who makes it and from where: session or token, origin, address.

use std::net::IpAddr;

use crate::app::App;
use crate::error::Result;
use crate::http::listener::Incoming;
use crate::id::Token;

/// The secret that a request carries, taken from the first carrier that is there: Authorization,
/// X-Session-Id, cookie. A carrier that is there but wrong is not passed over.
pub fn carried(_incoming: &Incoming<'_>) -> Option<Token> {
    None
}

/// Refuses a state-changing request of a browser that comes from another site.
///
/// # Errors
/// `cross-origin`.
pub fn check_origin(_app: &App, _incoming: &Incoming<'_>, _https: bool) -> Result<()> {
    Ok(())
}

/// The client's address: the peer's, or what a trusted proxy says.
pub fn client_address(_app: &App, incoming: &Incoming<'_>) -> IpAddr {
    incoming.peer.ip()
}

/// Whether the client came by https.
pub fn is_https(_app: &App, _incoming: &Incoming<'_>) -> bool {
    false
}
