-- Sheetline's database, made to be read with the sqlite3 shell: start with
--   SELECT * FROM v_queue;   SELECT * FROM v_history;   SELECT * FROM v_uploads;   SELECT * FROM v_sessions;
-- Times are RFC 3339 in UTC with milliseconds (2026-11-23T10:30:00.123Z), so that texts sort like times.
-- The rules that must never break (one active job per user, legal state changes, attempts, events)
-- stand here, so that they hold for every writer, a person with sqlite3 included.
-- Identifiers: jobs.id is AUTOINCREMENT and is the order of arrival; no order is ever taken from a time.

-- People ---------------------------------------------------------------------------------------

CREATE TABLE users (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    username      TEXT NOT NULL CHECK (length(username) BETWEEN 1 AND 64),
    username_key  TEXT NOT NULL,                    -- in lower case: names are unique without regard to case
    email         TEXT,
    role          TEXT NOT NULL CHECK (role IN ('admin', 'member')),
    password_hash TEXT NOT NULL,                    -- argon2id, in PHC form
    created_at    TEXT NOT NULL,
    disabled_at   TEXT,                             -- may not sign in since then
    must_change   INTEGER NOT NULL DEFAULT 0 CHECK (must_change IN (0, 1)), -- somebody else chose the password
    deleted_at    TEXT                              -- kept only so that history can name its people
) STRICT;
CREATE UNIQUE INDEX users_by_name ON users (username_key) WHERE deleted_at IS NULL;

CREATE TABLE sessions (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    token_hash    TEXT NOT NULL UNIQUE,             -- SHA-256 in hex: a stolen backup signs nobody in
    user_id       INTEGER NOT NULL REFERENCES users (id),
    created_at    TEXT NOT NULL,
    last_seen_at  TEXT NOT NULL,                    -- written late, by at most 60 s
    expires_at    TEXT NOT NULL,                    -- slides with every request
    ends_at       TEXT NOT NULL,                    -- the absolute end, which does not slide
    revoked_at    TEXT,                             -- signed out, or ended by somebody
    address       TEXT,                             -- where it was begun
    device        TEXT                              -- the browser, as it calls itself
) STRICT;
CREATE INDEX sessions_of_user ON sessions (user_id, last_seen_at) WHERE revoked_at IS NULL;
CREATE INDEX sessions_by_expiry ON sessions (expires_at);

-- Named API tokens for scripts.
CREATE TABLE tokens (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    token_hash    TEXT NOT NULL UNIQUE,             -- SHA-256 in hex
    user_id       INTEGER NOT NULL REFERENCES users (id),
    name          TEXT NOT NULL,
    created_at    TEXT NOT NULL,
    expires_at    TEXT,                             -- NULL: until it is revoked
    last_used_at  TEXT,                             -- written late, by at most 60 s
    revoked_at    TEXT
) STRICT;
CREATE INDEX tokens_by_user ON tokens (user_id);

-- Wrong guesses of the last 15 minutes, so that a restart does not forget them; the server counts in memory.
CREATE TABLE sign_in_failures (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    at            TEXT NOT NULL,
    address       TEXT NOT NULL,                    -- IPv6: the network of 64 bits
    name_hash     TEXT NOT NULL                     -- SHA-256 of the name in lower case: some type their password there
) STRICT;
CREATE INDEX sign_in_failures_by_name ON sign_in_failures (name_hash, address);
CREATE INDEX sign_in_failures_by_time ON sign_in_failures (at);

-- Who did what, when, and from where. Written in the transaction of the deed; it never holds a secret.
CREATE TABLE audit (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    at            TEXT NOT NULL,
    user_id       INTEGER REFERENCES users (id),    -- NULL: nobody known, or somebody on the server itself
    who           TEXT NOT NULL,                    -- the name at the time; '-' for one that nobody has
    action        TEXT NOT NULL,
    target        TEXT,                             -- at whom or what
    address       TEXT                              -- NULL: on the server itself
) STRICT;
CREATE INDEX audit_by_time ON audit (at);
CREATE INDEX audit_failures ON audit (id) WHERE action = 'sign-in-failed';

CREATE TRIGGER audit_stays BEFORE UPDATE ON audit
BEGIN
    SELECT RAISE(ABORT, 'audit is history and does not change');
END;

-- Files ----------------------------------------------------------------------------------------

