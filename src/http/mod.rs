//! The street side: sockets, the route table, and the handlers behind it.

pub mod listener;
pub mod multipart;
