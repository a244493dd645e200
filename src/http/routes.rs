//! The route table: every address of the server, who may use it, and what answers it. Routing, the
//! authorisation test and the API description are made from this one table.

use std::time::Instant;

use rouille::Response;

use crate::accounts::{Caller, Via};
use crate::app::App;
use crate::error::{Error, Problem, Result};
use crate::http::call::Call;
use crate::http::carriers;
use crate::http::handlers;
use crate::http::listener::Incoming;
use crate::http::problem;
use crate::words::{Code, Role};

/// Who may use a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// Everybody, signed in or not.
    Anyone,
    /// A session or an API token.
    SignedIn,
    /// A session; not an API token.
    Session,
    /// An administrator, by session or API token.
    Admin,
    /// An administrator's session; not an API token.
    AdminSession,
}

/// One address.
pub struct Route {
    pub method: &'static str,
    /// Segments; `{name}` stands for one of any text.
    pub path: &'static str,
    pub who: Who,
    /// A line for the API description.
    pub summary: &'static str,
    pub handle: fn(&mut Call<'_, '_>) -> Result<Response>,
}

/// All routes.
pub fn all() -> impl Iterator<Item = &'static Route> {
    handlers::TABLES.iter().flat_map(|table| table.iter())
}

/// Answers one request: session, then origin, then permission, then whatever the handler checks.
pub fn answer(app: &App, incoming: &mut Incoming<'_>) -> Response {
    let began = Instant::now();
    let method = incoming.request.method().to_owned();
    let path = incoming.request.url();
    let mut who = String::from("user=-");
    let response = match dispatch(app, incoming, &method, &path, &mut who) {
        Ok(response) => response,
        Err(error) => problem::reply(error),
    };
    let response = guard(app, incoming, response);
    log::info!(
        "{who} {method} {path} {status} {ms} ms",
        path = path.escape_debug(),
        status = response.status_code,
        ms = began.elapsed().as_millis()
    );
    response
}

/// What the page may load, and from where: from here and nowhere else.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; \
    frame-ancestors 'none'";

/// The headers that every answer carries (OWASP ASVS 5, V3.4).
fn guard(app: &App, incoming: &Incoming<'_>, response: Response) -> Response {
    let response = response
        .with_unique_header("X-Content-Type-Options", "nosniff")
        .with_unique_header("Content-Security-Policy", CONTENT_SECURITY_POLICY)
        .with_unique_header("X-Frame-Options", "DENY")
        .with_unique_header("Referrer-Policy", "same-origin")
        .with_unique_header("Cross-Origin-Opener-Policy", "same-origin")
        .with_unique_header("Cross-Origin-Resource-Policy", "same-origin");
    if carriers::is_https(app, incoming) {
        response.with_unique_header("Strict-Transport-Security", "max-age=31536000")
    } else {
        response
    }
}

fn dispatch(
    app: &App,
    incoming: &mut Incoming<'_>,
    method: &str,
    path: &str,
    who: &mut String,
) -> Result<Response> {
    // HEAD is answered like GET; the listener leaves the body away.
    let wanted = if method == "HEAD" { "GET" } else { method };
    let mut allowed: Vec<&str> = Vec::new();
    let mut found = None;
    for route in all() {
        if let Some(params) = matches(route.path, path) {
            if route.method == wanted {
                found = Some((route, params));
                break;
            }
            allowed.push(route.method);
        }
    }
    let Some((route, params)) = found else {
        return nothing_there(app, incoming, method, path, &mut allowed);
    };
    let address = carriers::client_address(app, incoming);
    let https = carriers::is_https(app, incoming);
    let caller = match route.who {
        Who::Anyone => None,
        Who::SignedIn | Who::Session | Who::Admin | Who::AdminSession => {
            Some(identify(app, incoming, who)?)
        }
    };
    carriers::check_origin(app, incoming, https)?;
    if let Some(caller) = &caller {
        permit(route.who, caller)?;
    }
    let mut call = Call {
        app,
        incoming,
        caller,
        params,
        address,
        https,
    };
    (route.handle)(&mut call)
}

fn identify(app: &App, incoming: &Incoming<'_>, who: &mut String) -> Result<Caller> {
    let caller = app
        .accounts
        .identify(&app.db, carriers::carried(incoming).as_ref())?;
    *who = match &caller.via {
        Via::Session { short, .. } => format!("user={} session={short}", caller.user.username),
        Via::Token { short, .. } => format!("user={} token={short}", caller.user.username),
    };
    Ok(caller)
}

fn permit(who: Who, caller: &Caller) -> Result<()> {
    let (needs_admin, needs_session) = match who {
        Who::Anyone | Who::SignedIn => (false, false),
        Who::Session => (false, true),
        Who::Admin => (true, false),
        Who::AdminSession => (true, true),
    };
    if needs_admin && caller.user.role != Role::Admin {
        return Err(Error::problem(
            Code::Forbidden,
            "Only administrators can do this.",
        ));
    }
    match caller.via {
        Via::Token { .. } if needs_session => Err(Error::problem(
            Code::Forbidden,
            "An API token can't do this. Sign in with name and password.",
        )),
        Via::Token { .. } | Via::Session { .. } => Ok(()),
    }
}

/// No route: 405 where the path exists with other methods, else 401 before 404 under `/api/`.
fn nothing_there(
    app: &App,
    incoming: &Incoming<'_>,
    method: &str,
    path: &str,
    allowed: &mut Vec<&str>,
) -> Result<Response> {
    if allowed.is_empty() {
        if path.starts_with("/api/") {
            identify(app, incoming, &mut String::new())?;
        }
        return Err(Error::not_found());
    }
    if allowed.contains(&"GET") {
        allowed.push("HEAD");
    }
    allowed.push("OPTIONS");
    allowed.sort_unstable();
    allowed.dedup();
    let allow = allowed.join(", ");
    if method == "OPTIONS" {
        return Ok(Response::empty_204().with_additional_header("Allow", allow));
    }
    let problem = Problem::new(
        Code::MethodNotAllowed,
        format!("This address can't be used with {method}. It knows {allow}."),
    );
    Ok(problem::respond(&problem).with_additional_header("Allow", allow))
}

/// The parameters of `path` where it fits `pattern`.
fn matches(pattern: &str, path: &str) -> Option<Vec<String>> {
    let mut params = Vec::new();
    let mut wanted = pattern.split('/');
    let mut given = path.split('/');
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return Some(params),
            (Some(want), Some(have)) if want.starts_with('{') => {
                if have.is_empty() {
                    return None;
                }
                params.push(have.to_owned());
            }
            (Some(want), Some(have)) if want == have => {}
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_fits_a_pattern_segment_by_segment() {
        assert_eq!(
            matches("/api/files/{id}/json", "/api/files/7/json"),
            Some(vec!["7".to_owned()])
        );
        assert_eq!(matches("/api/files/{id}", "/api/files/"), None);
        assert_eq!(matches("/api/files/{id}", "/api/files/7/json"), None);
        assert_eq!(matches("/", "/"), Some(vec![]));
    }

    #[test]
    fn no_address_is_answered_twice() {
        let mut seen = std::collections::HashSet::new();
        for route in all() {
            let shape: Vec<&str> = route
                .path
                .split('/')
                .map(|s| if s.starts_with('{') { "{}" } else { s })
                .collect();
            assert!(
                seen.insert((route.method, shape.join("/"))),
                "{} {} stands twice",
                route.method,
                route.path
            );
        }
    }
}