CREATE TABLE uploads (
    no            INTEGER PRIMARY KEY AUTOINCREMENT, -- the order of arrival; what other tables refer to
    id            TEXT NOT NULL UNIQUE,              -- the UUID that clients know
    user_id       INTEGER NOT NULL REFERENCES users (id),
    filename      TEXT NOT NULL,
    size          INTEGER NOT NULL CHECK (size >= 0), -- bytes
    sha256        TEXT NOT NULL,
    format        TEXT NOT NULL CHECK (format IN ('xlsx', 'xlsm', 'xlsb', 'xls', 'ods', 'csv', 'tsv')),
    status        TEXT NOT NULL CHECK (status IN (
                      'receiving',                  -- not yet promised to anybody; gone at the next start
                      'received',                   -- the bytes are here, the rows have not been read
                      'stored',                     -- the rows are in upload_rows or upload_row_packs
                      'deleted')),                  -- rows and bytes are being removed
    uploaded_at   TEXT NOT NULL,
    deleted_at    TEXT,
    deleted_by    TEXT,                             -- the name of who deleted it
    options       TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(options)), -- sheet, header_row, ... as asked for
    default_sheet INTEGER,                          -- upload_sheets.position; what "its rows" means
    encoding      TEXT,                             -- text files: as decoded
    delimiter     TEXT                              -- text files: as split
) STRICT;
CREATE INDEX uploads_by_user ON uploads (user_id, no);
CREATE INDEX uploads_by_content ON uploads (sha256, user_id);

CREATE TRIGGER uploads_are_kept BEFORE DELETE ON uploads
WHEN OLD.status <> 'receiving'
BEGIN
    SELECT RAISE(ABORT, 'uploads are history and are not deleted; their rows and bytes go when status is deleted');
END;

-- The bytes as uploaded, in pieces of at most 256 KiB.
CREATE TABLE upload_chunks (
    id            INTEGER PRIMARY KEY,
    upload_no     INTEGER NOT NULL REFERENCES uploads (no),
    position      INTEGER NOT NULL,                 -- 0, 1, 2, ...
    bytes         BLOB NOT NULL,                    -- sqlar_uncompress(bytes, coalesce(size, length(bytes))) in the shell
    size          INTEGER                           -- what they are a zlib stream of, in bytes; NULL: they are as they came
) STRICT;
CREATE UNIQUE INDEX upload_chunks_in_order ON upload_chunks (upload_no, position);

CREATE TABLE upload_sheets (
    upload_no     INTEGER NOT NULL REFERENCES uploads (no),
    position      INTEGER NOT NULL,                 -- 0-based among the worksheets
    name          TEXT,                             -- NULL for text files
    visibility    TEXT NOT NULL CHECK (visibility IN ('visible', 'hidden', 'veryhidden')),
    header_row    INTEGER,                          -- 1-based; NULL where the sheet is empty
    row_count     INTEGER NOT NULL,
    columns       TEXT NOT NULL CHECK (json_valid(columns)), -- [{"index","name","label"}], index 0 is column A
    facts         TEXT NOT NULL CHECK (json_valid(facts)),   -- {"error_cells","error_cells_first","notices"}
    PRIMARY KEY (upload_no, position)
) STRICT, WITHOUT ROWID;

-- One line per row that holds a value, of files whose rows somebody keeps as JSON. `cells` is an array from sheet column A
-- on; where most of that would be empty, an object by 0-based column: {"0":1,"16383":2}. json_each() reads both
-- (docs/sqlite.md, 24).
CREATE TABLE upload_rows (
    upload_no     INTEGER NOT NULL REFERENCES uploads (no),
    sheet         INTEGER NOT NULL,                 -- upload_sheets.position
    row           INTEGER NOT NULL,                 -- 1-based, as the spreadsheet shows it
    cells         TEXT NOT NULL,                    -- a JSON array or object
    kinds         TEXT,                             -- a letter a value: d date, D date-time, t time, p duration, e error
    width         INTEGER,                          -- text files: fields in the record, where that is not the header's
    PRIMARY KEY (upload_no, sheet, row)
) STRICT, WITHOUT ROWID;

-- The rows of files that were uploaded to be processed, many in a piece: [[row, cells, kinds, width], ...] as above.
CREATE TABLE upload_row_packs (
    id            INTEGER PRIMARY KEY,
    upload_no     INTEGER NOT NULL REFERENCES uploads (no),
    sheet         INTEGER NOT NULL,                 -- upload_sheets.position
    last_row      INTEGER NOT NULL,                 -- the last row in this piece
    row_count     INTEGER NOT NULL,
    rows          BLOB NOT NULL,                    -- a zlib stream, or the text where that is as short: sqlar_uncompress(rows, size) in the shell
    size          INTEGER NOT NULL                  -- of the text, in bytes
) STRICT;
CREATE UNIQUE INDEX upload_row_packs_in_order ON upload_row_packs (upload_no, sheet, last_row);

