//! Signing in and out, the caller's own sessions, password and API tokens, and the first setup.

use rouille::Response;
use serde_json::{Value, json};

use crate::accounts::{SignIn, User, permissions};
use crate::error::{Error, Result};
use crate::http::call::Call;
use crate::http::carriers;
use crate::http::fields::Fields;
use crate::http::handlers::users;
use crate::http::reply;
use crate::http::routes::{Route, Who};
use crate::id::SessionId;
use crate::logged::word;
use crate::store::audit::{self, Action};
use crate::store::{sessions, tokens};

pub(in crate::http) const ROUTES: &[Route] = &[
    Route {
        method: "POST",
        path: "/api/auth/setup",
        who: Who::Anyone,
        summary: "Make the first administrator, with the code that the server printed",
        handle: set_up,
    },
    Route {
        method: "POST",
        path: "/api/auth/login",
        who: Who::Anyone,
        summary: "Sign in with name and password",
        handle: sign_in,
    },
    Route {
        method: "POST",
        path: "/api/auth/logout",
        who: Who::Session,
        summary: "End the session",
        handle: sign_out,
    },
    Route {
        method: "GET",
        path: "/api/auth/session",
        who: Who::SignedIn,
        summary: "Who is signed in, and until when",
        handle: session,
    },
    Route {
        method: "GET",
        path: "/api/auth/sessions",
        who: Who::Session,
        summary: "The caller's sessions, the last used first",
        handle: list_sessions,
    },
    Route {
        method: "DELETE",
        path: "/api/auth/sessions/{id}",
        who: Who::OwnSession,
        summary: "End one of the caller's sessions",
        handle: end_session,
    },
    Route {
        method: "POST",
        path: "/api/auth/password",
        who: Who::Session,
        summary: "Change the own password; the caller's other sessions end",
        handle: change_password,
    },
    Route {
        method: "GET",
        path: "/api/auth/tokens",
        who: Who::Session,
        summary: "The caller's API tokens, newest first",
        handle: list_tokens,
    },
    Route {
        method: "POST",
        path: "/api/auth/tokens",
        who: Who::Session,
        summary: "Make an API token; it is shown once",
        handle: make_token,
    },
    Route {
        method: "DELETE",
        path: "/api/auth/tokens/{id}",
        who: Who::OwnSession,
        summary: "Revoke one of the caller's API tokens",
        handle: revoke_token,
    },
];

fn user_info(user: &User) -> Value {
    json!({
        "id": user.id,
        "username": user.username,
        "email": user.email,
        "role": user.role.as_str(),
        "permissions": permissions(user.role),
        "must_change": user.must_change,
    })
}

fn set_up(call: &mut Call<'_, '_>) -> Result<Response> {
    let mut fields = Fields::of(call)?;
    let code = fields.text("token");
    let username = fields.text("username");
    let password = fields.text("password");
    fields.check()?;
    let user = call
        .app
        .accounts
        .set_up(&call.app.db, &code, &username, &password, call.address)?;
    let body = json!({
        "success": true,
        "message": "The first administrator is made. Sign in.",
        "user": users::line(&user),
    });
    Ok(reply::json(201, &body))
}

fn sign_in(call: &mut Call<'_, '_>) -> Result<Response> {
    let mut fields = Fields::of(call)?;
    let username = fields.text("username");
    let password = fields.text("password");
    fields.check()?;
    let before = carriers::by_cookie(call.incoming);
    let begun = call.app.accounts.sign_in(
        &call.app.db,
        SignIn {
            username: &username,
            password: &password,
            address: call.address,
            device: call.header("User-Agent"),
            before: before.as_ref(),
        },
    )?;
    let body = json!({
        "success": true,
        "message": format!("Signed in as {}.", begun.user.username),
        "session_id": begun.token.reveal(),
        "expires_at": begun.expires_at,
        "user_info": user_info(&begun.user),
    });
    Ok(reply::json(200, &body)
        .with_additional_header("Set-Cookie", carriers::set_cookie(&begun.token, call.https)))
}

fn sign_out(call: &mut Call<'_, '_>) -> Result<Response> {
    call.app
        .accounts
        .sign_out(&call.app.db, call.caller()?, &call.actor()?)?;
    let body = json!({ "success": true, "message": "Signed out." });
    Ok(reply::json(200, &body)
        .with_additional_header("Set-Cookie", carriers::clear_cookie(call.https)))
}

