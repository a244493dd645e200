//! Holds the code against the rooms and arrows that docs/ARCHITECTURE.md names.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

type Arrows = BTreeMap<String, BTreeSet<String>>;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The table of rooms: `| room | level | may call |`.
fn documented() -> (Arrows, BTreeMap<String, String>) {
    let text = fs::read_to_string(root().join("docs/ARCHITECTURE.md")).unwrap();
    let mut arrows = Arrows::new();
    let mut levels = BTreeMap::new();
    for line in text.lines() {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        if let [room, level, calls, _] = cells.as_slice()
            && let Some(room) = room.strip_prefix('`').and_then(|r| r.strip_suffix('`'))
        {
            let calls = calls.split(", ").filter(|name| *name != "–");
            arrows.insert(
                room.to_owned(),
                calls
                    .map(|name| name.trim_matches('`').to_owned())
                    .collect(),
            );
            levels.insert(room.to_owned(), (*level).to_owned());
        }
    }
    (arrows, levels)
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
}

/// What each room's code names of other rooms, its unit tests apart.
fn real() -> Arrows {
    let src = root().join("src");
    let mut files = Vec::new();
    sources(&src, &mut files);
    let mut arrows = Arrows::new();
    for file in files {
        let inside = file.strip_prefix(&src).unwrap();
        let room = inside
            .components()
            .next()
            .unwrap()
            .as_os_str()
            .to_str()
            .unwrap()
            .trim_end_matches(".rs")
            .to_owned();
        if room == "lib" || room == "main" {
            continue;
        }
        let text = fs::read_to_string(&file).unwrap();
        let code = text.split("#[cfg(test)]\nmod tests").next().unwrap();
        let calls = arrows.entry(room.clone()).or_default();
        for line in code
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"))
        {
            for part in line.split("crate::").skip(1) {
                if let Some(grouped) = part.strip_prefix('{') {
                    for name in grouped.split(['}', ';']).next().unwrap().split(',') {
                        calls.insert(name.trim().split("::").next().unwrap().to_owned());
                    }
                } else {
                    let end = part.find(|c: char| !(c.is_ascii_lowercase() || c == '_'));
                    calls.insert(part[..end.unwrap_or(part.len())].to_owned());
                }
            }
        }
        calls.remove(&room);
        calls.remove("");
    }
    arrows
}

const LEVELS: [&str; 4] = ["ground", "shelf", "hands", "street"];

#[test]
fn calls_between_rooms_are_the_ones_that_the_architecture_names() {
    let (allowed, levels) = documented();
    let ground: BTreeSet<&String> = levels
        .iter()
        .filter(|(_, level)| *level == "ground")
        .map(|(room, _)| room)
        .collect();
    let real = real();
    let rooms: BTreeSet<&String> = real.keys().collect();
    assert_eq!(
        rooms,
        allowed.keys().collect(),
        "rooms in the code and in the document"
    );
    for (room, calls) in &real {
        let calls: BTreeSet<&String> = if ground.contains(room) {
            calls.iter().collect()
        } else {
            calls.iter().filter(|name| !ground.contains(name)).collect()
        };
        let allowed: BTreeSet<&String> = allowed[room].iter().collect();
        assert_eq!(
            calls, allowed,
            "what {room} calls in the code, and in the document"
        );
    }
}

#[test]
fn nothing_calls_upward_and_nothing_calls_in_a_circle() {
    let (allowed, levels) = documented();
    let height = |room: &String| LEVELS.iter().position(|l| *l == levels[room]).unwrap();
    for (room, calls) in &allowed {
        for called in calls {
            assert!(
                height(called) <= height(room),
                "{room} calls {called}, which is above it"
            );
            let mut seen = BTreeSet::new();
            let mut open = vec![called];
            while let Some(next) = open.pop() {
                assert_ne!(next, room, "{room} and {called} call in a circle");
                if seen.insert(next) {
                    open.extend(&allowed[next]);
                }
            }
        }
    }
}

#[test]
fn checking_and_reading_know_no_database_and_no_http() {
    let (allowed, _) = documented();
    let real = real();
    for room in ["process", "sheet"] {
        assert!(!real[room].contains("db") && !real[room].contains("http"));
        assert!(!allowed[room].contains("store"));
    }
}

/// What a job or an upload goes through.
const ON_THE_WAY: &[&str] = &[
    "src/db/connection.rs",
    "src/db/readers.rs",
    "src/db/wal.rs",
    "src/db/writer.rs",
    "src/http/handlers",
    "src/intake",
    "src/room.rs",
    "src/sheet/reader.rs",
    "src/store",
    "src/worker",
];

/// What can fail for the sake of the disk or the system.
const STEPS: &[&str] = &[
    "tempfile_in(",
    "File::create",
    "File::open",
    "fs::create",
    "fs::read",
    "fs::remove",
    "fs::rename",
    "fs::write",
    "options.open(",
    "builder.create(",
    "file.flush(",
    "file.read",
    "file.seek(",
    "file.write",
    "read_to_end(",
    "set_len(",
    "spawn()",
    "spawn(",
    "spawn_scoped(",
    "sync_all(",
    "sync_data(",
    "Tx::begin(",
    ".commit()",
];

/// Functions that can fail only before the first job, serve no job, or take an error as it is: a file that is
/// made, a folder of the page, a child's last words.
const ASIDE: &[&str] = &["fn make_private(", "fn built_from(", "fn last_words("];

#[test]
fn every_step_of_a_job_that_disk_or_system_can_refuse_can_be_made_to_fail() {
    let mut files = Vec::new();
    for part in ON_THE_WAY {
        let path = root().join(part);
        if path.is_dir() {
            sources(&path, &mut files);
        } else {
            files.push(path);
        }
    }
    let (mut seen, mut without) = (0, Vec::new());
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let code = text.split("#[cfg(test)]\nmod tests").next().unwrap();
        for function in functions(code) {
            let steps = STEPS
                .iter()
                .filter(|step| function.contains(**step))
                .count();
            if steps == 0 || ASIDE.iter().any(|aside| function.contains(aside)) {
                continue;
            }
            seen += 1;
            if !function.contains("faults::") {
                let name = function.lines().find(|line| line.contains("fn ")).unwrap();
                without.push(format!("{}: {}", file.display(), name.trim()));
            }
        }
    }
    assert!(seen > 8, "{seen}");
    assert!(without.is_empty(), "without a point: {without:#?}");
}

/// The functions of a file, each with what stands between it and the next one.
fn functions(code: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for line in code.lines() {
        let begins = [
            "fn ",
            "pub fn ",
            "pub(super) fn ",
            "pub(in crate::http) fn ",
            "pub(crate) fn ",
        ]
        .iter()
        .any(|word| line.trim_start().starts_with(word));
        if begins || found.is_empty() {
            found.push(String::new());
        }
        if let Some(last) = found.last_mut()
            && !line.trim_start().starts_with("//")
        {
            last.push_str(line);
            last.push('\n');
        }
    }
    found
}