-- The queue ------------------------------------------------------------------------------------

CREATE TABLE jobs (
    id            INTEGER PRIMARY KEY AUTOINCREMENT, -- the order of arrival
    user_id       INTEGER NOT NULL REFERENCES users (id),
    upload_no     INTEGER NOT NULL REFERENCES uploads (no),
    operation     TEXT NOT NULL CHECK (operation IN ('upload_and_process', 'process', 'retry')),
    template      TEXT NOT NULL,                    -- its name; 'auto' infers one
    template_version INTEGER NOT NULL DEFAULT 1,
    on_duplicate  TEXT NOT NULL CHECK (on_duplicate IN ('skip', 'update')),
    options       TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(options)), -- sheet, mapping as asked for
    status        TEXT NOT NULL DEFAULT 'pending' CHECK (status IN (
                      'pending', 'processing', 'completed', 'failed', 'timeout', 'cancelled')),
    attempt       INTEGER NOT NULL DEFAULT 0,       -- counted at the claim; what a worker's writes are fenced by
    queued_at     TEXT NOT NULL,
    started_at    TEXT,                             -- of the last attempt
    finished_at   TEXT,
    changed_at    TEXT NOT NULL,                    -- when status last changed; copied into job_events
    change_detail TEXT,                             -- why it last changed; copied into job_events
    cancel_asked_at TEXT,                           -- a person asked the worker to stop
    phase         TEXT CHECK (phase IN ('reading', 'validating', 'saving', 'done')),
    rows_done     INTEGER NOT NULL DEFAULT 0,
    rows_total    INTEGER,                          -- NULL until it is known or can be estimated
    beat_at       TEXT,                             -- the worker's last sign of life
    rows          INTEGER, valid INTEGER, invalid INTEGER, duplicates INTEGER, updated INTEGER, -- counts, when completed
    work_ms       INTEGER,                          -- what the last attempt cost its worker, for estimates
    error_code    TEXT,
    error_message TEXT,
    report        TEXT CHECK (report IS NULL OR json_valid(report)),
    undone_at     TEXT,                             -- its records are out of the list since then
    undone_by     TEXT,
    unchanged     INTEGER,                          -- of updated: the list had them as they are, nothing was filed
    CHECK ((status IN ('completed', 'failed', 'timeout', 'cancelled')) = (finished_at IS NOT NULL)),
    CHECK ((status IN ('failed', 'timeout')) = (error_code IS NOT NULL)),
    CHECK (undone_at IS NULL OR status = 'completed')
) STRICT;
-- The promise that a user has at most one active job.
CREATE UNIQUE INDEX jobs_one_active_per_user ON jobs (user_id) WHERE status IN ('pending', 'processing');
CREATE INDEX jobs_pending ON jobs (id) WHERE status = 'pending';
CREATE INDEX jobs_processing ON jobs (id) WHERE status = 'processing';
CREATE INDEX jobs_by_user ON jobs (user_id, id);
CREATE INDEX jobs_by_upload ON jobs (upload_no, id);
CREATE INDEX jobs_undone ON jobs (template, id) WHERE undone_at IS NOT NULL;

CREATE TRIGGER uploads_wait_for_their_job BEFORE UPDATE OF status ON uploads
WHEN NEW.status = 'deleted'
 AND EXISTS (SELECT 1 FROM jobs WHERE upload_no = OLD.no AND status IN ('pending', 'processing'))
BEGIN
    SELECT RAISE(ABORT, 'a job is at work on this upload; cancel it first');
END;

-- Every state change of every job, written by the triggers below and by nobody else.
CREATE TABLE job_events (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    job_id        INTEGER NOT NULL REFERENCES jobs (id),
    at            TEXT NOT NULL,
    from_status   TEXT,                             -- NULL: the job was made
    to_status     TEXT NOT NULL,
    attempt       INTEGER NOT NULL,
    detail        TEXT
) STRICT;
CREATE INDEX job_events_by_job ON job_events (job_id, id);

-- What breaks a rule is refused with a sentence. The constraints above hold all the same: whoever drops
-- a trigger meets them.