fn session(call: &mut Call<'_, '_>) -> Result<Response> {
    let caller = call.caller()?;
    let body = json!({
        "success": true,
        "user_info": user_info(&caller.user),
        "created_at": caller.created_at,
        "last_seen_at": call.app.clock.now(),
        "expires_at": caller.expires_at,
    });
    Ok(reply::json(200, &body))
}

fn list_sessions(call: &mut Call<'_, '_>) -> Result<Response> {
    // Short lists are given whole, but what is asked for must make sense all the same.
    call.page()?;
    let caller = call.caller()?;
    let current = caller.session()?;
    let now = call.app.clock.now();
    let alive = call
        .app
        .db
        .read(|c| sessions::alive(c, caller.user.id, now))?;
    let lines: Vec<Value> = alive
        .iter()
        .map(|one| {
            let is_current = one.id == current;
            json!({
                "id": one.id,
                "created_at": one.created_at,
                "last_seen_at": if is_current { now } else { one.last_seen_at },
                "expires_at": one.expires_at,
                "address": one.address,
                "device": one.device,
                "current": is_current,
            })
        })
        .collect();
    let body = json!({ "success": true, "sessions": lines, "next_cursor": null });
    Ok(reply::json(200, &body))
}

fn end_session(call: &mut Call<'_, '_>) -> Result<Response> {
    let id = SessionId(call.id(0)?);
    let caller = call.caller()?;
    let by = call.actor()?;
    call.app.db.write(|tx| {
        if !sessions::revoke(tx, caller.user.id, id)? {
            return Err(Error::not_found());
        }
        audit::note(tx, &by, Action::SessionEnded, Some(&id.to_string()))
    })?;
    log::info!("user={} session {id} ended", word(&caller.user.username));
    let body = json!({ "success": true, "message": "The session was ended." });
    let response = reply::json(200, &body);
    if id == caller.session()? {
        return Ok(
            response.with_additional_header("Set-Cookie", carriers::clear_cookie(call.https))
        );
    }
    Ok(response)
}

fn change_password(call: &mut Call<'_, '_>) -> Result<Response> {
    let mut fields = Fields::of(call)?;
    let current = fields.text("current");
    let new = fields.text("new");
    fields.check()?;
    let ended = call.app.accounts.change_password(
        &call.app.db,
        call.caller()?,
        &current,
        &new,
        call.address,
    )?;
    let body = json!({
        "success": true,
        "message": "The password is changed. Your other sessions were ended.",
        "sessions_ended": ended,
    });
    Ok(reply::json(200, &body))
}

fn list_tokens(call: &mut Call<'_, '_>) -> Result<Response> {
    call.page()?;
    let user = call.caller()?.user.id;
    let lines: Vec<Value> = call
        .app
        .db
        .read(|c| tokens::of_user(c, user))?
        .iter()
        .map(|token| {
            json!({
                "id": token.id,
                "name": token.name,
                "created_at": token.created_at,
                "expires_at": token.expires_at,
                "last_used_at": token.last_used_at,
            })
        })
        .collect();
    let body = json!({ "success": true, "tokens": lines, "next_cursor": null });
    Ok(reply::json(200, &body))
}

fn make_token(call: &mut Call<'_, '_>) -> Result<Response> {
    let mut fields = Fields::of(call)?;
    let name = fields.text("name");
    let days = fields.optional_number("expires_in_days");
    fields.check()?;
    let made =
        call.app
            .accounts
            .make_token(&call.app.db, call.caller()?, &call.actor()?, &name, days)?;
    let body = json!({
        "success": true,
        "id": made.id,
        "name": made.name,
        "token": made.token.reveal(),
        "expires_at": made.expires_at,
    });
    Ok(reply::json(201, &body))
}

fn revoke_token(call: &mut Call<'_, '_>) -> Result<Response> {
    let id = call.id(0)?;
    call.app
        .accounts
        .revoke_token(&call.app.db, call.caller()?, &call.actor()?, id)?;
    let body = json!({ "success": true, "message": "The token was revoked." });
    Ok(reply::json(200, &body))
}
