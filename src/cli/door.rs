//! What one connection may cost, as flags of `serve`.

use std::time::Duration;

use clap::Args;

use crate::settings::Door;

/// Over one of these a request is refused or its connection ends.
#[derive(Debug, Clone, Args)]
#[group(skip)] // its name would be that of others
pub(super) struct Flags {
    /// KiB of a request's head
    #[arg(long, env = "SHEETLINE_MAX_HEAD_KB", default_value_t = 64, value_name = "N", hide_env = true,
          value_parser = clap::value_parser!(u32).range(1..=1024))]
    max_head_kb: u32,
    /// Header lines of a request
    #[arg(long, env = "SHEETLINE_MAX_HEADERS", default_value_t = 100, value_name = "N", hide_env = true,
          value_parser = clap::value_parser!(u32).range(1..=10_000))]
    max_headers: u32,
    /// KiB of a request's address
    #[arg(long, env = "SHEETLINE_MAX_TARGET_KB", default_value_t = 16, value_name = "N", hide_env = true,
          value_parser = clap::value_parser!(u32).range(1..=1024))]
    max_target_kb: u32,
    /// Seconds for a request's head
    #[arg(long, env = "SHEETLINE_HEAD_TIMEOUT", default_value_t = 10, value_name = "SECONDS", hide_env = true,
          value_parser = clap::value_parser!(u64).range(1..=3600))]
    head_timeout: u64,
    /// Seconds for a request's body, and one more for each 64 KiB
    #[arg(long, env = "SHEETLINE_BODY_TIMEOUT", default_value_t = 30, value_name = "SECONDS", hide_env = true,
          value_parser = clap::value_parser!(u64).range(1..=3600))]
    body_timeout: u64,
    /// Seconds for taking an answer, and one more for each 4 KiB
    #[arg(long, env = "SHEETLINE_ANSWER_TIMEOUT", default_value_t = 30, value_name = "SECONDS", hide_env = true,
          value_parser = clap::value_parser!(u64).range(1..=3600))]
    answer_timeout: u64,
    /// Seconds that a kept connection may be silent
    #[arg(long, env = "SHEETLINE_IDLE_TIMEOUT", default_value_t = 60, value_name = "SECONDS", hide_env = true,
          value_parser = clap::value_parser!(u64).range(1..=3600))]
    idle_timeout: u64,
}

impl Flags {
    pub(super) fn door(&self) -> Door {
        let count = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
        Door {
            head_bytes_max: count(self.max_head_kb) << 10,
            headers_max: count(self.max_headers),
            target_bytes_max: count(self.max_target_kb) << 10,
            head_time_max: Duration::from_secs(self.head_timeout),
            body_time_grace: Duration::from_secs(self.body_timeout),
            answer_time_grace: Duration::from_secs(self.answer_timeout),
            idle_time_max: Duration::from_secs(self.idle_timeout),
            ..Door::default()
        }
    }
}
