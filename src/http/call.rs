//! One request on its way through the route table: what a handler gets.

use std::net::IpAddr;

use serde::de::DeserializeOwned;

use crate::accounts::Caller;
use crate::app::App;
use crate::error::{Error, Result};
use crate::http::body;
use crate::http::listener::Incoming;
use crate::report::paging::Page;
use crate::store::audit::Actor;
use crate::words::{Code, Role};

/// A request, the program it is for, and who makes it.
pub struct Call<'a, 'c> {
    pub app: &'a App,
    pub incoming: &'a mut Incoming<'c>,
    /// Present on every route that needs one; the route table sees to it.
    pub caller: Option<Caller>,
    /// What stands for `{…}` in the route's path, in order, percent-decoded.
    pub params: Vec<String>,
    /// The client's address, as far as it can be known.
    pub address: IpAddr,
    /// Whether the client speaks https (with us or with a trusted proxy).
    pub https: bool,
}

impl Call<'_, '_> {
    /// Who calls.
    ///
    /// # Errors
    /// `session-missing` where nobody is signed in.
    pub fn caller(&self) -> Result<&Caller> {
        self.caller
            .as_ref()
            .ok_or_else(|| Error::problem(Code::SessionMissing, "Sign in first."))
    }

    /// Who calls, for the audit trail.
    ///
    /// # Errors
    /// As [`Call::caller`].
    pub fn actor(&self) -> Result<Actor> {
        let user = &self.caller()?.user;
        Ok(Actor {
            user: Some(user.id),
            name: user.username.clone(),
            address: Some(self.address.to_string()),
        })
    }

    /// Whether the caller is an administrator.
    pub fn is_admin(&self) -> bool {
        self.caller
            .as_ref()
            .is_some_and(|caller| caller.user.role == Role::Admin)
    }

    /// The `at`-th parameter of the path.
    pub fn param(&self, at: usize) -> &str {
        self.params.get(at).map_or("", String::as_str)
    }

    /// A number in the path.
    ///
    /// # Errors
    /// `not-found` where it is none.
    pub fn id(&self, at: usize) -> Result<i64> {
        self.param(at).parse().map_err(|_| Error::not_found())
    }

    /// The first value of a query parameter.
    pub fn query(&self, name: &str) -> Option<String> {
        form_urlencoded::parse(self.incoming.request.raw_query_string().as_bytes())
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    }

    /// Whether everybody's things are wanted (`?all=1`), which is for administrators.
    ///
    /// # Errors
    /// `bad-request` where `all` is neither yes nor no; `forbidden` with `sentence` for others.
    pub fn wants_all(&self, sentence: &'static str) -> Result<bool> {
        let all = match self.query("all").as_deref() {
            None | Some("" | "0" | "false") => false,
            Some("1" | "true") => true,
            Some(_) => return Err(Error::problem(Code::BadRequest, "all must be 0 or 1.")),
        };
        if all && !self.is_admin() {
            return Err(Error::problem(Code::Forbidden, sentence));
        }
        Ok(all)
    }

    /// Which page of a list is wanted.
    ///
    /// # Errors
    /// `bad-request` where `limit` or `cursor` is none.
    pub fn page(&self) -> Result<Page> {
        Page::from_query(
            self.query("limit").as_deref(),
            self.query("cursor").as_deref(),
        )
    }

    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.incoming.request.header(name)
    }

    /// The body as JSON, or the default where there is none.
    ///
    /// # Errors
    /// As [`Call::json`].
    pub fn json_or_default<T: DeserializeOwned + Default>(&mut self) -> Result<T> {
        let bytes = self.body_of(self.json_bytes_max())?;
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return Ok(T::default());
        }
        body::parse(&bytes)
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// `too-large` over `--max-json-kb`; `invalid-json` where it is no JSON or not of the shape.
    pub fn json<T: DeserializeOwned>(&mut self) -> Result<T> {
        self.json_of(self.json_bytes_max())
    }

    fn json_bytes_max(&self) -> usize {
        self.app.settings.bodies.json_bytes_max
    }

    /// The body as JSON, where it may be larger or must be smaller than others.
    ///
    /// # Errors
    /// As [`Call::json`], with another limit.
    pub fn json_of<T: DeserializeOwned>(&mut self, bytes_max: usize) -> Result<T> {
        self.check_length()?;
        let bytes = self.body_of(bytes_max)?;
        body::parse(&bytes)
    }

    fn body_of(&mut self, bytes_max: usize) -> Result<Vec<u8>> {
        let bytes = self.incoming.body.read_small(bytes_max)?;
        self.check_again()?;
        Ok(bytes)
    }

    /// A body that is announced by its type, and comes without saying how long it is, can't be told from the next
    /// request: it is none.
    ///
    /// # Errors
    /// `length-required`.
    pub fn check_length(&self) -> Result<()> {
        let is_told = ["Content-Length", "Transfer-Encoding"]
            .iter()
            .any(|name| self.header(name).is_some());
        let is_announced = self.header("Content-Type").is_some();
        if is_told || !is_announced || self.incoming.body.declared() != Some(0) {
            return Ok(());
        }
        Err(Error::problem(
            Code::LengthRequired,
            "Say how long the body is with Content-Length, or send it with Transfer-Encoding: chunked.",
        ))
    }

    /// Looks, when the body is in, whether the caller may still go on.
    ///
    /// # Errors
    /// As [`Caller::check_again`].
    pub fn check_again(&self) -> Result<()> {
        match &self.caller {
            Some(caller) => self.app.db.read_one(|c| caller.check_again(c)),
            None => Ok(()),
        }
    }
}
