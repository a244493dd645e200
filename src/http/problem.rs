//! Error → reply: the one place where a problem gets its status and an internal error is logged.

use rouille::Response;
use serde_json::{Map, Value, json};

use crate::error::{Error, Problem};
use crate::id;
use crate::words::Code;

/// The status of a code.
pub fn status(code: Code) -> u16 {
    match code {
        Code::BadRequest | Code::NoFile | Code::InvalidJson => 400,
        Code::InvalidCredentials
        | Code::SessionMissing
        | Code::SessionInvalid
        | Code::SessionExpired
        | Code::SessionRevoked => 401,
        Code::AccountDisabled
        | Code::Forbidden
        | Code::MustChange
        | Code::CrossOrigin
        | Code::WrongSetupCode => 403,
        Code::NotFound => 404,
        Code::MethodNotAllowed => 405,
        Code::RequestTimeout => 408,
        Code::JobInProgress
        | Code::NotFinished
        | Code::NotActive
        | Code::SetupDone
        | Code::NameTaken
        | Code::LastAdmin
        | Code::HasUploads
        | Code::IdempotencyInProgress => 409,
        Code::LengthRequired => 411,
        Code::TooLarge => 413,
        Code::UnsupportedFormat => 415,
        Code::RangeNotSatisfiable => 416,
        Code::UnreadableFile
        | Code::PasswordProtected
        | Code::TooComplex
        | Code::EmptyFile
        | Code::MissingColumns
        | Code::NoSuchSheet
        | Code::NoSuchTemplate
        | Code::InvalidTemplate
        | Code::IdempotencyMismatch
        | Code::WeakPassword => 422,
        Code::TooManyAttempts => 429,
        Code::HeadTooLarge => 431,
        Code::Internal | Code::Timeout | Code::Abandoned => 500,
        Code::Busy => 503,
        Code::HttpVersion => 505,
        Code::DiskFull => 507,
    }
}

/// A few words for the kind of problem.
pub fn title(code: Code) -> &'static str {
    match code {
        Code::BadRequest => "The request is not right",
        Code::NoFile => "No file",
        Code::InvalidJson => "Not valid JSON",
        Code::InvalidCredentials => "Name or password is wrong",
        Code::SessionMissing => "Not signed in",
        Code::SessionInvalid => "Unknown session",
        Code::SessionExpired => "Session expired",
        Code::SessionRevoked => "Session ended",
        Code::AccountDisabled => "Account disabled",
        Code::Forbidden => "Not allowed",
        Code::MustChange => "A password of one's own is needed",
        Code::CrossOrigin => "Request from another site",
        Code::WrongSetupCode => "Wrong setup code",
        Code::NotFound => "Not found",
        Code::MethodNotAllowed => "Method not allowed",
        Code::RequestTimeout => "The request took too long",
        Code::JobInProgress => "A job is in progress",
        Code::NotFinished => "The job is not finished",
        Code::NotActive => "Not possible in this state",
        Code::SetupDone => "Already set up",
        Code::NameTaken => "The name is taken",
        Code::LastAdmin => "The last administrator",
        Code::HasUploads => "The user has uploads",
        Code::IdempotencyInProgress => "The first request is still running",
        Code::LengthRequired => "Length required",
        Code::TooLarge => "Too large",
        Code::UnsupportedFormat => "Not a supported format",
        Code::UnreadableFile => "The file can't be read",
        Code::PasswordProtected => "Protected with a password",
        Code::TooComplex => "Too complex",
        Code::EmptyFile => "The file is empty",
        Code::MissingColumns => "Needed columns are missing",
        Code::NoSuchSheet => "No such sheet",
        Code::NoSuchTemplate => "No such template",
        Code::InvalidTemplate => "Not a valid template",
        Code::IdempotencyMismatch => "Another request had this key",
        Code::WeakPassword => "The password is too weak",
        Code::TooManyAttempts => "Too many attempts",
        Code::HeadTooLarge => "The request's head is too large",
        Code::RangeNotSatisfiable => "No such part",
        Code::Internal => "Something failed on the server",
        Code::HttpVersion => "This version of HTTP is not spoken",
        Code::Busy => "The server is busy",
        Code::DiskFull => "The server has no room left",
        Code::Timeout => "The job took too long",
        Code::Abandoned => "The job was given up",
    }
}

