//! The street side: sockets, the route table, and the handlers behind it.

pub mod call;
pub mod carriers;
pub mod downloads;
pub mod fields;
pub mod handlers;
pub mod listener;
pub mod multipart;
pub mod problem;
pub mod reply;
pub mod routes;