CREATE TRIGGER jobs_begin_pending BEFORE INSERT ON jobs
BEGIN
    SELECT RAISE(ABORT, 'a new job is pending, has had no attempt, and has neither begun nor ended')
    WHERE NEW.status IS NOT 'pending' OR NEW.attempt IS NOT 0 OR NEW.started_at IS NOT NULL OR NEW.finished_at IS NOT NULL
       OR NEW.error_code IS NOT NULL OR NEW.undone_at IS NOT NULL;
    -- -1: no id was given.
    SELECT RAISE(ABORT, 'a new job goes to the end of the line: leave its id to the database')
    WHERE NEW.id <> -1 AND NEW.id <= (SELECT coalesce(max(id), 0) FROM jobs);
    SELECT RAISE(ABORT, 'this user has an active job already: at most one for each (UNIQUE index jobs_one_active_per_user)')
    WHERE EXISTS (SELECT 1 FROM jobs WHERE user_id = NEW.user_id AND status IN ('pending', 'processing'));
    SELECT RAISE(ABORT, 'a job needs a user and an upload that exist')
    WHERE NOT EXISTS (SELECT 1 FROM users WHERE id = NEW.user_id)
       OR NOT EXISTS (SELECT 1 FROM uploads WHERE no = NEW.upload_no);
END;

CREATE TRIGGER jobs_change_legally BEFORE UPDATE OF status ON jobs
WHEN NEW.status IS NOT OLD.status AND NOT coalesce(
       (OLD.status = 'pending'    AND NEW.status IN ('processing', 'cancelled', 'failed'))
    OR (OLD.status = 'processing' AND NEW.status IN ('pending', 'completed', 'failed', 'timeout', 'cancelled')), 0)
BEGIN
    SELECT RAISE(ABORT, 'a job goes from pending to processing and from there to its end; an ended job stays as it is');
END;

CREATE TRIGGER jobs_count_attempts BEFORE UPDATE OF status, attempt ON jobs
WHEN NEW.attempt IS NOT OLD.attempt
      + (OLD.status = 'pending' AND NEW.status IS 'processing')
 AND NOT coalesce(OLD.status = 'processing' AND NEW.status = 'pending' AND NEW.attempt = OLD.attempt - 1, 0)
BEGIN
    SELECT RAISE(ABORT, 'attempt goes up by one when a job is claimed, and back by one only when the attempt does not count');
END;

CREATE TRIGGER jobs_end_wholly BEFORE UPDATE OF status, started_at, finished_at, error_code, error_message ON jobs
BEGIN
    SELECT RAISE(ABORT, 'a job has finished_at when it has ended, and not before')
    WHERE (NEW.status IN ('completed', 'failed', 'timeout', 'cancelled')) <> (NEW.finished_at IS NOT NULL);
    SELECT RAISE(ABORT, 'a job has error_code and error_message when it is failed or timeout, and else none')
    WHERE (NEW.status IN ('failed', 'timeout')) <> (NEW.error_code IS NOT NULL)
       OR (NEW.error_code IS NULL) <> (NEW.error_message IS NULL);
    SELECT RAISE(ABORT, 'a job that is processing has started_at')
    WHERE NEW.status = 'processing' AND NEW.started_at IS NULL;
END;

CREATE TRIGGER jobs_keep_their_end BEFORE UPDATE OF
    template, template_version, status, attempt, started_at, finished_at, changed_at, change_detail, cancel_asked_at, phase,
    rows_done, rows_total, beat_at, rows, valid, invalid, duplicates, updated, unchanged, work_ms, error_code, error_message, report ON jobs
WHEN OLD.finished_at IS NOT NULL
BEGIN
    SELECT RAISE(ABORT, 'an ended job stays as it is; try it again with a new job, or undo it');
END;

-- Of every column: an id can also be changed under its other name, rowid.
CREATE TRIGGER jobs_stay_in_line BEFORE UPDATE ON jobs
WHEN NEW.id IS NOT OLD.id OR NEW.queued_at IS NOT OLD.queued_at
BEGIN
    SELECT RAISE(ABORT, 'a job keeps its place: jobs.id is the order of arrival, and queued_at tells when that was');
END;

CREATE TRIGGER jobs_stay_what_they_are BEFORE UPDATE OF upload_no, operation, on_duplicate, options ON jobs
WHEN NEW.upload_no IS NOT OLD.upload_no OR NEW.operation IS NOT OLD.operation
  OR NEW.on_duplicate IS NOT OLD.on_duplicate OR NEW.options IS NOT OLD.options
BEGIN
    SELECT RAISE(ABORT, 'a job keeps its upload and what was asked for; queue another one instead');
END;

CREATE TRIGGER jobs_keep_their_template_while_they_wait BEFORE UPDATE OF template, template_version ON jobs
WHEN OLD.status = 'pending' AND (NEW.template IS NOT OLD.template OR NEW.template_version IS NOT OLD.template_version)
BEGIN
    SELECT RAISE(ABORT, 'a job keeps what was asked for; cancel it and queue another one instead');
END;

