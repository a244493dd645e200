//! The words on the wire: problem codes, job states and the other fixed vocabularies, written once
//! and used by the server, the database, the page and the documents.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Why a request or a job could not be done. The text form is the `code` of `problem+json`
/// and of a failed job's `error`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Code {
    BadRequest,
    NoFile,
    InvalidJson,
    InvalidCredentials,
    SessionMissing,
    SessionInvalid,
    SessionExpired,
    SessionRevoked,
    AccountDisabled,
    Forbidden,
    MustChange,
    CrossOrigin,
    WrongSetupCode,
    NotFound,
    MethodNotAllowed,
    RequestTimeout,
    JobInProgress,
    NotFinished,
    NotActive,
    SetupDone,
    NameTaken,
    LastAdmin,
    HasUploads,
    IdempotencyInProgress,
    LengthRequired,
    TooLarge,
    UnsupportedFormat,
    UnreadableFile,
    PasswordProtected,
    TooComplex,
    EmptyFile,
    MissingColumns,
    NoSuchSheet,
    NoSuchTemplate,
    InvalidTemplate,
    IdempotencyMismatch,
    WeakPassword,
    TooManyAttempts,
    HeadTooLarge,
    RangeNotSatisfiable,
    Internal,
    HttpVersion,
    Busy,
    DiskFull,
    /// Job outcomes only: the job ran longer than `--stale-after`.
    Timeout,
    /// Job outcomes only: the process died three times while it worked on this job.
    Abandoned,
}

impl Code {
    /// Every code, so that documents and tests can walk them.
    pub const ALL: &'static [Code] = &[
        Code::BadRequest,
        Code::NoFile,
        Code::InvalidJson,
        Code::InvalidCredentials,
        Code::SessionMissing,
        Code::SessionInvalid,
        Code::SessionExpired,
        Code::SessionRevoked,
        Code::AccountDisabled,
        Code::Forbidden,
        Code::MustChange,
        Code::CrossOrigin,
        Code::WrongSetupCode,
        Code::NotFound,
        Code::MethodNotAllowed,
        Code::RequestTimeout,
        Code::JobInProgress,
        Code::NotFinished,
        Code::NotActive,
        Code::SetupDone,
        Code::NameTaken,
        Code::LastAdmin,
        Code::HasUploads,
        Code::IdempotencyInProgress,
        Code::LengthRequired,
        Code::TooLarge,
        Code::UnsupportedFormat,
        Code::UnreadableFile,
        Code::PasswordProtected,
        Code::TooComplex,
        Code::EmptyFile,
        Code::MissingColumns,
        Code::NoSuchSheet,
        Code::NoSuchTemplate,
        Code::InvalidTemplate,
        Code::IdempotencyMismatch,
        Code::WeakPassword,
        Code::TooManyAttempts,
        Code::HeadTooLarge,
        Code::RangeNotSatisfiable,
        Code::Internal,
        Code::HttpVersion,
        Code::Busy,
        Code::DiskFull,
        Code::Timeout,
        Code::Abandoned,
    ];

    /// The code as it stands in JSON and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Code::BadRequest => "bad-request",
            Code::NoFile => "no-file",
            Code::InvalidJson => "invalid-json",
            Code::InvalidCredentials => "invalid-credentials",
            Code::SessionMissing => "session-missing",
            Code::SessionInvalid => "session-invalid",
            Code::SessionExpired => "session-expired",
            Code::SessionRevoked => "session-revoked",
            Code::AccountDisabled => "account-disabled",
            Code::Forbidden => "forbidden",
            Code::MustChange => "must-change",
            Code::CrossOrigin => "cross-origin",
            Code::WrongSetupCode => "wrong-setup-code",
            Code::NotFound => "not-found",
            Code::MethodNotAllowed => "method-not-allowed",
            Code::RequestTimeout => "request-timeout",
            Code::JobInProgress => "job-in-progress",
            Code::NotFinished => "not-finished",
            Code::NotActive => "not-active",
            Code::SetupDone => "setup-done",
            Code::NameTaken => "name-taken",
            Code::LastAdmin => "last-admin",
            Code::HasUploads => "has-uploads",
            Code::IdempotencyInProgress => "idempotency-in-progress",
            Code::LengthRequired => "length-required",
            Code::TooLarge => "too-large",
            Code::UnsupportedFormat => "unsupported-format",
            Code::UnreadableFile => "unreadable-file",
            Code::PasswordProtected => "password-protected",
            Code::TooComplex => "too-complex",
            Code::EmptyFile => "empty-file",
            Code::MissingColumns => "missing-columns",
            Code::NoSuchSheet => "no-such-sheet",
            Code::NoSuchTemplate => "no-such-template",
            Code::InvalidTemplate => "invalid-template",
            Code::IdempotencyMismatch => "idempotency-mismatch",
            Code::WeakPassword => "weak-password",
            Code::TooManyAttempts => "too-many-attempts",
            Code::HeadTooLarge => "head-too-large",
            Code::RangeNotSatisfiable => "range-not-satisfiable",
            Code::Internal => "internal",
            Code::HttpVersion => "http-version-not-supported",
            Code::Busy => "busy",
            Code::DiskFull => "disk-full",
            Code::Timeout => "timeout",
            Code::Abandoned => "abandoned",
        }
    }

    /// The code that `text` names, if any.
    pub fn parse(text: &str) -> Option<Code> {
        Code::ALL.iter().copied().find(|code| code.as_str() == text)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Where a job stands. `Pending` and `Processing` are active, the rest is final.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    Pending,
    Processing,
    Completed,
    Failed,
    Timeout,
    Cancelled,
}

