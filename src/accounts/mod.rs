//! Who is this, and may they: users, sessions, API tokens, passwords, the throttle and the setup.

mod identify;
mod late;
mod manage;
mod passwords;
mod policy;
mod setup;
mod sign_in;
mod throttle;
mod tokens;

use std::sync::Arc;
use std::time::Duration;

use crate::clock::{Clock, Timestamp};
use crate::error::{Error, Problem, Result};
use crate::id::SessionId;
use crate::settings::Settings;
use crate::words::{Code, Role};

pub use crate::store::users::User;
pub use manage::{Wanted, Wish, add, add_user, by_name, enable, set_password};
pub use policy::{email, name};
pub use setup::code_file;
pub use sign_in::{Begun, SignIn};

/// Who makes a request: a user, and how they showed it. Only [`Accounts`] makes one.
#[derive(Debug, Clone)]
pub struct Caller {
    pub user: User,
    pub via: Via,
    /// When the session or the token was made.
    pub created_at: Timestamp,
    /// When it ends if nothing more is heard of it; `None`: a token that does not end by itself.
    pub expires_at: Option<Timestamp>,
}

/// How a caller showed who they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Via {
    /// A session, with the first 4 hex digits of its hash for log lines.
    Session { id: SessionId, short: String },
    /// A named API token: the user's rights except user administration, passwords and tokens.
    Token { id: i64, short: String },
}

impl Caller {
    /// The session.
    ///
    /// # Errors
    /// `forbidden` where the caller has an API token; the route table sees to it that it has not.
    pub fn session(&self) -> Result<SessionId> {
        match self.via {
            Via::Session { id, .. } => Ok(id),
            Via::Token { .. } => Err(Error::problem(
                Code::Forbidden,
                "An API token can't do this. Sign in with name and password.",
            )),
        }
    }
}

/// What of accounts lives in memory: the throttle, the setup code, and what is written late.
pub struct Accounts {
    clock: Arc<dyn Clock>,
    session_ttl: Duration,
    session_max: Duration,
    write_late_max: Duration,
    throttle: throttle::Throttle,
    setup: setup::Setup,
    late: late::Late,
}

impl Accounts {
    pub fn new(settings: &Settings, clock: Arc<dyn Clock>) -> Accounts {
        Accounts {
            clock,
            session_ttl: settings.session_ttl,
            session_max: settings.session_max,
            write_late_max: settings.session_write_late_max(),
            throttle: throttle::Throttle::default(),
            setup: setup::Setup::default(),
            late: late::Late::default(),
        }
    }
}

/// What a role may do, for pages that show only what works.
pub fn permissions(role: Role) -> &'static [&'static str] {
    match role {
        Role::Member => &["files", "jobs", "records"],
        Role::Admin => &[
            "files",
            "jobs",
            "records",
            "files-of-all",
            "jobs-of-all",
            "templates",
            "users",
        ],
    }
}

/// A field that is missing or wrong, as a 400 that names it.
pub fn field_error(field: &str, sentence: &str) -> Error {
    Problem::new(Code::BadRequest, sentence)
        .with(
            "errors",
            serde_json::json!([{ "field": field, "message": sentence }]),
        )
        .into()
}
