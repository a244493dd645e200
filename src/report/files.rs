//! Files as people see them.

use rusqlite::Connection;
use serde_json::{Value, json};

use super::jobs as job_report;
use crate::error::Result;
use crate::sheet::summary;
use crate::store::jobs;
use crate::store::uploads::{self, Upload};
use crate::turns::Turns;

/// A file in a list.
///
/// # Errors
/// `Database`.
pub fn line(connection: &Connection, upload: &Upload, turns: &Turns) -> Result<Value> {
    let last_job = match jobs::newest_of_upload(connection, upload.no)? {
        Some(job) => job_report::line(&job, turns),
        None => Value::Null,
    };
    Ok(json!({
        "id": upload.id,
        "filename": upload.filename,
        "size": upload.size,
        "sha256": upload.sha256,
        "format": upload.format.as_str(),
        "uploaded_by": upload.uploaded_by,
        "uploaded_at": upload.uploaded_at,
        "rows": upload.rows,
        "status": upload.status.as_str(),
        "last_job": last_job,
    }))
}

/// A file with its sheets.
///
/// # Errors
/// `Database`.
pub fn whole(connection: &Connection, upload: &Upload, turns: &Turns) -> Result<Value> {
    let mut value = line(connection, upload, turns)?;
    let sheets = uploads::sheets(connection, upload.no)?;
    let duplicate = uploads::same_content(connection, upload.user, &upload.sha256, upload.no)?;
    let columns = sheets
        .iter()
        .find(|sheet| Some(sheet.position) == upload.default_sheet)
        .map(|sheet| sheet.columns.len());
    if let Value::Object(members) = &mut value {
        members.insert("columns".to_owned(), json!(columns));
        members.insert(
            "sheets".to_owned(),
            Value::Array(sheets.iter().map(summary::line).collect()),
        );
        members.insert("encoding".to_owned(), json!(upload.encoding));
        members.insert("delimiter".to_owned(), json!(upload.delimiter));
        members.insert("duplicate_of".to_owned(), json!(duplicate));
    }
    Ok(value)
}