impl State {
    pub const ALL: [State; 6] = [
        State::Pending,
        State::Processing,
        State::Completed,
        State::Failed,
        State::Timeout,
        State::Cancelled,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            State::Pending => "pending",
            State::Processing => "processing",
            State::Completed => "completed",
            State::Failed => "failed",
            State::Timeout => "timeout",
            State::Cancelled => "cancelled",
        }
    }

    pub fn parse(text: &str) -> Option<State> {
        State::ALL.into_iter().find(|state| state.as_str() == text)
    }

    /// Whether the job waits or runs.
    pub fn is_active(self) -> bool {
        match self {
            State::Pending | State::Processing => true,
            State::Completed | State::Failed | State::Timeout | State::Cancelled => false,
        }
    }
}

/// What a worker is doing with its job at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    Reading,
    Validating,
    Saving,
    Done,
}

impl Phase {
    pub fn as_str(self) -> &'static str {
        match self {
            Phase::Reading => "reading",
            Phase::Validating => "validating",
            Phase::Saving => "saving",
            Phase::Done => "done",
        }
    }
}

/// What a file really is, told by its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    Xlsx,
    Xlsm,
    Xlsb,
    Xls,
    Ods,
    Csv,
    Tsv,
}

impl Format {
    pub const ALL: [Format; 7] = [
        Format::Xlsx,
        Format::Xlsm,
        Format::Xlsb,
        Format::Xls,
        Format::Ods,
        Format::Csv,
        Format::Tsv,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Format::Xlsx => "xlsx",
            Format::Xlsm => "xlsm",
            Format::Xlsb => "xlsb",
            Format::Xls => "xls",
            Format::Ods => "ods",
            Format::Csv => "csv",
            Format::Tsv => "tsv",
        }
    }

    pub fn parse(text: &str) -> Option<Format> {
        Format::ALL
            .into_iter()
            .find(|format| format.as_str() == text)
    }
}

/// What happens to a row that is already in the office's list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnDuplicate {
    /// The list keeps what it has; the row is reported as a duplicate.
    Skip,
    /// The record takes the row's values, for the columns that the file has.
    Update,
}

impl OnDuplicate {
    pub fn as_str(self) -> &'static str {
        match self {
            OnDuplicate::Skip => "skip",
            OnDuplicate::Update => "update",
        }
    }

    pub fn parse(text: &str) -> Option<OnDuplicate> {
        match text {
            "skip" => Some(OnDuplicate::Skip),
            "update" => Some(OnDuplicate::Update),
            _ => None,
        }
    }
}

