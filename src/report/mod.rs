//! What a person sees: where they stand, their files, jobs, reports and downloads. Reads only.

pub mod estimate;
pub mod export;
pub mod figures;
pub mod files;
pub mod jobs;
pub mod paging;
mod speed;
pub mod status;
