//! An office in the process: the program's own route table and worker on a temporary database,
//! with a clock that stands still until it is moved.

use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use sheetline::app::App;
use sheetline::clock::{ManualClock, Timestamp};
use sheetline::http::listener::{Body, Incoming};
use sheetline::http::routes;
use sheetline::scheduler::Scheduler;
use sheetline::settings::Settings;
use sheetline::worker::{self, Ran};

use crate::forms;

/// Everybody's password.
pub(crate) const PASSWORD: &str = "correct horse battery";

/// The office.
pub(crate) struct Office {
    pub(crate) app: Arc<App>,
    pub(crate) clock: ManualClock,
    scheduler: Scheduler,
    /// Goes with the office.
    folder: Arc<tempfile::TempDir>,
}

/// An answer, read whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) bytes: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes)
            .unwrap_or_else(|_| panic!("no JSON: {}", String::from_utf8_lossy(&self.bytes)))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.bytes.clone()).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(header, _)| header.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The body, where the status is this one.
    #[track_caller]
    pub(crate) fn expect(&self, status: u16) -> Value {
        assert_eq!(
            self.status,
            status,
            "{}",
            String::from_utf8_lossy(&self.bytes)
        );
        self.json()
    }

    /// The code of a problem.
    #[track_caller]
    pub(crate) fn code(&self) -> String {
        let body = self.json();
        assert_eq!(body["success"], json!(false), "{body}");
        assert_eq!(body["status"], json!(self.status), "{body}");
        body["code"].as_str().unwrap().to_owned()
    }
}

impl Office {
    pub(crate) fn new() -> Office {
        Office::with(|_| {})
    }

    pub(crate) fn with(change: impl FnOnce(&mut Settings)) -> Office {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let clock = ManualClock::at(Timestamp::parse("2026-11-23T10:00:00Z").unwrap());
        let mut settings = Settings::new(folder.path().join("office.db"));
        settings.executable = PathBuf::from(env!("CARGO_BIN_EXE_sheetline"));
        change(&mut settings);
        let app = App::open(settings, Arc::new(clock.clone())).unwrap();
        Office {
            app: Arc::new(app),
            clock,
            scheduler: Scheduler::default(),
            folder,
        }
    }

    /// The same database in a new process, as far as a test can have that.
    pub(crate) fn restart(self) -> Office {
        let settings = self.app.settings.clone();
        let Office { clock, folder, .. } = self;
        let app = App::open(settings, Arc::new(clock.clone())).unwrap();
        Office {
            app: Arc::new(app),
            clock,
            scheduler: Scheduler::default(),
            folder,
        }
    }

