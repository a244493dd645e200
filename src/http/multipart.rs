//! Streaming multipart (to come).