/// Whether the day or the month stands first in `03/08/2024`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum DayOrder {
    #[serde(rename = "day-month")]
    DayFirst,
    #[serde(rename = "month-day")]
    MonthFirst,
}

impl DayOrder {
    pub fn as_str(self) -> &'static str {
        match self {
            DayOrder::DayFirst => "day-month",
            DayOrder::MonthFirst => "month-day",
        }
    }

    pub fn parse(text: &str) -> Option<DayOrder> {
        match text {
            "day-month" => Some(DayOrder::DayFirst),
            "month-day" => Some(DayOrder::MonthFirst),
            _ => None,
        }
    }
}

/// What a user may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Member,
    Admin,
}

impl Role {
    pub fn as_str(self) -> &'static str {
        match self {
            Role::Member => "member",
            Role::Admin => "admin",
        }
    }

    pub fn parse(text: &str) -> Option<Role> {
        match text {
            "member" => Some(Role::Member),
            "admin" => Some(Role::Admin),
            _ => None,
        }
    }
}

/// What can be wrong with a row, a cell or a header: Frictionless's error types, and one of our own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    BlankLabel,
    DuplicateLabel,
    MissingLabel,
    ExtraLabel,
    IncorrectLabel,
    BlankRow,
    MissingCell,
    ExtraCell,
    TypeError,
    ConstraintError,
    UniqueError,
    PrimaryKey,
    /// The row is in the office's list already.
    DuplicateRecord,
}

impl Fault {
    pub const ALL: [Fault; 13] = [
        Fault::BlankLabel,
        Fault::DuplicateLabel,
        Fault::MissingLabel,
        Fault::ExtraLabel,
        Fault::IncorrectLabel,
        Fault::BlankRow,
        Fault::MissingCell,
        Fault::ExtraCell,
        Fault::TypeError,
        Fault::ConstraintError,
        Fault::UniqueError,
        Fault::PrimaryKey,
        Fault::DuplicateRecord,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Fault::BlankLabel => "blank-label",
            Fault::DuplicateLabel => "duplicate-label",
            Fault::MissingLabel => "missing-label",
            Fault::ExtraLabel => "extra-label",
            Fault::IncorrectLabel => "incorrect-label",
            Fault::BlankRow => "blank-row",
            Fault::MissingCell => "missing-cell",
            Fault::ExtraCell => "extra-cell",
            Fault::TypeError => "type-error",
            Fault::ConstraintError => "constraint-error",
            Fault::UniqueError => "unique-error",
            Fault::PrimaryKey => "primary-key",
            Fault::DuplicateRecord => "duplicate-record",
        }
    }

    /// Whether it says only that the row is somewhere else already.
    pub fn is_duplicate(self) -> bool {
        match self {
            Fault::UniqueError | Fault::PrimaryKey | Fault::DuplicateRecord => true,
            Fault::BlankLabel
            | Fault::DuplicateLabel
            | Fault::MissingLabel
            | Fault::ExtraLabel
            | Fault::IncorrectLabel
            | Fault::BlankRow
            | Fault::MissingCell
            | Fault::ExtraCell
            | Fault::TypeError
            | Fault::ConstraintError => false,
        }
    }
}

/// How a column of a file came to its field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// The user said so.
    Given,
    /// As the last time with these headers.
    Remembered,
    /// By the field's name or title; letter case, accents and punctuation apart.
    Exact,
    /// By another name that the template knows.
    Alias,
    /// By a name that is spelt almost like one of these.
    Fuzzy,
    /// By what stands in it.
    Content,
    /// Without a name of its own, by its place among the columns.
    Position,
    /// It belongs to no field and is kept beside them.
    None,
}

impl How {
    pub fn as_str(self) -> &'static str {
        match self {
            How::Given => "given",
            How::Remembered => "remembered",
            How::Exact => "exact",
            How::Alias => "alias",
            How::Fuzzy => "fuzzy",
            How::Content => "content",
            How::Position => "position",
            How::None => "none",
        }
    }
}
