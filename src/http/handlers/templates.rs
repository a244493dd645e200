//! Templates: what the office can check its files against.

use rouille::Response;
use serde_json::{Value, json};

use crate::catalog::{self, Entry};
use crate::error::{Error, Result};
use crate::http::call::Call;
use crate::http::handlers::workbooks;
use crate::http::reply;
use crate::http::routes::{Route, Who};
use crate::logged::word;
use crate::process::template::Template;
use crate::report::export::xlsx::sample;
use crate::store::audit::{self, Action};
use crate::store::templates;
use crate::words::Code;

pub(in crate::http) const ROUTES: &[Route] = &[
    Route {
        method: "GET",
        path: "/api/templates",
        who: Who::SignedIn,
        summary: "The templates in use",
        handle: list,
    },
    Route {
        method: "GET",
        path: "/api/templates/{name}",
        who: Who::SignedIn,
        summary: "One template, as it is or in an earlier version, and which versions there are",
        handle: show,
    },
    Route {
        method: "GET",
        path: "/api/templates/{name}/sample.xlsx",
        who: Who::SignedIn,
        summary: "A workbook to fill in for a template",
        handle: sample,
    },
    Route {
        method: "PUT",
        path: "/api/templates/{name}",
        who: Who::Admin,
        summary: "Make a template, or a new version of it, from a Table Schema",
        handle: put,
    },
    Route {
        method: "DELETE",
        path: "/api/templates/{name}",
        who: Who::Admin,
        summary: "Delete a template; jobs that ran with it keep their version",
        handle: delete,
    },
];

/// Versions of a template that are listed.
const VERSIONS_MAX: u32 = 1_000;
/// Letters of a template's name.
const NAME_CHARS_MAX: usize = 64;

fn described(entry: &Entry) -> Result<Value> {
    let schema: Value = serde_json::from_str(&entry.schema)?;
    Ok(json!({
        "name": entry.name,
        "title": schema.get("title").cloned().unwrap_or(Value::Null),
        "version": entry.version,
        "built_in": entry.built_in,
        "schema": schema,
    }))
}

fn list(call: &mut Call<'_, '_>) -> Result<Response> {
    call.page()?;
    let entries = call.app.db.read(catalog::all)?;
    let templates = entries.iter().map(described).collect::<Result<Vec<_>>>()?;
    Ok(reply::json(
        200,
        &json!({ "success": true, "templates": templates, "next_cursor": null }),
    ))
}

fn show(call: &mut Call<'_, '_>) -> Result<Response> {
    let wanted = match call.query("version") {
        None => None,
        Some(text) => Some(
            text.parse::<i64>()
                .map_err(|_| Error::problem(Code::BadRequest, "version must be a whole number."))?,
        ),
    };
    let name = call.param(0);
    let (entry, versions) = call.app.db.read(|c| {
        let entry = match wanted {
            None => catalog::find(c, name)?,
            Some(version) => catalog::find_version(c, name, version)?,
        };
        Ok((entry, templates::versions(c, name, VERSIONS_MAX)?))
    })?;
    let mut described = described(&entry.ok_or_else(Error::not_found)?)?;
    described["versions"] = json!(versions);
    Ok(reply::json(
        200,
        &json!({ "success": true, "template": described }),
    ))
}

fn sample(call: &mut Call<'_, '_>) -> Result<Response> {
    let name = call.param(0).to_owned();
    let template = call.app.db.read(|c| match catalog::find(c, &name)? {
        Some(entry) => Template::parse(&entry.name, entry.version, &entry.schema),
        None => Err(Error::not_found()),
    })?;
    let columns = sample::columns(&template);
    workbooks::respond(call, &format!("{name}.xlsx"), |file| {
        sample::write(&call.app.settings.spool(), &name, &columns, file)
    })
}

fn put(call: &mut Call<'_, '_>) -> Result<Response> {
    let name = call.param(0).to_owned();
    check_name(&name)?;
    let schema: Value = call.json_of(catalog::SCHEMA_BYTES_MAX)?;
    let text = schema.to_string();
    // Parsed here, so that what is stored can be used.
    Template::parse(&name, 1, &text)?;
    let caller = call.caller()?;
    let by = caller.user.username.clone();
    let actor = call.actor()?;
    let (version, new) = call.app.db.write(|tx| {
        caller.check_again(tx)?;
        let newest = templates::newest(tx, &name)?;
        // What is stored as it is needs no version of its own.
        if let Some(own) = newest
            .as_ref()
            .filter(|own| own.schema.as_ref() == Some(&text))
        {
            return Ok((own.version, false));
        }
        let new = catalog::find(tx, &name)?.is_none();
        if new {
            catalog::check_free(tx, &name)?;
        }
        audit::note(tx, &actor, Action::TemplateStored, Some(&name))?;
        let version = newest.map_or(1, |own| own.version + 1);
        templates::add(tx, &name, version, Some(&text), &by)?;
        catalog::views::refresh(tx)?;
        Ok((version, new))
    })?;
    log::info!(
        "user={} template={} version={version} stored",
        word(&by),
        word(&name)
    );
    let entry = Entry {
        name,
        version,
        built_in: false,
        schema: text,
    };
    Ok(reply::json(
        if new { 201 } else { 200 },
        &json!({ "success": true, "template": described(&entry)? }),
    ))
}

fn check_name(name: &str) -> Result<()> {
    let fine = !name.is_empty()
        && name.chars().count() <= NAME_CHARS_MAX
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
        && name != catalog::AUTO;
    if fine {
        return Ok(());
    }
    Err(Error::problem(
        Code::BadRequest,
        "A template's name has 1 to 64 letters, digits, - or _, and is not \"auto\".",
    ))
}

fn delete(call: &mut Call<'_, '_>) -> Result<Response> {
    let name = call.param(0).to_owned();
    let by = call.caller()?.user.username.clone();
    let actor = call.actor()?;
    call.app.db.write(|tx| {
        audit::note(tx, &actor, Action::TemplateDeleted, Some(&name))?;
        let entry = catalog::find(tx, &name)?.ok_or_else(Error::not_found)?;
        if entry.built_in {
            return Err(Error::problem(
                Code::Forbidden,
                "A built-in template can't be deleted. Store one of the same name to use that instead.",
            ));
        }
        templates::add(tx, &name, entry.version + 1, None, &by)?;
        catalog::views::refresh(tx)
    })?;
    log::info!("user={} template={} deleted", word(&by), word(&name));
    Ok(reply::json(
        200,
        &json!({ "success": true, "message": format!("The template {name} was deleted.") }),
    ))
}