/// The body of a problem.
pub fn body(problem: &Problem) -> Value {
    let mut members = Map::new();
    members.insert("success".to_owned(), json!(false));
    members.insert(
        "type".to_owned(),
        json!(format!(
            "https://sheetline.invalid/problems/{}",
            problem.code
        )),
    );
    members.insert("title".to_owned(), json!(title(problem.code)));
    members.insert("status".to_owned(), json!(status(problem.code)));
    members.insert("code".to_owned(), json!(problem.code.as_str()));
    members.insert("detail".to_owned(), json!(problem.detail));
    for (name, value) in &problem.members {
        members.insert(name.clone(), value.clone());
    }
    Value::Object(members)
}

/// The reply for an error. What is our own fault is logged here, in full and once, with a
/// reference that the person is told.
pub fn reply(error: Error) -> Response {
    let problem = match error {
        Error::Problem(problem) => *problem,
        Error::Stopped => Problem::new(
            Code::Busy,
            "The server is restarting. Try again in a few seconds.",
        )
        .with("retry_after", 2),
        error @ (Error::Database(_) | Error::Io(_) | Error::Internal(_)) => {
            if error.is_disk_full() {
                disk_full()
            } else if error.is_busy() {
                log::warn!("busy: {error}");
                Problem::new(
                    Code::Busy,
                    "The database is busy. Try again in a few seconds.",
                )
                .with("retry_after", 2)
            } else {
                internal(&error)
            }
        }
    };
    respond(&problem)
}

fn disk_full() -> Problem {
    Problem::new(
        Code::DiskFull,
        "The server has no room left. Nothing was stored. Tell your administrator.",
    )
}

/// A problem for what is our own fault, with a reference under which the log has the rest.
pub fn internal(error: &Error) -> Problem {
    let reference = reference();
    log::error!("ref={reference} {error}");
    Problem::new(
        Code::Internal,
        format!("Something failed on the server; nothing was stored. Tell your administrator the reference {reference}."),
    )
    .with("reference", reference)
}

/// A short reference that a person can read out.
pub fn reference() -> String {
    match id::random::<4>() {
        Ok(bytes) => id::hex(&bytes).to_uppercase(),
        Err(_) => "00000000".to_owned(),
    }
}

/// A problem as a response.
pub fn respond(problem: &Problem) -> Response {
    let mut response = Response::from_data(
        "application/problem+json",
        body(problem).to_string().into_bytes(),
    )
    .with_status_code(status(problem.code))
    .with_additional_header("Cache-Control", "no-store");
    if let Some(seconds) = problem.members.get("retry_after").and_then(Value::as_u64) {
        response = response.with_additional_header("Retry-After", seconds.to_string());
    }
    if status(problem.code) == 401 {
        response = response.with_additional_header("WWW-Authenticate", "Bearer");
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_internal_error_shows_neither_sql_nor_path() {
        let response = reply(Error::Internal("SELECT secret FROM /etc/passwd".to_owned()));
        assert_eq!(response.status_code, 500);
        let (mut reader, _) = response.data.into_reader_and_size();
        let mut text = String::new();
        std::io::Read::read_to_string(&mut reader, &mut text).unwrap();
        assert!(!text.contains("SELECT") && !text.contains("/etc"));
        assert!(text.contains("reference"));
    }

    #[test]
    fn every_code_says_what_it_is_in_its_own_words() {
        let mut words: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), Code::ALL.len());
        for code in Code::ALL {
            assert_eq!(Code::parse(code.as_str()), Some(*code));
            assert!(status(*code) >= 400 && !title(*code).is_empty());
        }
    }
}
