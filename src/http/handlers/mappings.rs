//! Mappings that the office remembers: for the same headers the same fields.

use rouille::Response;
use serde_json::{Value, json};

use crate::error::{Error, Result};
use crate::http::call::Call;
use crate::http::reply;
use crate::http::routes::{Route, Who};
use crate::logged::word;
use crate::store::audit::{self, Action};
use crate::store::mappings::{self, Remembered};

pub(in crate::http) const ROUTES: &[Route] = &[
    Route {
        method: "GET",
        path: "/api/mappings",
        who: Who::SignedIn,
        summary: "Mappings of columns that are remembered",
        handle: list,
    },
    Route {
        method: "DELETE",
        path: "/api/mappings/{id}",
        who: Who::SignedIn,
        summary: "Forget a mapping: it is the office's, and whoever it hits may",
        handle: forget,
    },
];

/// Letters of a mapping that the audit keeps.
const TARGET_CHARS_MAX: usize = 500;

fn described(remembered: &Remembered) -> Result<Value> {
    let headers: Value = serde_json::from_str(&remembered.headers)?;
    let mapping: Value = serde_json::from_str(&remembered.mapping)?;
    Ok(json!({
        "id": remembered.id,
        "template": remembered.template,
        "headers": headers,
        "mapping": mapping,
        "created_at": remembered.created_at,
        "created_by": remembered.created_by,
    }))
}

fn list(call: &mut Call<'_, '_>) -> Result<Response> {
    let page = call.page()?;
    let mut found = call
        .app
        .db
        .read(|c| mappings::page(c, page.cursor, page.fetch()))?;
    let next = page.cut(&mut found, |remembered| remembered.id);
    let lines = found.iter().map(described).collect::<Result<Vec<_>>>()?;
    Ok(reply::json(
        200,
        &json!({ "success": true, "mappings": lines, "next_cursor": next }),
    ))
}

fn forget(call: &mut Call<'_, '_>) -> Result<Response> {
    let id = call.id(0)?;
    let actor = call.actor()?;
    call.app.db.write(|tx| {
        let forgotten = mappings::by_id(tx, id)?.ok_or_else(Error::not_found)?;
        mappings::forget(tx, id)?;
        let target = format!(
            "{} by {}: {}",
            forgotten.template, forgotten.created_by, forgotten.mapping
        );
        let target: String = target.chars().take(TARGET_CHARS_MAX).collect();
        audit::note(tx, &actor, Action::MappingForgotten, Some(&target))
    })?;
    log::info!("user={} mapping={id} forgotten", word(&actor.name));
    Ok(reply::json(
        200,
        &json!({ "success": true, "message": "The mapping was forgotten." }),
    ))
}