    /// Adds a user and signs them in.
    pub(crate) fn member(&self, name: &str) -> Person<'_> {
        self.person(name, false)
    }

    pub(crate) fn admin(&self, name: &str) -> Person<'_> {
        self.person(name, true)
    }

    fn person(&self, name: &str, admin: bool) -> Person<'_> {
        sheetline::accounts::add_user(&self.app.db, name, PASSWORD, None, admin).unwrap();
        self.sign_in(name)
    }

    pub(crate) fn sign_in(&self, name: &str) -> Person<'_> {
        let body = json!({ "username": name, "password": PASSWORD }).to_string();
        let answer = self.call(
            "POST",
            "/api/auth/login",
            &[("Content-Type", "application/json")],
            body.into_bytes(),
        );
        let session = answer.expect(200)["session_id"]
            .as_str()
            .unwrap()
            .to_owned();
        Person {
            office: self,
            session,
        }
    }

    pub(crate) fn call(
        &self,
        method: &str,
        url: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Answer {
        let mut response = self.begin(method, url, headers, body);
        let headers = response
            .headers
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_string()))
            .collect();
        let data = std::mem::replace(&mut response.data, rouille::ResponseBody::empty());
        let (mut reader, _) = data.into_reader_and_size();
        let mut bytes = Vec::new();
        reader.read_to_end(&mut bytes).unwrap();
        Answer {
            status: response.status_code,
            headers,
            bytes,
        }
    }

    /// An answer of which nothing has been read yet.
    fn begin(
        &self,
        method: &str,
        url: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> rouille::Response {
        let headers = headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .chain([("Host".to_owned(), "office.test".to_owned())])
            .collect();
        let peer = "192.0.2.1:5000".parse().unwrap();
        let mut incoming = Incoming {
            request: rouille::Request::fake_http_from(peer, method, url, headers, Vec::new()),
            body: Body::from_bytes(body),
            peer,
        };
        routes::answer(&self.app, &mut incoming)
    }

    /// Works until nothing waits; what each step did.
    pub(crate) fn work_all(&self) -> Vec<Ran> {
        let mut done = Vec::new();
        loop {
            match worker::run_next(&self.app).unwrap() {
                Ran::Nothing => return done,
                ran @ (Ran::Job(..) | Ran::Lost(_)) => done.push(ran),
            }
        }
    }

    /// One step of a worker that is told to end while it works.
    pub(crate) fn work_all_until_put_back(&self) {
        let ran = worker::run_next(&self.app).unwrap();
        assert!(matches!(ran, Ran::Job(_, sheetline::words::State::Pending)));
    }

    /// A round of the scheduler.
    pub(crate) fn sweep(&mut self) {
        self.scheduler.sweep(&self.app).unwrap();
    }

    pub(crate) fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// A number that a query gives.
    pub(crate) fn number(&self, sql: &str) -> i64 {
        self.app
            .db
            .read(|c| Ok(c.query_row(sql, [], |row| row.get(0))?))
            .unwrap()
    }

    /// The texts that a query gives, one a row.
    pub(crate) fn texts(&self, sql: &str) -> Vec<String> {
        self.app
            .db
            .read(|c| {
                let mut statement = c.prepare(sql)?;
                let rows = statement.query_map([], |row| row.get(0))?;
                Ok(rows.collect::<rusqlite::Result<_>>()?)
            })
            .unwrap()
    }
}

/// Somebody who is signed in.
pub(crate) struct Person<'a> {
    pub(crate) office: &'a Office,
    pub(crate) session: String,
}

impl Person<'_> {
    fn bearer(&self) -> String {
        format!("Bearer {}", self.session)
    }

    pub(crate) fn get(&self, url: &str) -> Answer {
        self.office
            .call("GET", url, &[("Authorization", &self.bearer())], Vec::new())
    }

    /// The body of an answer, to be read by and by.
    pub(crate) fn get_slowly(&self, url: &str) -> Box<dyn Read + Send> {
        let bearer = self.bearer();
        self.office
            .begin("GET", url, &[("Authorization", &bearer)], Vec::new())
            .data
            .into_reader_and_size()
            .0
    }

    pub(crate) fn send(&self, method: &str, url: &str, body: &Value) -> Answer {
        self.office.call(
            method,
            url,
            &[
                ("Authorization", &self.bearer()),
                ("Content-Type", "application/json"),
            ],
            body.to_string().into_bytes(),
        )
    }

    pub(crate) fn post(&self, url: &str) -> Answer {
        self.office.call(
            "POST",
            url,
            &[("Authorization", &self.bearer())],
            Vec::new(),
        )
    }

    /// Sends a file with fields to one of the uploads.
    pub(crate) fn upload(
        &self,
        route: &str,
        name: &str,
        bytes: &[u8],
        fields: &[(&str, &str)],
    ) -> Answer {
        self.upload_with(route, name, bytes, fields, &[])
    }

    pub(crate) fn upload_with(
        &self,
        route: &str,
        name: &str,
        bytes: &[u8],
        fields: &[(&str, &str)],
        headers: &[(&str, &str)],
    ) -> Answer {
        let (content_type, body) = forms::multipart(name, bytes, fields);
        let bearer = self.bearer();
        let mut all = vec![
            ("Authorization", bearer.as_str()),
            ("Content-Type", content_type.as_str()),
        ];
        all.extend_from_slice(headers);
        self.office
            .call("POST", &format!("/api/files/{route}"), &all, body)
    }

    /// Uploads a list and queues it; the job's id.
    #[track_caller]
    pub(crate) fn queue(&self, name: &str, bytes: &[u8]) -> i64 {
        self.upload("upload-and-process", name, bytes, &[])
            .expect(202)["job_id"]
            .as_i64()
            .unwrap()
    }

    #[track_caller]
    pub(crate) fn job(&self, id: i64) -> Value {
        self.get(&format!("/api/jobs/{id}")).expect(200)["job"].clone()
    }
}
