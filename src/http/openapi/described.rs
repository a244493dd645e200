//! What the route table does not say of a route: its parameters, its body, its answers, and the codes of
//! its problems beside those that every route of its kind can have.

use crate::words::Code;

/// A parameter in the query or a header.
#[derive(Debug, Clone, Copy)]
pub(super) struct Parameter {
    pub(super) name: &'static str,
    pub(super) place: &'static str,
    /// A JSON Schema.
    pub(super) schema: &'static str,
    pub(super) about: &'static str,
}

/// What a request brings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Body {
    None,
    /// JSON of this schema.
    Json(&'static str),
    /// The same, or nothing.
    JsonOrNothing(&'static str),
    /// multipart/form-data of this schema.
    Form(&'static str),
    /// Bytes of any kind.
    Bytes,
}

/// What an answer brings.
#[derive(Debug, Clone, Copy)]
pub(super) enum Content {
    /// JSON of this schema.
    Json(&'static str),
    /// A file of one of these media types.
    File(&'static [&'static str]),
    Nothing,
}

/// One route.
pub(super) struct Described {
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    pub(super) parameters: &'static [Parameter],
    pub(super) body: Body,
    pub(super) answers: &'static [(u16, Content)],
    pub(super) problems: &'static [Code],
}

const fn query(name: &'static str, schema: &'static str, about: &'static str) -> Parameter {
    Parameter {
        name,
        place: "query",
        schema,
        about,
    }
}

const fn header(name: &'static str, about: &'static str) -> Parameter {
    Parameter {
        name,
        place: "header",
        schema: r#"{"type":"string"}"#,
        about,
    }
}

const TEXT: &str = r#"{"type":"string"}"#;
const LIMIT: Parameter = query(
    "limit",
    r#"{"type":"integer","minimum":1,"default":50}"#,
    "items of a page; at most 1,000 are given",
);
const VERSION: Parameter = query(
    "version",
    r#"{"type":"integer","minimum":0}"#,
    "an earlier version; 0 is the built-in one",
);
const CURSOR: Parameter = query(
    "cursor",
    r#"{"type":"string","pattern":"^[0-9]{0,18}$"}"#,
    "next_cursor of the page before",
);
const ALL: Parameter = query(
    "all",
    r#"{"enum":["0","1","true","false"]}"#,
    "1 or true: everybody's, for administrators",
);
const IF_NONE_MATCH: Parameter = header("If-None-Match", "the ETag that the client has");
const IDEMPOTENCY_KEY: Parameter = Parameter {
    name: "Idempotency-Key",
    place: "header",
    schema: r#"{"type":"string","minLength":1,"maxLength":200,"pattern":"^[!-~]+$"}"#,
    about: "the same key and body give the first answer again, for 24 hours",
};

const XLSX: &[&str] = &["application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"];
const SPREADSHEETS: &[&str] = &[
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/vnd.ms-excel.sheet.macroEnabled.12",
    "application/vnd.ms-excel.sheet.binary.macroEnabled.12",
    "application/vnd.ms-excel",
    "application/vnd.oasis.opendocument.spreadsheet",
    "text/csv",
    "text/tab-separated-values",
];

/// Why a file is refused.
const FILE: &[Code] = &[
    Code::NoFile,
    Code::UnsupportedFormat,
    Code::UnreadableFile,
    Code::PasswordProtected,
    Code::TooComplex,
    Code::EmptyFile,
    Code::NoSuchSheet,
    Code::IdempotencyMismatch,
    Code::IdempotencyInProgress,
];
const FILE_TO_PROCESS: &[Code] = &[
    Code::NoFile,
    Code::UnsupportedFormat,
    Code::UnreadableFile,
    Code::PasswordProtected,
    Code::TooComplex,
    Code::EmptyFile,
    Code::NoSuchSheet,
    Code::NoSuchTemplate,
    Code::InvalidJson,
    Code::JobInProgress,
    Code::IdempotencyMismatch,
    Code::IdempotencyInProgress,
];
const UNFINISHED: &[Code] = &[Code::NotFinished];
const WORKBOOK: &[Code] = &[Code::NotFinished, Code::NoSuchSheet, Code::DiskFull];

const fn route(
    method: &'static str,
    path: &'static str,
    parameters: &'static [Parameter],
    body: Body,
    answers: &'static [(u16, Content)],
    problems: &'static [Code],
) -> Described {
    Described {
        method,
        path,
        parameters,
        body,
        answers,
        problems,
    }
}

use Body::{Bytes, Form, Json, JsonOrNothing, None};
use Content::{File, Json as Answer, Nothing};

/// Every route, in the order of the route table.
#[rustfmt::skip] // a line a route reads like a table
pub(super) const ALL_ROUTES: &[Described] = &[
    route("GET", "/", &[IF_NONE_MATCH], None, &[(200, File(&["text/html"])), (304, Nothing)], &[]),
    route("GET", "/static/{name}", &[IF_NONE_MATCH], None, &[(200, File(&["text/javascript", "text/css", "text/html", "image/svg+xml"])), (304, Nothing)], &[]),
    route("GET", "/favicon.ico", &[IF_NONE_MATCH], None, &[(200, File(&["image/svg+xml"])), (304, Nothing)], &[]),

    route("POST", "/api/auth/setup", &[], Json("SetupBody"), &[(201, Answer("UserAnswer"))], &[Code::WrongSetupCode, Code::SetupDone, Code::WeakPassword, Code::TooManyAttempts, Code::NameTaken]),
    route("POST", "/api/auth/login", &[], Json("LoginBody"), &[(200, Answer("SignedIn"))], &[Code::InvalidCredentials, Code::AccountDisabled, Code::TooManyAttempts]),
    route("POST", "/api/auth/logout", &[], None, &[(200, Answer("Done"))], &[]),
    route("GET", "/api/auth/session", &[], None, &[(200, Answer("Session"))], &[]),
    route("GET", "/api/auth/sessions", &[LIMIT, CURSOR], None, &[(200, Answer("SessionList"))], &[]),
    route("DELETE", "/api/auth/sessions/{id}", &[], None, &[(200, Answer("Done"))], &[]),
    route("POST", "/api/auth/password", &[], Json("PasswordBody"), &[(200, Answer("SessionsEnded"))], &[Code::InvalidCredentials, Code::WeakPassword, Code::TooManyAttempts]),
    route("GET", "/api/auth/tokens", &[LIMIT, CURSOR], None, &[(200, Answer("TokenList"))], &[]),
    route("POST", "/api/auth/tokens", &[], Json("TokenBody"), &[(201, Answer("NewToken"))], &[]),
    route("DELETE", "/api/auth/tokens/{id}", &[], None, &[(200, Answer("Done"))], &[]),

    route("GET", "/api/users", &[LIMIT, CURSOR], None, &[(200, Answer("UserList"))], &[]),
    route("POST", "/api/users", &[], Json("NewUserBody"), &[(201, Answer("UserAnswer"))], &[Code::NameTaken, Code::WeakPassword]),
    route("PATCH", "/api/users/{id}", &[], Json("UserChangeBody"), &[(200, Answer("UserAnswer"))], &[Code::LastAdmin, Code::WeakPassword]),
    route("DELETE", "/api/users/{id}", &[query("transfer_to", r#"{"type":"integer"}"#, "the id of who takes over the uploads")], None, &[(200, Answer("Done"))], &[Code::HasUploads, Code::LastAdmin, Code::JobInProgress]),
    route("GET", "/api/admin/audit", &[LIMIT, CURSOR], None, &[(200, Answer("Trail"))], &[]),
    route("DELETE", "/api/users/{id}/sessions", &[], None, &[(200, Answer("SessionsEnded"))], &[]),

    route("GET", "/api/files/processing-status", &[IF_NONE_MATCH, query("wait", r#"{"type":"number","minimum":0}"#, "with If-None-Match: answer when something changed, after so many seconds at the latest; cut at 25")], None, &[(200, Answer("Status")), (304, Nothing)], &[]),
    route("GET", "/api/jobs", &[LIMIT, CURSOR, ALL, query("status", r##"{"$ref":"#/components/schemas/JobState"}"##, "only these")], None, &[(200, Answer("JobList"))], &[Code::Forbidden]),
    route("GET", "/api/jobs/{id}", &[], None, &[(200, Answer("JobAnswer"))], &[]),
    route("POST", "/api/jobs/{id}/cancel", &[], None, &[(200, Answer("JobAnswer")), (202, Answer("JobAnswer"))], &[Code::NotActive]),
    route("POST", "/api/jobs/{id}/retry", &[], None, &[(202, Answer("Queued"))], &[Code::NotActive, Code::JobInProgress, Code::NoSuchTemplate]),
    route("POST", "/api/jobs/{id}/undo", &[], None, &[(200, Answer("UndoAnswer"))], &[Code::NotActive]),
    route("GET", "/api/admin/queue", &[LIMIT, CURSOR], None, &[(200, Answer("Queue"))], &[]),
    route("POST", "/api/admin/queue/pause", &[], Json("PauseBody"), &[(200, Answer("Queue"))], &[]),
    route("POST", "/api/admin/queue/resume", &[], None, &[(200, Answer("Queue"))], &[Code::NotActive]),

    route("POST", "/api/files/preview", &[], Form("UploadToProcess"), &[(200, Answer("Preview"))], FILE_TO_PROCESS),
    route("POST", "/api/files/{id}/preview", &[], JsonOrNothing("ProcessBody"), &[(200, Answer("Preview"))], &[Code::NoSuchTemplate, Code::NoSuchSheet, Code::EmptyFile, Code::UnreadableFile, Code::PasswordProtected, Code::TooComplex, Code::UnsupportedFormat, Code::DiskFull]),
    route("POST", "/api/files/upload-json", &[IDEMPOTENCY_KEY], Form("Upload"), &[(201, Answer("StoredFile"))], FILE),
    route("POST", "/api/files/upload-and-process", &[IDEMPOTENCY_KEY], Form("UploadToProcess"), &[(202, Answer("Queued"))], FILE_TO_PROCESS),
    route("GET", "/api/files", &[LIMIT, CURSOR, ALL, query("q", TEXT, "part of their names, whatever the case"), query("status", r#"{"type":"string","pattern":"^(not-processed|to-fix|pending|processing|completed|failed|timeout|cancelled)(,(not-processed|to-fix|pending|processing|completed|failed|timeout|cancelled))*$"}"#, "what became of them: the states of their newest jobs, with commas between; to-fix are completed ones with rows to fix")], None, &[(200, Answer("FileList"))], &[Code::Forbidden]),
    route("GET", "/api/files/{id}", &[], None, &[(200, Answer("FileAnswer"))], &[]),
    route("DELETE", "/api/files/{id}", &[], None, &[(200, Answer("Done"))], &[Code::JobInProgress]),
    route("GET", "/api/files/{id}/original", &[header("Range", "a part of the bytes"), IF_NONE_MATCH], None, &[(200, File(SPREADSHEETS)), (206, File(SPREADSHEETS)), (304, Nothing)], &[Code::RangeNotSatisfiable]),
    route("POST", "/api/files/{id}/process", &[], JsonOrNothing("ProcessBody"), &[(202, Answer("Queued"))], &[Code::JobInProgress, Code::NoSuchTemplate, Code::NoSuchSheet]),
    route("GET", "/api/files/{id}/json", &[
        query("sheet", TEXT, "its name; without it the default one"),
        query("format", r#"{"enum":["json","ndjson"]}"#, "ndjson: a row a line"),
        query("limit", r#"{"type":"integer","minimum":0}"#, "with ndjson: so many rows at most"),
    ], None, &[(200, Content::Json("Document"))], &[Code::NotFinished, Code::EmptyFile, Code::NoSuchSheet, Code::UnreadableFile, Code::PasswordProtected, Code::TooComplex, Code::UnsupportedFormat, Code::MissingColumns]),

    route("GET", "/api/jobs/{id}/report", &[], None, &[(200, Answer("Report"))], UNFINISHED),
    route("GET", "/api/jobs/{id}/records.json", &[], None, &[(200, Answer("JobRecords"))], UNFINISHED),
    route("GET", "/api/jobs/{id}/records.ndjson", &[], None, &[(200, File(&["application/x-ndjson"]))], UNFINISHED),
    route("GET", "/api/jobs/{id}/records.csv", &[query("bom", r#"{"enum":["0","1"]}"#, "0: without the mark at the beginning that Excel needs")], None, &[(200, File(&["text/csv"]))], UNFINISHED),
    route("GET", "/api/jobs/{id}/changes", &[LIMIT, CURSOR], None, &[(200, Answer("Changes"))], UNFINISHED),
    route("GET", "/api/records", &[LIMIT, CURSOR, query("template", r#"{"type":"string","default":"companies"}"#, "whose list"), query("q", TEXT, "what records must hold")], None, &[(200, Answer("Records"))], &[Code::NoSuchTemplate]),
    route("GET", "/api/jobs/{id}/records.xlsx", &[], None, &[(200, File(XLSX))], WORKBOOK),
    route("GET", "/api/jobs/{id}/annotated.xlsx", &[], None, &[(200, File(XLSX))], WORKBOOK),
    route("GET", "/api/jobs/{id}/repair.xlsx", &[], None, &[(200, File(XLSX))], WORKBOOK),

    route("GET", "/api/templates", &[LIMIT, CURSOR], None, &[(200, Answer("TemplateList"))], &[]),
    route("GET", "/api/templates/{name}", &[VERSION], None, &[(200, Answer("TemplateAnswer"))], &[]),
    route("GET", "/api/templates/{name}/sample.xlsx", &[], None, &[(200, File(XLSX))], &[Code::DiskFull]),
    route("PUT", "/api/templates/{name}", &[], Json("TableSchema"), &[(200, Answer("TemplateAnswer")), (201, Answer("TemplateAnswer"))], &[Code::InvalidTemplate, Code::NameTaken]),
    route("DELETE", "/api/templates/{name}", &[], None, &[(200, Answer("Done"))], &[Code::Forbidden]),
    route("GET", "/api/mappings", &[LIMIT, CURSOR], None, &[(200, Answer("MappingList"))], &[]),
    route("DELETE", "/api/mappings/{id}", &[], None, &[(200, Answer("Done"))], &[]),

    route("GET", "/api/health", &[], None, &[(200, Answer("Health")), (503, Answer("Health"))], &[]),
    route("GET", "/metrics", &[], None, &[(200, File(&["text/plain"]))], &[Code::SessionMissing, Code::SessionInvalid, Code::SessionExpired, Code::SessionRevoked, Code::AccountDisabled, Code::Forbidden]),
    route("GET", "/api/admin/figures", &[], None, &[(200, Answer("Figures"))], &[]),
    route("POST", "/api/admin/sink", &[], Bytes, &[(200, Answer("Sink"))], &[]),
    route("GET", "/api/openapi.json", &[], None, &[(200, Answer("OpenApi"))], &[]),
];
