//! Managing users: for administrators who are signed in, not for API tokens.

use rouille::Response;
use serde_json::{Value, json};

use crate::accounts::{self, User, Wanted, Wish, permissions};
use crate::error::{Error, Result};
use crate::http::call::Call;
use crate::http::fields::Fields;
use crate::http::reply;
use crate::http::routes::{Route, Who};
use crate::id::UserId;
use crate::store::{audit, users};
use crate::words::{Code, Role};

pub(in crate::http) const ROUTES: &[Route] = &[
    Route {
        method: "GET",
        path: "/api/users",
        who: Who::AdminSession,
        summary: "All users, in the order in which they were added",
        handle: list,
    },
    Route {
        method: "POST",
        path: "/api/users",
        who: Who::AdminSession,
        summary: "Add a user",
        handle: add,
    },
    Route {
        method: "PATCH",
        path: "/api/users/{id}",
        who: Who::AdminSession,
        summary: "Change a user's role, e-mail address or password, or disable them",
        handle: change,
    },
    Route {
        method: "DELETE",
        path: "/api/users/{id}",
        who: Who::AdminSession,
        summary: "Delete a user; ?transfer_to= names who takes over the uploads",
        handle: delete,
    },
    Route {
        method: "GET",
        path: "/api/admin/audit",
        who: Who::Admin,
        summary: "Who did what, when, and from where; newest first",
        handle: trail,
    },
    Route {
        method: "DELETE",
        path: "/api/users/{id}/sessions",
        who: Who::AdminSession,
        summary: "End all sessions and API tokens of a user",
        handle: end_sessions,
    },
];

/// A user as JSON.
pub(in crate::http) fn line(user: &User) -> Value {
    json!({
        "id": user.id,
        "username": user.username,
        "email": user.email,
        "role": user.role.as_str(),
        "permissions": permissions(user.role),
        "disabled": user.disabled,
        "must_change": user.must_change,
        "created_at": user.created_at,
    })
}

fn list(call: &mut Call<'_, '_>) -> Result<Response> {
    let page = call.page()?;
    let mut found = call
        .app
        .db
        .read(|c| users::page(c, page.cursor, page.fetch()))?;
    let next = page.cut(&mut found, |user| user.id.0);
    let lines: Vec<Value> = found.iter().map(line).collect();
    let body = json!({ "success": true, "users": lines, "next_cursor": next });
    Ok(reply::json(200, &body))
}

fn add(call: &mut Call<'_, '_>) -> Result<Response> {
    let mut fields = Fields::of(call)?;
    let username = fields.text("username");
    let password = fields.text("password");
    let email = fields.optional_text("email");
    let role = role(&mut fields).unwrap_or(Role::Member);
    let must_change = fields.optional_flag("must_change").unwrap_or(false);
    name_and_email(&mut fields, Some(&username), email.as_deref());
    fields.check()?;
    let user = accounts::add(
        &call.app.db,
        &call.actor()?,
        Wish {
            username: &username,
            password: &password,
            email: email.as_deref(),
            role,
            must_change,
        },
    )?;
    let body = json!({
        "success": true,
        "message": format!("{} is added.", user.username),
        "user": line(&user),
    });
    Ok(reply::json(201, &body))
}

fn change(call: &mut Call<'_, '_>) -> Result<Response> {
    let id = UserId(call.id(0)?);
    let mut fields = Fields::of(call)?;
    let email = fields.optional_text("email");
    let wanted = Wanted {
        role: role(&mut fields),
        disabled: fields.optional_flag("disabled"),
        password: fields.optional_text("password"),
        must_change: fields.optional_flag("must_change"),
        email: fields
            .has("email")
            .then(|| accounts::email(email.as_deref().unwrap_or("")).unwrap_or(None)),
    };
    name_and_email(&mut fields, None, email.as_deref());
    if wanted == Wanted::default() {
        fields.wrong(
            "role",
            "Say what shall change: role, email, disabled or password.",
        );
    }
    fields.check()?;
    let user = call
        .app
        .accounts
        .change_user(&call.app.db, &call.actor()?, id, wanted)?;
    let body = json!({
        "success": true,
        "message": format!("{} is changed.", user.username),
        "user": line(&user),
    });
    Ok(reply::json(200, &body))
}

fn delete(call: &mut Call<'_, '_>) -> Result<Response> {
    let id = UserId(call.id(0)?);
    let heir = match call.query("transfer_to") {
        None => None,
        Some(text) => Some(UserId(text.parse().map_err(|_| {
            Error::problem(
                Code::BadRequest,
                "transfer_to must be the id of another user.",
            )
        })?)),
    };
    let user = call
        .app
        .accounts
        .delete_user(&call.app.db, &call.actor()?, id, heir)?;
    let body = json!({ "success": true, "message": format!("{} is deleted.", user.username) });
    Ok(reply::json(200, &body))
}

fn end_sessions(call: &mut Call<'_, '_>) -> Result<Response> {
    let id = UserId(call.id(0)?);
    let ended = call
        .app
        .accounts
        .end_sessions(&call.app.db, &call.actor()?, id)?;
    let body = json!({
        "success": true,
        "message": "All sessions and API tokens were ended.",
        "sessions_ended": ended,
    });
    Ok(reply::json(200, &body))
}

fn trail(call: &mut Call<'_, '_>) -> Result<Response> {
    let page = call.page()?;
    let mut found = call
        .app
        .db
        .read(|c| audit::page(c, page.cursor, page.fetch()))?;
    let next = page.cut(&mut found, |entry| entry.id);
    let body = json!({ "success": true, "entries": found, "next_cursor": next });
    Ok(reply::json(200, &body))
}

fn role(fields: &mut Fields) -> Option<Role> {
    let text = fields.optional_text("role")?;
    let role = Role::parse(&text);
    if role.is_none() {
        fields.wrong("role", "role must be admin or member.");
    }
    role
}

fn name_and_email(fields: &mut Fields, username: Option<&str>, email: Option<&str>) {
    if let Some(Err(sentence)) = username.map(accounts::name)
        && !username.is_some_and(str::is_empty)
    {
        fields.wrong("username", sentence);
    }
    if let Some(Err(sentence)) = email.map(accounts::email) {
        fields.wrong("email", sentence);
    }
}
