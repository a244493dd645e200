//! (to come)

use crate::http::routes::Route;

pub(in crate::http) const ROUTES: &[Route] = &[];