CREATE TRIGGER jobs_change_hands_with_the_file BEFORE UPDATE OF user_id ON jobs
WHEN NEW.user_id IS NOT OLD.user_id
 AND (OLD.finished_at IS NULL OR NEW.user_id IS NOT (SELECT user_id FROM uploads WHERE no = OLD.upload_no))
BEGIN
    SELECT RAISE(ABORT, 'a job keeps its user; only when it has ended may it go with its upload to that one''s new owner');
END;

CREATE TRIGGER jobs_are_undone_once BEFORE UPDATE OF undone_at ON jobs
WHEN NEW.undone_at IS NOT OLD.undone_at AND (OLD.undone_at IS NOT NULL OR OLD.status <> 'completed')
BEGIN
    SELECT RAISE(ABORT, 'only a completed job can be undone, and only once');
END;

CREATE TRIGGER jobs_are_kept BEFORE DELETE ON jobs
BEGIN
    SELECT RAISE(ABORT, 'jobs are history and are not deleted; an active one can be cancelled');
END;

CREATE TRIGGER jobs_log_arrival AFTER INSERT ON jobs
BEGIN
    -- Here the number is known also where -1 was given.
    SELECT RAISE(ABORT, 'a new job goes to the end of the line: leave its id to the database')
    WHERE NEW.id < 1;
    INSERT INTO job_events (job_id, at, from_status, to_status, attempt, detail)
    VALUES (NEW.id, NEW.queued_at, NULL, NEW.status, NEW.attempt, NULL);
END;

CREATE TRIGGER jobs_log_changes AFTER UPDATE OF status ON jobs
WHEN NEW.status <> OLD.status
BEGIN
    INSERT INTO job_events (job_id, at, from_status, to_status, attempt, detail)
    VALUES (NEW.id, NEW.changed_at, OLD.status, NEW.status, max(NEW.attempt, OLD.attempt), NEW.change_detail);
END;

CREATE TRIGGER job_events_tell_the_truth BEFORE INSERT ON job_events
WHEN NEW.to_status IS NOT (SELECT status FROM jobs WHERE id = NEW.job_id) OR NEW.from_status IS NEW.to_status
  OR NEW.from_status IS NOT (SELECT to_status FROM job_events WHERE job_id = NEW.job_id ORDER BY id DESC LIMIT 1)
BEGIN
    SELECT RAISE(ABORT, 'job_events are written by the database itself when a job changes');
END;

CREATE TRIGGER job_events_stay BEFORE UPDATE ON job_events
BEGIN
    SELECT RAISE(ABORT, 'job_events are history and do not change');
END;

CREATE TRIGGER job_events_are_kept BEFORE DELETE ON job_events
BEGIN
    SELECT RAISE(ABORT, 'job_events are history and are not deleted');
END;

-- When an administrator held the queue. While a row has no resumed_at, no job is claimed.
CREATE TABLE queue_pauses (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    paused_at     TEXT NOT NULL,
    paused_by     TEXT NOT NULL,                    -- the administrator's name
    reason        TEXT NOT NULL,                    -- shown to everybody who waits
    resumed_at    TEXT,
    resumed_by    TEXT,
    CHECK ((resumed_at IS NULL) = (resumed_by IS NULL))
) STRICT;
CREATE UNIQUE INDEX queue_pauses_one_at_a_time ON queue_pauses (resumed_at IS NULL) WHERE resumed_at IS NULL;

CREATE TRIGGER queue_pauses_begin BEFORE INSERT ON queue_pauses
WHEN EXISTS (SELECT 1 FROM queue_pauses WHERE resumed_at IS NULL)
BEGIN
    SELECT RAISE(ABORT, 'the queue is paused already; change the reason of that pause, or end it');
END;

-- Results --------------------------------------------------------------------------------------

