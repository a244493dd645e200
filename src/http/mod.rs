//! The street side: sockets, the route table, and the handlers behind it.

mod body;
pub mod call;
pub mod carriers;
pub mod compress;
pub mod disposition;
pub mod downloads;
pub mod exposition;
pub mod fields;
pub mod handlers;
pub mod listener;
pub mod multipart;
mod openapi;
pub mod percent;
pub mod problem;
pub mod ranges;
pub mod reply;
pub mod routes;
