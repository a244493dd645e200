//! The route table: every address of the server, who may use it, and what answers it. Routing, the
//! authorisation test and the API description are made from this one table.

use std::time::{Duration, Instant};

use rouille::Response;

use crate::accounts::{Caller, Via};
use crate::app::App;
use crate::db::patience;
use crate::error::{Error, Problem, Result};
use crate::http::call::Call;
use crate::http::carriers;
use crate::http::handlers;
use crate::http::listener::Incoming;
use crate::http::{compress, percent, problem, reply};
use crate::logged::{self, word};
use crate::words::{Code, Role};

/// Who may use a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// Everybody, signed in or not.
    Anyone,
    /// A session or an API token.
    SignedIn,
    /// A session or an API token. What the path names must be the caller's own, or the caller an
    /// administrator: for everybody else it is not there.
    Owner,
    /// A session; not an API token.
    Session,
    /// A session, for what is the caller's own: for administrators, too, the rest is not there.
    OwnSession,
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

/// What the log and the counters say of a request.
struct Seen {
    who: String,
    method: &'static str,
    route: &'static str,
}

/// How long a request waits for the database in all while another program holds it: then it is told so.
const DATABASE_WAIT: Duration = Duration::from_millis(2_500);

/// Answers one request: session, then origin, then permission, then whatever the handler checks.
pub fn answer(app: &App, incoming: &mut Incoming<'_>) -> Response {
    let began = Instant::now();
    let _hurry = patience::hurry(DATABASE_WAIT);
    let method = incoming.request.method().to_owned();
    let path = path_of(incoming.request.raw_url()).to_owned();
    let mut seen = Seen {
        who: "user=-".to_owned(),
        method: "-",
        route: "-",
    };
    let response = match dispatch(app, incoming, &method, &path, &mut seen) {
        Ok(response) => response,
        Err(error) => {
            // Not only what the database said: a spool file may have found no room.
            if error.is_unwritable() {
                app.db.found_unwritable();
            }
            if error.is_disk_full() {
                app.db.ran_out_of_room();
            }
            problem::reply(error)
        }
    };
    let response = compress::answer(&incoming.request, response);
    let response = reply::guarded(response, carriers::is_https(app, incoming));
    app.metrics
        .request(seen.method, seen.route, response.status_code);
    // An address that there is not may hold anything, a session's id as well.
    let path = if seen.route == "-" {
        "-".into()
    } else {
        logged::path(&path)
    };
    // Put together before the log is locked.
    let line = format!(
        "{who} address={address} {method} {path} {status} {ms} ms",
        who = seen.who,
        address = carriers::client_address(app, incoming),
        method = method.escape_debug(),
        status = response.status_code,
        ms = began.elapsed().as_millis()
    );
    log::info!("{line}");
    response
}

/// The path of a target, as it was sent.
fn path_of(target: &str) -> &str {
    target.split_once('?').map_or(target, |(path, _)| path)
}

fn dispatch(
    app: &App,
    incoming: &mut Incoming<'_>,
    method: &str,
    path: &str,
    seen: &mut Seen,
) -> Result<Response> {
    // HEAD is answered like GET; the listener leaves the body away.
    let wanted = if method == "HEAD" { "GET" } else { method };
    let mut allowed: Vec<&str> = Vec::new();
    let mut found = None;
    // A name that has a route of its own is no parameter of another one.
    let has_own = all().any(|route| route.path == path);
    for route in all() {
        if has_own && route.path != path {
            continue;
        }
        if path == "*" {
            allowed.push(route.method);
        } else if let Some(params) = matches(route.path, path) {
            seen.route = route.path;
            if route.method == wanted {
                seen.method = route.method;
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
        Who::SignedIn
        | Who::Owner
        | Who::Session
        | Who::OwnSession
        | Who::Admin
        | Who::AdminSession => Some(identify(app, incoming, &mut seen.who)?),
    };
    carriers::check_origin(app, incoming)?;
    if let Some(caller) = &caller {
        permit(route.who, caller)?;
        if caller.user.must_change && !BEFORE_OWN_PASSWORD.contains(&(route.method, route.path)) {
            return Err(Error::problem(
                Code::MustChange,
                "Choose your own password before going on.",
            ));
        }
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
        Via::Session { short, .. } => {
            format!("user={} session={short}", word(&caller.user.username))
        }
        Via::Token { short, .. } => format!("user={} token={short}", word(&caller.user.username)),
    };
    Ok(caller)
}

/// Looks the caller up again, after a wait.
///
/// # Errors
/// As for a request that only begins.
pub fn identify_again(call: &Call<'_, '_>) -> Result<()> {
    let carried = carriers::carried(call.incoming);
    let app = call.app;
    app.accounts.identify(&app.db, carried.as_ref()).map(|_| ())
}

/// What somebody may do whose password was chosen by somebody else.
const BEFORE_OWN_PASSWORD: &[(&str, &str)] = &[
    ("GET", "/api/auth/session"),
    ("POST", "/api/auth/password"),
    ("POST", "/api/auth/logout"),
];

/// What can be told of the caller alone. Whose a file, a job, a session or a token is, the handlers
/// see, where they look it up; the test of the whole table sees that they do.
fn permit(who: Who, caller: &Caller) -> Result<()> {
    let (needs_admin, needs_session) = match who {
        Who::Anyone | Who::SignedIn | Who::Owner => (false, false),
        Who::Session | Who::OwnSession => (false, true),
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

/// The parameters of `path` where it fits `pattern`. Split first and decoded then, so that an
/// encoded slash in a name is a letter of that name.
fn matches(pattern: &str, path: &str) -> Option<Vec<String>> {
    let mut params = Vec::new();
    let mut wanted = pattern.split('/');
    let mut given = path.split('/');
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return Some(params),
            (Some(want), Some(have)) if want.starts_with('{') => {
                let have = percent::decode(have).filter(|have| !have.is_empty())?;
                params.push(have);
            }
            (Some(want), Some(have)) if want == have => {}
            (Some(want), Some(have))
                if have.contains('%') && percent::decode(have).as_deref() == Some(want) => {}
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
        assert_eq!(
            matches("/api/templates/{name}", "/api/templates/a%2Fb%20%C3%BC"),
            Some(vec!["a/b ü".to_owned()])
        );
        assert_eq!(matches("/api/files", "/api/f%69les"), Some(vec![]));
        assert_eq!(matches("/api/files", "/api%2Ffiles"), None);
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
