//! What answers the routes: one file per subject, each with its part of the route table.

pub mod auth;
pub mod users;

use crate::http::routes::Route;

/// The parts of the route table.
pub(in crate::http) const TABLES: &[&[Route]] = &[auth::ROUTES, users::ROUTES];
