//! What answers the routes: one file per subject, each with its part of the route table.

pub mod auth;
pub mod document;
pub mod files;
pub mod jobs;
pub mod mappings;
pub mod operations;
pub mod page;
pub mod preview;
pub mod results;
pub mod templates;
mod undo;
pub mod users;
pub mod workbooks;

use crate::http::routes::Route;

/// The parts of the route table. A path without parameter stands before one that would match it.
pub(in crate::http) const TABLES: &[&[Route]] = &[
    page::ROUTES,
    auth::ROUTES,
    users::ROUTES,
    jobs::ROUTES,
    preview::ROUTES,
    files::ROUTES,
    document::ROUTES,
    results::ROUTES,
    workbooks::ROUTES,
    templates::ROUTES,
    mappings::ROUTES,
    operations::ROUTES,
];
