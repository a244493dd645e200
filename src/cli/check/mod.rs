//! `check`: what an administrator should know before somebody else notices, each with the next step.

mod database;
mod machine;
mod mounts;
mod nasty;
mod proxy;
mod self_test;
mod through;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde_json::{Value, json};

use super::{out, serve};
use crate::error::Result;

/// What `check` is told beside the server's own settings, which it looks at.
#[derive(Debug, clap::Args)]
#[group(skip)] // its name would be that of others
pub(super) struct Flags {
    /// Print the findings as JSON
    #[arg(long)]
    json: bool,
    /// Send bodies of growing size through a proxy and tell where it stops; needs --token-file
    #[arg(long, value_name = "URL")]
    through: Option<String>,
    /// A file with an administrator's API token, for --through
    #[arg(long, env = "SHEETLINE_TOKEN_FILE", value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// The certificate of your own authority, in PEM form, where --through is https
    #[arg(long, value_name = "FILE", requires = "through")]
    ca: Option<PathBuf>,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Finding {
    /// A word for programs.
    check: &'static str,
    sound: bool,
    /// What was found.
    said: String,
    /// What to do, where it is not sound.
    next: String,
}

impl Finding {
    fn sound(check: &'static str, said: impl Into<String>) -> Finding {
        Finding {
            check,
            sound: true,
            said: said.into(),
            next: String::new(),
        }
    }

    fn problem(check: &'static str, said: impl Into<String>, next: impl Into<String>) -> Finding {
        Finding {
            check,
            sound: false,
            said: said.into(),
            next: next.into(),
        }
    }

    fn json(&self) -> Value {
        json!({
            "check": self.check,
            "sound": self.sound,
            "message": self.said,
            "next": if self.sound { Value::Null } else { self.next.clone().into() },
        })
    }
}

/// Runs the command: a line per finding, exit status 1 where one is not sound.
///
/// # Errors
/// Where there is no database, or nobody can be told what was found.
pub(super) fn run(serve: &serve::Flags, flags: &Flags) -> Result<ExitCode> {
    let settings = serve.settings();
    let path = settings.db.as_path();
    if !path.exists() {
        super::must_exist(path)?;
    }
    let mut findings = database::look(path, &settings);
    findings.extend(machine::all(path));
    findings.extend(proxy::settings(&settings));
    findings.extend(self_test::all());
    if let Some(url) = &flags.through {
        findings.extend(through::all(
            url,
            flags.token_file.as_deref(),
            flags.ca.as_deref(),
            &settings,
        ));
    }
    let sound = findings.iter().all(|finding| finding.sound);
    if flags.json {
        let list: Vec<Value> = findings.iter().map(Finding::json).collect();
        out::line(json!({ "sound": sound, "findings": list }))?;
    } else {
        let mut text = String::new();
        for finding in &findings {
            let mark = if finding.sound { "ok     " } else { "PROBLEM" };
            text.push_str(&format!("{mark} {}\n", finding.said));
            if !finding.sound {
                text.push_str(&format!("        -> {}\n", finding.next));
            }
        }
        out::text(text)?;
    }
    Ok(ExitCode::from(u8::from(!sound)))
}

/// Says in the log what is wrong with who may read the database and where it lies; for the start of
/// the server.
pub(super) fn warn_of_place(path: &Path) {
    for finding in [machine::permissions(path), machine::file_system(path)] {
        if !finding.sound {
            log::warn!("{}: {}", finding.said, finding.next);
        }
    }
}