-- The fields of the records of a job, once for all of them: the template's in its order, then columns of no field.
CREATE TABLE job_fields (
    job_id        INTEGER NOT NULL REFERENCES jobs (id),
    position      INTEGER NOT NULL,                 -- from 0, as in records.data
    name          TEXT NOT NULL,
    PRIMARY KEY (job_id, position)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX job_fields_by_name ON job_fields (job_id, name);

CREATE TRIGGER job_fields_stay BEFORE UPDATE ON job_fields
BEGIN
    SELECT RAISE(ABORT, 'the fields of a job name the values of its records and do not change');
END;

CREATE TRIGGER job_fields_come_before_the_end BEFORE INSERT ON job_fields
WHEN (SELECT status = 'completed' FROM jobs WHERE id = NEW.job_id)
BEGIN
    SELECT RAISE(ABORT, 'the fields of a job name the values of its records and do not change');
END;

CREATE TRIGGER job_fields_are_kept BEFORE DELETE ON job_fields
WHEN (SELECT status = 'completed' FROM jobs WHERE id = OLD.job_id)
BEGIN
    SELECT RAISE(ABORT, 'the fields of a job name the values of its records and do not change');
END;

-- The records that jobs made. Rows of unfinished or undone jobs may stand here for a while; v_records shows the list,
-- and all values with their fields. Here these stand only where a record has others than job_fields says: when it was
-- updated by a file under another version of the template, or filed by an earlier version of the program.
CREATE TABLE records (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    job_id        INTEGER NOT NULL REFERENCES jobs (id),
    row           INTEGER NOT NULL,                 -- 1-based, in the file of the job, or in source_no
    source_no     INTEGER REFERENCES uploads (no),  -- the file that a repaired row is from; NULL: the job's own
    replaces      INTEGER,                          -- the first version of the same record; NULL: this is the first
    data          TEXT NOT NULL CHECK (json_valid(data)),    -- [value], as job_fields orders them, or {"field": value}
    changes       TEXT,                             -- [{"cell","field","original","stored","rule"}]; NULL: stored as it stood
    kept          INTEGER NOT NULL DEFAULT 0 CHECK (kept IN (0, 1)), -- it stays in the list though its job was undone
    keys          TEXT,                             -- [hash], of what record_keys has of it: those after the first two
    let_go        INTEGER,                          -- jobs.id: kept until this job is undone
    key_1         INTEGER,                          -- the first of these, in a third of the room; NULL: none
    key_2         INTEGER                           -- the second
) STRICT;
CREATE INDEX records_by_job ON records (job_id, id);
CREATE INDEX records_versions ON records (replaces, id) WHERE replaces IS NOT NULL;
CREATE INDEX records_kept ON records (id) WHERE kept;
CREATE INDEX records_repaired ON records (source_no, row) WHERE source_no IS NOT NULL;

-- Filing is not guarded here, for a trigger on each of a million records would cost; the worker's fence is.
CREATE TRIGGER records_stay BEFORE UPDATE OF id, job_id, row, source_no, replaces, data, changes ON records
BEGIN
    SELECT RAISE(ABORT, 'a record does not change; a later job files its newer version');
END;

CREATE TRIGGER records_keep_their_numbers BEFORE UPDATE ON records
WHEN NEW.id IS NOT OLD.id
BEGIN
    SELECT RAISE(ABORT, 'a record does not change; a later job files its newer version');
END;

-- A version that was kept is let go when what was in the way of the older one goes, or all of the record's imports.
CREATE TRIGGER records_stay_where_they_are BEFORE UPDATE OF kept ON records
WHEN NEW.kept AND (SELECT undone_at FROM jobs WHERE id = OLD.job_id) IS NOT NULL
BEGIN
    SELECT RAISE(ABORT, 'what stays in the list is decided when the job is undone, and not later');
END;

CREATE TRIGGER records_go_with_an_import BEFORE UPDATE OF let_go ON records
WHEN (SELECT undone_at FROM jobs WHERE id = NEW.let_go) IS NOT NULL
  OR (SELECT undone_at FROM jobs WHERE id = OLD.let_go) IS NOT NULL
BEGIN
    SELECT RAISE(ABORT, 'what goes from the list is decided before a job is undone, and not later');
END;

CREATE TRIGGER records_are_kept BEFORE DELETE ON records
WHEN (SELECT status = 'completed'
         AND (undone_at IS NULL OR OLD.kept AND (SELECT g.undone_at FROM jobs g WHERE g.id = OLD.let_go) IS NULL)
      FROM jobs WHERE id = OLD.job_id)
BEGIN
    SELECT RAISE(ABORT, 'records of a completed job are kept; undo the job to take them out of the list');
END;

-- By what a record is found again: a hash of a unique key's values, as compared, of 48 bits. Filled after the
-- records of a job and before it is completed. No foreign key: with an index for it, it would be twice as large.
CREATE TABLE record_keys (
    hash          INTEGER NOT NULL,
    record_id     INTEGER NOT NULL,                 -- records.id
    PRIMARY KEY (hash, record_id)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER records_take_their_keys_along AFTER DELETE ON records
WHEN OLD.key_1 IS NOT NULL
BEGIN
    DELETE FROM record_keys WHERE record_id = OLD.id
       AND hash IN (SELECT OLD.key_1 UNION ALL SELECT OLD.key_2 UNION ALL SELECT value FROM json_each(OLD.keys));
END;

-- What the keys of each list's records are made by: by the keys of the template's version that the last job ran
-- with. Another version's first job makes them anew.
CREATE TABLE list_keys (
    template      TEXT PRIMARY KEY,
    form          TEXT                              -- kind(field:type, ...); NULL: they are being made
) STRICT, WITHOUT ROWID;

-- Rows that did not become records of their own, and why.
CREATE TABLE parked_rows (
    job_id        INTEGER NOT NULL REFERENCES jobs (id),
    row           INTEGER NOT NULL,
    outcome       TEXT NOT NULL CHECK (outcome IN ('invalid', 'duplicate')),
    problems      TEXT NOT NULL CHECK (json_valid(problems)), -- [{"type","field","column","cell","value","message"}]
    PRIMARY KEY (job_id, row)
) STRICT, WITHOUT ROWID;

-- Templates (Table Schema) made by the office; every version is kept, for jobs name theirs.
CREATE TABLE templates (
    name          TEXT NOT NULL,
    version       INTEGER NOT NULL,
    schema        TEXT CHECK (schema IS NULL OR json_valid(schema)), -- NULL: deleted with this version
    created_at    TEXT NOT NULL,
    created_by    TEXT,
    PRIMARY KEY (name, version)
) STRICT, WITHOUT ROWID;

-- Where people sent the columns of a file; used again for the same headers under the same template.
CREATE TABLE mappings (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    template      TEXT NOT NULL,
    headers_key   TEXT NOT NULL,                    -- SHA-256 over the headers, sorted, without case and punctuation
    headers       TEXT NOT NULL CHECK (json_valid(headers)), -- as they stood in the file
    mapping       TEXT NOT NULL CHECK (json_valid(mapping)), -- {"header": "field"}; null: belongs to no field
    created_at    TEXT NOT NULL,
    created_by    TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX mappings_by_headers ON mappings (template, headers_key);

-- First answers, kept for 24 h for clients that ask again with the same Idempotency-Key.
CREATE TABLE idempotency (
    user_id       INTEGER NOT NULL REFERENCES users (id),
    key           TEXT NOT NULL,
    fingerprint   TEXT NOT NULL,                    -- SHA-256 over route, file, name and fields
    status        INTEGER NOT NULL,
    location      TEXT,
    body          TEXT NOT NULL,
    created_at    TEXT NOT NULL,
    PRIMARY KEY (user_id, key)
) STRICT, WITHOUT ROWID;

-- Views for people -----------------------------------------------------------------------------

-- The list of the office: the newest version of each record of completed jobs. A version that could not give
-- way when its job was undone, because another record has a key of the older one, is kept until it can. Here as it is
-- stored; v_records and v_clean_NAME are made of it.
CREATE VIEW v_stored AS
SELECT r.id, j.template, r.data, u.filename AS file, r.row, p.username AS uploader, j.id AS job, j.finished_at AS stored_at
FROM records r
CROSS JOIN jobs j ON j.id = r.job_id AND j.status = 'completed' AND (
    j.undone_at IS NULL OR r.kept AND (SELECT g.undone_at FROM jobs g WHERE g.id = r.let_go) IS NULL)
CROSS JOIN uploads u ON u.no = coalesce(r.source_no, j.upload_no)
CROSS JOIN users p ON p.id = j.user_id
WHERE NOT EXISTS (
    SELECT 1 FROM records n CROSS JOIN jobs k ON k.id = n.job_id
    WHERE n.replaces = coalesce(r.replaces, r.id) AND n.id > r.id
      AND k.status = 'completed' AND (
          k.undone_at IS NULL OR n.kept AND (SELECT g.undone_at FROM jobs g WHERE g.id = n.let_go) IS NULL));

-- The same with {"field": value} for all.
CREATE VIEW v_records AS
SELECT id, template,
       CASE WHEN substr(data, 1, 1) = '[' THEN (
           SELECT json_group_object(name, json(s.data -> position))
           FROM (SELECT f.name, f.position FROM job_fields f WHERE f.job_id = s.job ORDER BY f.position))
       ELSE data END AS data,
       file, row, uploader, job, stored_at
FROM v_stored s;

-- Who waits for what: position 0 is being processed, 1 is next.
CREATE VIEW v_queue AS
SELECT CASE WHEN j.status = 'processing' THEN 0
            ELSE row_number() OVER (PARTITION BY j.status ORDER BY j.id) END AS position,
       j.id AS job, p.username AS user, u.filename AS file, j.status AS state,
       CASE WHEN j.status = 'pending'
            THEN cast(round((julianday('now') - julianday(j.queued_at)) * 86400) AS INTEGER) || ' s' END AS waiting_for,
       CASE WHEN j.status = 'processing'
            THEN cast(round((julianday('now') - julianday(j.started_at)) * 86400) AS INTEGER) || ' s' END AS running_for,
       j.phase, j.rows_done, j.rows_total, j.attempt
FROM jobs j
JOIN uploads u ON u.no = j.upload_no
JOIN users p ON p.id = j.user_id
WHERE j.status IN ('pending', 'processing')
ORDER BY (j.status = 'processing') DESC, j.id;

CREATE VIEW v_sessions AS
SELECT s.id, p.username AS user, s.created_at, s.last_seen_at, s.expires_at, s.ends_at, s.address, s.device,
       CASE WHEN s.revoked_at IS NOT NULL THEN 'revoked'
            WHEN p.disabled_at IS NOT NULL THEN 'disabled'
            WHEN min(s.expires_at, s.ends_at) <= strftime('%Y-%m-%dT%H:%M:%fZ', 'now') THEN 'expired'
            ELSE 'active' END AS state
FROM sessions s JOIN users p ON p.id = s.user_id
ORDER BY s.id;

CREATE VIEW v_audit AS
SELECT id, at, who, action, target, address FROM audit ORDER BY id;

CREATE VIEW v_uploads AS
SELECT u.no, u.id, p.username AS user, u.filename AS file, u.format, u.size AS bytes,
       s.row_count AS rows, u.status AS state, u.uploaded_at,
       (SELECT max(j.id) FROM jobs j WHERE j.upload_no = u.no) AS last_job
FROM uploads u
JOIN users p ON p.id = u.user_id
LEFT JOIN upload_sheets s ON s.upload_no = u.no AND s.position = u.default_sheet
WHERE u.status <> 'receiving'
ORDER BY u.no;

CREATE VIEW v_history AS
SELECT j.id AS job, p.username AS user, u.filename AS file, j.status AS state, j.template,
       j.rows, j.valid, j.invalid, j.duplicates, j.updated, j.unchanged, j.attempt,
       j.queued_at, j.started_at, j.finished_at, j.error_code, j.error_message, j.undone_at
FROM jobs j
JOIN uploads u ON u.no = j.upload_no
JOIN users p ON p.id = j.user_id
ORDER BY j.id;

-- What was wrong in the rows of finished jobs, a line for each problem.
CREATE VIEW v_problems AS
SELECT j.id AS job, p.username AS user, u.filename AS file, r.row, r.outcome,
       e.value ->> 'cell' AS cell, e.value ->> 'field' AS field, e.value ->> 'type' AS type,
       e.value ->> 'value' AS value, e.value ->> 'message' AS message
FROM jobs j
CROSS JOIN uploads u ON u.no = j.upload_no
CROSS JOIN users p ON p.id = j.user_id
CROSS JOIN parked_rows r ON r.job_id = j.id
CROSS JOIN json_each(r.problems) e
WHERE j.status = 'completed';

-- Every value that was changed on its way into the list: what stood in the cell, and what is stored.
CREATE VIEW v_changes AS
SELECT j.id AS job, p.username AS user, u.filename AS file, r.id AS record, r.row,
       e.value ->> 'cell' AS cell, e.value ->> 'field' AS field, e.value ->> 'rule' AS rule,
       e.value ->> 'original' AS original, e.value ->> 'stored' AS stored
FROM jobs j
CROSS JOIN records r ON r.job_id = j.id
CROSS JOIN uploads u ON u.no = coalesce(r.source_no, j.upload_no)
CROSS JOIN users p ON p.id = j.user_id
CROSS JOIN json_each(r.changes) e
WHERE j.status = 'completed' AND (
    j.undone_at IS NULL OR r.kept AND (SELECT g.undone_at FROM jobs g WHERE g.id = r.let_go) IS NULL);

-- Where people sent the columns of their files; field is NULL where a column belongs to none.
CREATE VIEW v_mappings AS
SELECT m.template, e.key AS header, e.value AS field, m.created_by AS user, m.created_at
FROM mappings m CROSS JOIN json_each(m.mapping) e
ORDER BY m.id;

-- The office's own templates as they are now; the built-in ones live in the program.
-- v_clean_NAME, made by the program for each template, shows the list with the template's fields as columns.
CREATE VIEW v_templates AS
SELECT t.name, t.version, t.created_at AS changed_at, t.created_by AS changed_by,
       json_array_length(t.schema, '$.fields') AS fields,
       (SELECT count(*) FROM jobs j WHERE j.template = t.name AND j.status = 'completed') AS jobs
FROM templates t
WHERE t.schema IS NOT NULL AND t.version = (SELECT max(n.version) FROM templates n WHERE n.name = t.name);
