//! What one connection may cost, as flags of `serve`.

use std::time::Duration;

use clap::Args;

use super::values::whole;
use crate::settings::{Bodies, Door};

/// Over one of these a request is refused or its connection ends.
#[derive(Debug, Clone, Args)]
#[group(skip)] // its name would be that of others
pub(super) struct Flags {
    /// Connections open at once from one address (this computer and trusted proxies apart); without it a
    /// quarter of --max-connections
    #[arg(long, env = "SHEETLINE_MAX_CONNECTIONS_PER_ADDRESS", value_name = "N",
          value_parser = whole::<u32>(1..=1_000_000))]
    max_connections_per_address: Option<u32>,
    /// KiB of a request's head
    #[arg(long, env = "SHEETLINE_MAX_HEAD_KB", default_value_t = 64, value_name = "N",
          value_parser = whole::<u32>(1..=1024))]
    max_head_kb: u32,
    /// Header lines of a request
    #[arg(long, env = "SHEETLINE_MAX_HEADERS", default_value_t = 100, value_name = "N",
          value_parser = whole::<u32>(1..=10_000))]
    max_headers: u32,
    /// KiB of a request's address
    #[arg(long, env = "SHEETLINE_MAX_TARGET_KB", default_value_t = 16, value_name = "N",
          value_parser = whole::<u32>(1..=1024))]
    max_target_kb: u32,
    /// Seconds for a request's head
    #[arg(long, env = "SHEETLINE_HEAD_TIMEOUT", default_value_t = 10, value_name = "SECONDS",
          value_parser = whole::<u64>(1..=3600))]
    head_timeout: u64,
    /// Seconds for a request's body, and one more for each --body-rate-kb
    #[arg(long, env = "SHEETLINE_BODY_TIMEOUT", default_value_t = 30, value_name = "SECONDS",
          value_parser = whole::<u64>(1..=3600))]
    body_timeout: u64,
    /// Least rate of a body: KiB that give it one second more
    #[arg(long, env = "SHEETLINE_BODY_RATE_KB", default_value_t = 64, value_name = "N",
          value_parser = whole::<u32>(1..=1_048_576))]
    body_rate_kb: u32,
    /// Seconds for taking an answer, and one more for each --answer-rate-kb
    #[arg(long, env = "SHEETLINE_ANSWER_TIMEOUT", default_value_t = 30, value_name = "SECONDS",
          value_parser = whole::<u64>(1..=3600))]
    answer_timeout: u64,
    /// Least rate of taking an answer: KiB that give it one second more
    #[arg(long, env = "SHEETLINE_ANSWER_RATE_KB", default_value_t = 4, value_name = "N",
          value_parser = whole::<u32>(1..=1_048_576))]
    answer_rate_kb: u32,
    /// Seconds that a kept connection may be silent
    #[arg(long, env = "SHEETLINE_IDLE_TIMEOUT", default_value_t = 60, value_name = "SECONDS",
          value_parser = whole::<u64>(1..=3600))]
    idle_timeout: u64,
    /// KiB of a JSON body
    #[arg(long, env = "SHEETLINE_MAX_JSON_KB", default_value_t = 64, value_name = "N",
          value_parser = whole::<u32>(1..=16_384))]
    max_json_kb: u32,
    /// Fields of a form beside its file
    #[arg(long, env = "SHEETLINE_MAX_FORM_FIELDS", default_value_t = 32, value_name = "N",
          value_parser = whole::<u32>(10..=1_000))]
    max_form_fields: u32,
    /// Bytes of the name of a form's field
    #[arg(long, env = "SHEETLINE_MAX_FORM_NAME_BYTES", default_value_t = 100, value_name = "N",
          value_parser = whole::<u32>(20..=10_000))]
    max_form_name_bytes: u32,
    /// KiB of a form's field
    #[arg(long, env = "SHEETLINE_MAX_FORM_FIELD_KB", default_value_t = 16, value_name = "N",
          value_parser = whole::<u32>(1..=1_024))]
    max_form_field_kb: u32,
    /// KiB of a form's part headers, and of what stands around its parts
    #[arg(long, env = "SHEETLINE_MAX_FORM_HEAD_KB", default_value_t = 64, value_name = "N",
          value_parser = whole::<u32>(1..=1_024))]
    max_form_head_kb: u32,
}

impl Flags {
    pub(super) fn door(&self) -> Door {
        Door {
            head_bytes_max: count(self.max_head_kb) << 10,
            headers_max: count(self.max_headers),
            target_bytes_max: count(self.max_target_kb) << 10,
            head_time_max: Duration::from_secs(self.head_timeout),
            body_time_grace: Duration::from_secs(self.body_timeout),
            answer_time_grace: Duration::from_secs(self.answer_timeout),
            idle_time_max: Duration::from_secs(self.idle_timeout),
            body_bytes_per_second: u64::from(self.body_rate_kb) << 10,
            answer_bytes_per_second: u64::from(self.answer_rate_kb) << 10,
            ..Door::default()
        }
    }

    pub(super) fn bodies(&self) -> Bodies {
        Bodies {
            json_bytes_max: count(self.max_json_kb) << 10,
            form_fields_max: count(self.max_form_fields),
            form_name_bytes_max: count(self.max_form_name_bytes),
            form_value_bytes_max: count(self.max_form_field_kb) << 10,
            form_overhead_bytes_max: count(self.max_form_head_kb) << 10,
        }
    }

    /// Connections from one address, of `all` that there may be.
    pub(super) fn per_address(&self, all: usize) -> usize {
        self.max_connections_per_address
            .map_or((all / 4).max(1), count)
    }
}

fn count(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use crate::cli::Cli;
    use crate::settings::Settings;

    fn settings(flags: &[&str]) -> Settings {
        let arguments = std::iter::once("sheetline").chain(flags.iter().copied());
        Cli::try_parse_from(arguments).unwrap().serve.settings()
    }

    #[test]
    fn an_address_has_a_quarter_of_the_connections_where_nothing_is_said() {
        assert_eq!(settings(&[]).connections_per_address_max, 1_024);
        let few = settings(&["--max-connections", "3"]);
        assert_eq!(few.connections_per_address_max, 1);
        let said = settings(&["--max-connections-per-address", "3000"]);
        assert_eq!(said.connections_per_address_max, 3_000);
    }

    #[test]
    fn each_time_and_rate_goes_where_it_belongs() {
        let door = settings(&[
            "--head-timeout",
            "1",
            "--body-timeout",
            "2",
            "--answer-timeout",
            "3",
            "--idle-timeout",
            "4",
            "--body-rate-kb",
            "5",
            "--answer-rate-kb",
            "6",
        ])
        .door;
        let times = [
            door.head_time_max,
            door.body_time_grace,
            door.answer_time_grace,
            door.idle_time_max,
        ];
        assert_eq!(times.map(|time| time.as_secs()), [1, 2, 3, 4]);
        assert_eq!(door.body_bytes_per_second, 5 << 10);
        assert_eq!(door.answer_bytes_per_second, 6 << 10);
    }

    #[test]
    fn the_defaults_of_the_flags_are_those_of_the_settings() {
        let (flags, own) = (settings(&[]), Settings::new("sheetline.db".into()));
        assert_eq!(format!("{flags:?}"), format!("{own:?}"));
    }
}
