//! What leads a database from each schema to the next.

/// What leads from a version to the next; the first step starts at version 1. `DROP` what is gone.
pub(super) const STEPS: &[&str] = &[
    // 2: views of problems, changes, mappings and templates; what stays when its job is undone.
    "ALTER TABLE records ADD COLUMN kept INTEGER NOT NULL DEFAULT 0 CHECK (kept IN (0, 1));",
    // 3: how many rows of an update the list had already as they are; repaired rows by where they are from.
    "ALTER TABLE jobs ADD COLUMN unchanged INTEGER;",
    // 4: pieces of text files are packed; a record names its keys, which need no index of their own then;
    // and the job with whose undoing it goes.
    "ALTER TABLE upload_chunks ADD COLUMN size INTEGER;
     ALTER TABLE records ADD COLUMN keys TEXT;
     ALTER TABLE records ADD COLUMN let_go INTEGER;
     UPDATE records SET keys = (SELECT '[' || group_concat(hash & 281474976710655) || ']'
                                FROM record_keys WHERE record_id = records.id);
     ALTER TABLE record_keys RENAME TO record_keys_3;
     CREATE TABLE record_keys (
         hash INTEGER NOT NULL,
         record_id INTEGER NOT NULL,
         PRIMARY KEY (hash, record_id)
     ) STRICT, WITHOUT ROWID;
     INSERT OR IGNORE INTO record_keys
         SELECT hash & 281474976710655, record_id FROM record_keys_3 ORDER BY 1, 2;
     DROP TABLE record_keys_3;
     CREATE TABLE list_keys (
         template TEXT PRIMARY KEY,
         form TEXT
     ) STRICT, WITHOUT ROWID;",
    // 5: rows of files that jobs read are packed; the fields of new records stand once for each job. Those
    // that are there keep theirs. Two keys of a record stand in columns.
    "CREATE TABLE upload_row_packs (
         id INTEGER PRIMARY KEY,
         upload_no INTEGER NOT NULL REFERENCES uploads (no),
         sheet INTEGER NOT NULL,
         last_row INTEGER NOT NULL,
         row_count INTEGER NOT NULL,
         rows BLOB NOT NULL,
         size INTEGER NOT NULL
     ) STRICT;
     CREATE TABLE job_fields (
         job_id INTEGER NOT NULL REFERENCES jobs (id),
         position INTEGER NOT NULL,
         name TEXT NOT NULL,
         PRIMARY KEY (job_id, position)
     ) STRICT, WITHOUT ROWID;
     DROP INDEX IF EXISTS records_kept;
     ALTER TABLE records DROP COLUMN template;
     ALTER TABLE records ADD COLUMN key_1 INTEGER;
     ALTER TABLE records ADD COLUMN key_2 INTEGER;
     UPDATE records
     SET key_1 = keys ->> 0, key_2 = keys ->> 1,
         keys = CASE WHEN json_array_length(keys) > 2 THEN json_remove(keys, '$[0]', '$[0]') END
     WHERE json_valid(keys);",
];
