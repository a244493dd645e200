//! Promises of undoing an import: whatever is undone in whatever order, no two records of the list share a
//! key, what is told is what happened, and what can't come back is said.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::time::Duration;

use serde_json::{Value, json};
use sheetline::faults::{self, Kind};
use sheetline::id::JobId;
use sheetline::stop::Stop;
use sheetline::store::undoing::Look;
use sheetline::worker::leftovers::forget_undone;

use crate::office::{Office, Person};
use crate::random::Random;

/// Two keys, each of one field.
fn template(root: &Person<'_>) {
    let schema = json!({
        "fields": [{"name": "id", "type": "string"}, {"name": "u", "type": "string"}, {"name": "v", "type": "string"}],
        "uniqueKeys": [["id"], ["u"]],
    });
    root.send("PUT", "/api/templates/things", &schema)
        .expect(201);
}

#[track_caller]
fn import(person: &Person<'_>, name: &str, text: &str, on_duplicate: &str) -> i64 {
    let fields = [("template", "things"), ("on_duplicate", on_duplicate)];
    let id = person
        .upload("upload-and-process", name, text.as_bytes(), &fields)
        .expect(202)["job_id"]
        .as_i64()
        .unwrap();
    person.office.work_all();
    assert_eq!(person.job(id)["status"], "completed", "{}", person.job(id));
    id
}

fn undo(person: &Person<'_>, job: i64) -> Value {
    person.post(&format!("/api/jobs/{job}/undo")).expect(200)
}

/// What an idle worker does by and by.
fn forget(office: &Office) {
    assert!(forget_undone(&office.app, Duration::from_secs(1)).unwrap());
}

fn told(answer: &Value) -> (i64, i64, i64) {
    let number = |name: &str| answer[name].as_i64().unwrap();
    (number("removed"), number("restored"), number("kept"))
}

/// The list by the ids of its records: all pages of it.
fn list(person: &Person<'_>) -> BTreeMap<i64, Value> {
    let mut list = BTreeMap::new();
    let mut cursor = String::new();
    loop {
        let page = person
            .get(&format!("/api/records?template=things&limit=3{cursor}"))
            .expect(200);
        for record in page["records"].as_array().unwrap() {
            let before = list.insert(record["id"].as_i64().unwrap(), record.clone());
            assert!(before.is_none(), "{record} is in the list twice");
        }
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return list,
        }
    }
}

/// `id u` of the records in the list.
fn short(person: &Person<'_>) -> Vec<String> {
    let mut short: Vec<String> = list(person)
        .values()
        .map(|record| {
            let text = |field: &str| record["data"][field].as_str().unwrap_or("-").to_owned();
            format!("{} {}", text("id"), text("u"))
        })
        .collect();
    short.sort();
    short
}

fn no_two_share_a_key(list: &BTreeMap<i64, Value>, seen: &str) {
    for field in ["id", "u"] {
        let mut values = BTreeSet::new();
        for record in list.values() {
            if let Some(value) = record["data"][field].as_str() {
                assert!(
                    values.insert(value),
                    "two records have {field} {value} {seen}: {list:?}"
                );
            }
        }
    }
}

fn the_view_shows_the_same(office: &Office, list: &BTreeMap<i64, Value>, seen: &str) {
    let parts = |record: &Value| {
        json!([
            record["data"],
            record["file"],
            record["row"],
            record["uploader"],
            record["job_id"]
        ])
        .to_string()
    };
    let mut shown: Vec<String> = list.values().map(parts).collect();
    shown.sort();
    let mut view: Vec<String> = office.texts("SELECT json_array(json(data), file, row, uploader, job) FROM v_records WHERE template = 'things'",
    )
    .iter()
    // Printed as the program prints it.
    .map(|row| serde_json::from_str::<Value>(row).unwrap().to_string())
    .collect();
    view.sort();
    assert_eq!(view, shown, "{seen}");
    let clean = office.number("SELECT count(*) FROM v_clean_things");
    assert_eq!(usize::try_from(clean).unwrap(), list.len(), "{seen}");
}

/// What an undone job did to the list, as seen from outside.
fn difference(
    before: &BTreeMap<i64, Value>,
    after: &BTreeMap<i64, Value>,
    touched: &BTreeSet<i64>,
) -> (i64, i64, i64) {
    let (mut removed, mut restored, mut kept) = (0, 0, 0);
    for (id, record) in before {
        match after.get(id) {
            None => removed += 1,
            Some(now) if now != record => restored += 1,
            Some(_) if touched.contains(id) => kept += 1,
            Some(_) => {}
        }
    }
    assert!(after.keys().all(|id| before.contains_key(id)));
    (removed, restored, kept)
}

/// Undoes a job and holds what is told against the list; how many are told to be blocked.
fn undo_and_compare(
    office: &Office,
    anna: &Person<'_>,
    job: i64,
    seen: &str,
) -> (i64, i64, i64, i64) {
    let touched: BTreeSet<i64> = office
        .texts(&format!(
            "SELECT CAST(coalesce(replaces, id) AS TEXT) FROM records WHERE job_id = {job}"
        ))
        .iter()
        .map(|id| id.parse().unwrap())
        .collect();
    let before = list(anna);
    let answer = undo(anna, job);
    let after = list(anna);
    let happened = difference(&before, &after, &touched);
    assert_eq!(told(&answer), happened, "{seen} {answer}");
    let undone: BTreeSet<String> = office
        .texts("SELECT CAST(id AS TEXT) FROM jobs WHERE undone_at IS NOT NULL")
        .into_iter()
        .collect();
    let stays = |record: &Value| undone.contains(&record["job_id"].to_string());
    let blocked = after
        .iter()
        .filter(|(id, record)| touched.contains(id) && before.get(id) == Some(record))
        .filter(|(_, record)| stays(record))
        .count();
    let message = answer["message"].as_str().unwrap();
    assert_eq!(
        message.contains("could not be put back"),
        blocked > 0,
        "{seen} {message}"
    );
    assert_eq!(
        message.contains("by a later import"),
        happened.2 > i64::try_from(blocked).unwrap(),
        "{seen} {message}"
    );
    for (id, record) in after.iter().filter(|(_, record)| stays(record)) {
        the_reason_holds(office, &after, *id, record, seen);
    }
    (
        happened.0,
        happened.1,
        happened.2,
        i64::try_from(blocked).unwrap(),
    )
}

/// What stays of an undone import has a version below that stands, a key of which another record has.
fn the_reason_holds(
    office: &Office,
    list: &BTreeMap<i64, Value>,
    id: i64,
    record: &Value,
    seen: &str,
) {
    let stands = office.texts(&format!(
            "SELECT CASE WHEN r.data LIKE '[%'
                    THEN (SELECT json_group_object(f.name, json(r.data -> f.position)) FROM job_fields f WHERE f.job_id = j.id)
                    ELSE r.data END
             FROM records r JOIN jobs j ON j.id = r.job_id
             WHERE coalesce(r.replaces, r.id) = {id} AND j.status = 'completed' AND j.undone_at IS NULL
             ORDER BY r.id DESC LIMIT 1"
        ),
    );
    let [stands] = stands.as_slice() else {
        panic!("{record} stays for nothing {seen}");
    };
    let stands: Value = serde_json::from_str(stands).unwrap();
    let in_the_way = list.iter().any(|(other, taker)| {
        *other != id
            && ["id", "u"].iter().any(|key| {
                stands[key].is_string()
                    && stands[key] == taker["data"][key]
                    && stands[key] != record["data"][key]
            })
    });
    assert!(
        in_the_way,
        "nothing is in the way of {stands} {seen}: {list:?}"
    );
}

/// A file of up to four rows with few values, so that they meet often.
fn random_file(random: &mut Random, step: u64, update: bool) -> String {
    let narrow = update && random.below(6) == 0;
    let mut text = if narrow { "id,v\n" } else { "id,u,v\n" }.to_owned();
    for row in 0..=random.below(4) {
        let id = random.below(8);
        if narrow {
            text.push_str(&format!("{id},{step}.{row}\n"));
        } else {
            let u = ["a", "b", "c", "d", "e", "f", "g", ""][random.below(8)];
            text.push_str(&format!("{id},{u},{step}.{row}\n"));
        }
    }
    text
}

/// One office in which the list's jobs are made and undone by chance.
fn play(seed: u64, steps: u64) -> (i64, i64, i64, i64) {
    let office = Office::new();
    template(&office.admin("root"));
    let anna = office.member("anna");
    let mut random = Random(seed);
    let mut jobs: Vec<i64> = Vec::new();
    let mut all = (0, 0, 0, 0);
    let mut history = Vec::new();
    for step in 0..steps {
        office.pass(60);
        let choice = match random.below(12) {
            // Two imports for each undoing, or little would be left to meet.
            10.. => 0,
            8 if jobs.is_empty() => 0,
            choice => choice,
        };
        if choice == 9 {
            forget(&office);
            history.push("what was undone is removed".to_owned());
        }
        let before = list(&anna);
        if choice < 5 || (choice < 8 && jobs.is_empty()) {
            let update = random.below(4) > 0;
            let text = random_file(&mut random, step, update);
            let how = if update { "update" } else { "skip" };
            jobs.push(import(&anna, &format!("{step}.csv"), &text, how));
            history.push(format!("{how} {text:?}"));
        } else if choice < 8 {
            // One of the last, for of an older one little is left.
            let back = random.below(jobs.len().min(6));
            let job = jobs.remove(jobs.len() - 1 - back);
            history.push(format!("undo job {job}"));
            let seen = format!("after seed {seed}: {history:#?}");
            let (removed, restored, kept, blocked) = undo_and_compare(&office, &anna, job, &seen);
            all = (
                all.0 + removed,
                all.1 + restored,
                all.2 + kept,
                all.3 + blocked,
            );
        } else if choice == 8 {
            let job = jobs[random.below(jobs.len())];
            let file = anna.job(job)["file_upload_id"].as_str().unwrap().to_owned();
            anna.send("DELETE", &format!("/api/files/{file}"), &json!(null));
            history.push(format!("the file of job {job} is deleted"));
        }
        let seen = format!("after seed {seed}: {history:#?}");
        let after = list(&anna);
        if choice >= 8 {
            assert_eq!(after, before, "{seen}");
        }
        no_two_share_a_key(&after, &seen);
        the_view_shows_the_same(&office, &after, &seen);
    }
    // In whatever order the rest is undone, nothing is left.
    while !jobs.is_empty() {
        let job = jobs.remove(random.below(jobs.len()));
        history.push(format!("undo job {job} at last"));
        let seen = format!("after seed {seed}: {history:#?}");
        undo_and_compare(&office, &anna, job, &seen);
        no_two_share_a_key(&list(&anna), &seen);
    }
    let seen = format!("after seed {seed}: {history:#?}");
    assert!(list(&anna).is_empty(), "{seen}");
    forget(&office);
    let left = office.number("SELECT count(*) FROM records");
    assert_eq!(left, 0, "{seen}");
    all
}

#[test]
fn whatever_is_undone_in_whatever_order_keys_stay_unique_and_what_is_told_happens() {
    let mut all = (0, 0, 0, 0);
    for seed in 1..=10 {
        let (removed, restored, kept, blocked) =
            play(0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(seed), 40);
        all = (
            all.0 + removed,
            all.1 + restored,
            all.2 + kept,
            all.3 + blocked,
        );
    }
    // Each of them was met.
    println!("removed, restored, kept, of these blocked: {all:?}");
    assert!(
        all.0 > 20 && all.1 > 20 && all.2 > 20 && all.3 > 2,
        "{all:?}"
    );
}

#[test]
fn a_record_whose_key_another_has_since_stays_as_it_is_and_the_answer_says_whose() {
    let office = Office::new();
    template(&office.admin("root"));
    let anna = office.member("anna");
    import(&anna, "a.csv", "id,u\n1,x\n", "skip");
    let second = import(&anna, "b.csv", "id,u\n1,y\n", "update");
    let third = import(&anna, "c.csv", "id,u\n2,x\n", "skip");
    let answer = undo(&anna, second);
    assert_eq!(told(&answer), (0, 0, 1));
    assert_eq!(
        answer["message"],
        "The import was undone: 0 taken out of the list, 0 put back as they were. 1 could not be put back, \
         because its u is now that of row 2 of c.csv: id 1 stays as it is."
    );
    assert_eq!(short(&anna), ["1 y", "2 x"]);
    // It is a record like any other: found by its keys, updated, and put back as it stayed.
    let known = import(&anna, "d.csv", "id,u\n3,y\n", "skip");
    assert_eq!(anna.job(known)["counts"]["duplicates"], 1);
    let later = import(&anna, "e.csv", "id,u\n1,z\n", "update");
    assert_eq!(short(&anna), ["1 z", "2 x"]);
    assert_eq!(told(&undo(&anna, later)), (0, 1, 0));
    // With what was in its way it comes back.
    let answer = undo(&anna, third);
    assert_eq!(told(&answer), (1, 1, 0));
    assert_eq!(
        answer["message"],
        "The import was undone: 1 taken out of the list, 1 put back as it was. 1 of these had stayed in the \
         list when another import was undone."
    );
    assert_eq!(short(&anna), ["1 x"]);
}

#[test]
fn what_stayed_goes_when_the_import_that_made_it_is_undone_though_its_key_is_taken_still() {
    let office = Office::new();
    template(&office.admin("root"));
    let anna = office.member("anna");
    let first = import(&anna, "a.csv", "id,u\n1,x\n", "skip");
    let second = import(&anna, "b.csv", "id,u\n1,y\n", "update");
    let third = import(&anna, "c.csv", "id,u\n2,x\n", "skip");
    assert_eq!(told(&undo(&anna, second)), (0, 0, 1));
    let answer = undo(&anna, first);
    assert_eq!(told(&answer), (1, 0, 0));
    let message = answer["message"].as_str().unwrap();
    assert!(!message.contains("later import"), "{message}");
    assert_eq!(short(&anna), ["2 x"]);
    forget(&office);
    assert_eq!(office.number("SELECT count(*) FROM records"), 1);
    assert_eq!(told(&undo(&anna, third)), (1, 0, 0));
    assert!(list(&anna).is_empty());
}

#[test]
fn an_import_under_one_that_stayed_is_told_what_is_in_the_way_and_not_of_a_later_import() {
    let office = Office::new();
    template(&office.admin("root"));
    let anna = office.member("anna");
    import(&anna, "a.csv", "id,u\n1,x\n", "skip");
    let second = import(&anna, "b.csv", "id,u\n1,x2\n", "update");
    let third = import(&anna, "c.csv", "id,u\n1,y\n", "update");
    import(&anna, "d.csv", "id,u\n2,x\n3,x2\n", "skip");
    assert_eq!(told(&undo(&anna, third)), (0, 0, 1));
    let answer = undo(&anna, second);
    assert_eq!(told(&answer), (0, 0, 1));
    let message = answer["message"].as_str().unwrap();
    assert!(
        message.ends_with("its u is now that of row 2 of d.csv: id 1 stays as it is."),
        "{message}"
    );
    assert_eq!(short(&anna), ["1 y", "2 x", "3 x2"]);
}

#[test]
fn what_stayed_comes_back_only_after_an_import_into_the_same_list() {
    let office = Office::with(|settings| settings.undo_wait = Duration::from_millis(10));
    template(&office.admin("root"));
    let anna = office.member("anna");
    import(&anna, "a.csv", "id,u\n1,x\n", "skip");
    let second = import(&anna, "b.csv", "id,u\n1,y\n", "update");
    let third = import(&anna, "c.csv", "id,u\n2,x\n", "skip");
    undo(&anna, second);
    let stop = Stop::new();
    let turn = office.app.turns.take("things", JobId(99), &stop, || {});
    assert_eq!(anna.post(&format!("/api/jobs/{third}/undo")).status, 503);
    drop(turn);
    assert_eq!(told(&undo(&anna, third)), (1, 1, 0));
}

#[test]
fn records_that_can_come_back_only_one_after_another_do() {
    let office = Office::new();
    template(&office.admin("root"));
    let anna = office.member("anna");
    // One undoing apart, each record wants the key that the next one gives up.
    import(&anna, "a.csv", "id,u\n1,b\n2,c\n3,d\n", "skip");
    let away = import(&anna, "b.csv", "id,u\n1,p\n2,q\n3,r\n", "update");
    let shifted = import(&anna, "c.csv", "id,u\n1,a\n2,b\n3,c\n", "update");
    assert_eq!(told(&undo(&anna, away)), (0, 0, 3));
    assert_eq!(told(&undo(&anna, shifted)), (0, 3, 0));
    assert_eq!(short(&anna), ["1 b", "2 c", "3 d"]);
}

#[test]
fn of_two_that_want_the_same_key_one_comes_back() {
    let office = Office::new();
    template(&office.admin("root"));
    let anna = office.member("anna");
    import(&anna, "a.csv", "id,u\n1,a\n", "skip");
    let away = import(&anna, "b.csv", "id,u\n1,p\n", "update");
    import(&anna, "c.csv", "id,u\n2,a\n", "skip");
    let last = import(&anna, "d.csv", "id,u\n1,q\n2,r\n", "update");
    assert_eq!(told(&undo(&anna, away)), (0, 0, 1));
    let answer = undo(&anna, last);
    assert_eq!(told(&answer), (0, 1, 1));
    assert_eq!(short(&anna), ["1 a", "2 r"]);
    let message = answer["message"].as_str().unwrap();
    assert!(
        message.ends_with("its u is now that of row 2 of a.csv: id 2 stays as it is."),
        "{message}"
    );
}

#[test]
fn a_record_goes_when_its_last_import_is_undone() {
    let office = Office::new();
    template(&office.admin("root"));
    let anna = office.member("anna");
    let first = import(&anna, "a.csv", "id,u\n1,x\n", "skip");
    let second = import(&anna, "b.csv", "id,u\n1,y\n", "update");
    let answer = undo(&anna, first);
    assert_eq!(told(&answer), (0, 0, 1));
    let message = answer["message"].as_str().unwrap();
    assert!(
        message.ends_with("1 was changed by a later import and stays as that one left it."),
        "{message}"
    );
    assert_eq!(told(&undo(&anna, second)), (1, 0, 0));
    assert!(list(&anna).is_empty());
}

#[test]
fn what_comes_back_waits_for_an_import_into_the_same_list_and_what_goes_does_not() {
    let office = Office::with(|settings| settings.undo_wait = Duration::from_millis(10));
    template(&office.admin("root"));
    let anna = office.member("anna");
    let first = import(&anna, "a.csv", "id,u\n1,x\n", "skip");
    let second = import(&anna, "b.csv", "id,u\n1,y\n2,z\n", "update");
    let stop = Stop::new();
    let turn = office.app.turns.take("things", JobId(99), &stop, || {});
    let answer = anna.post(&format!("/api/jobs/{second}/undo"));
    assert_eq!(answer.status, 503);
    assert_eq!(answer.code(), "busy");
    assert_eq!(answer.header("Retry-After"), Some("10"));
    assert_eq!(short(&anna), ["1 y", "2 z"]);
    assert_eq!(told(&undo(&anna, first)), (0, 0, 1));
    drop(turn);
    assert_eq!(told(&undo(&anna, second)), (2, 0, 0));
}

#[test]
fn of_many_who_undo_the_same_import_one_does() {
    let office = Office::new();
    template(&office.admin("root"));
    let anna = office.member("anna");
    import(&anna, "a.csv", "id,u\n1,x\n2,y\n", "skip");
    let second = import(&anna, "b.csv", "id,u\n1,p\n2,q\n", "update");
    import(&anna, "c.csv", "id,u\n3,x\n", "skip");
    let turn = office
        .app
        .turns
        .take("things", JobId(99), &Stop::new(), || {});
    let path = format!("/api/jobs/{second}/undo");
    let mut answers: Vec<u16> = std::thread::scope(|scope| {
        let asked: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| anna.post(&path).status))
            .collect();
        drop(turn);
        asked
            .into_iter()
            .map(|asked| asked.join().unwrap())
            .collect()
    });
    answers.sort_unstable();
    assert_eq!(answers, [200, 409, 409, 409]);
    assert_eq!(short(&anna), ["1 p", "2 y", "3 x"]);
}

#[test]
fn what_was_found_holds_until_the_list_changes() {
    let office = Office::new();
    template(&office.admin("root"));
    let anna = office.member("anna");
    let look = |job| {
        let found = office.app.db.read(|c| {
            let mut look = Look::begin(c, JobId(job), "things")?;
            while !look.page(c, 1)? {}
            Ok(look)
        });
        found.unwrap()
    };
    let holds = |look: &Look| office.app.db.read(|c| look.holds(c)).unwrap();
    let first = import(&anna, "a.csv", "id,u\n1,x\n2,y\n", "skip");
    let before = look(first);
    assert!(holds(&before));
    assert_eq!(before.removed, 2);
    // Another list is not this one.
    anna.queue("o.csv", &crate::forms::companies("o", 2));
    office.work_all();
    assert!(holds(&before));
    let second = import(&anna, "b.csv", "id,u\n1,z\n", "update");
    assert!(!holds(&before));
    let after = look(first);
    assert_eq!((after.removed, after.kept()), (1, 1));
    undo(&anna, second);
    assert!(!holds(&after));
}

#[test]
fn an_undoing_that_was_cut_off_leaves_no_trace_in_the_next_one() {
    let office = Office::new();
    template(&office.admin("root"));
    let anna = office.member("anna");
    import(&anna, "a.csv", "id,u\n1,x\n2,y\n", "skip");
    let second = import(&anna, "b.csv", "id,u\n1,p\n2,q\n", "update");
    let third = import(&anna, "c.csv", "id,u\n3,x\n", "skip");
    // As if it had been cut off after it marked both.
    office
        .app
        .db
        .write(|tx| Ok(tx.execute("UPDATE records SET kept = 1 WHERE job_id = ?1", [second])?))
        .unwrap();
    assert_eq!(short(&anna), ["1 p", "2 q", "3 x"]);
    assert_eq!(told(&undo(&anna, second)), (0, 1, 1));
    assert_eq!(short(&anna), ["1 p", "2 y", "3 x"]);
    assert_eq!(told(&undo(&anna, third)), (1, 1, 0));
    assert_eq!(short(&anna), ["1 x", "2 y"]);
}

#[test]
fn many_that_stayed_go_in_small_steps_that_show_nothing_before_the_last() {
    const ROWS: u64 = 1_200;
    let office = Office::new();
    template(&office.admin("root"));
    let anna = office.member("anna");
    let file = |from: u64, u: &str| {
        let rows = (0..ROWS).map(|n| format!("{},{u}{n},\n", from + n));
        format!("id,u,v\n{}", rows.collect::<String>())
    };
    let first = import(&anna, "a.csv", &file(0, "a"), "skip");
    let second = import(&anna, "b.csv", &file(0, "b"), "update");
    import(&anna, "c.csv", &file(ROWS, "a"), "skip");
    let rows = i64::try_from(ROWS).unwrap();
    assert_eq!(told(&undo(&anna, second)), (0, 0, rows));
    let shown = |file: &str| {
        office.number(&format!(
            "SELECT count(*) FROM v_records WHERE file = '{file}'"
        ))
    };
    let marked = || office.number("SELECT count(*) FROM records WHERE let_go IS NOT NULL");

    office.app.db.watch_writes().unwrap();
    let path = format!("/api/jobs/{first}/undo");
    let answer = faults::with_failing_write("UPDATE records", ROWS - 100, Kind::Full, || {
        anna.post(&path)
    });
    assert_eq!(answer.status, 507);
    office.app.db.room().is_back();
    // What came before the step that failed is marked, and nobody sees it.
    assert!((500..rows - 100).contains(&marked()), "{}", marked());
    assert_eq!((shown("b.csv"), shown("c.csv")), (rows, rows));
    assert_eq!(anna.job(first)["undone_at"], Value::Null);

    let left = rows - marked();
    let written = faults::writes(|| assert_eq!(told(&undo(&anna, first)), (rows, 0, 0)));
    assert_eq!(written["UPDATE records"], u64::try_from(left).unwrap());
    assert_eq!((shown("b.csv"), shown("c.csv")), (0, rows));
    forget(&office);
    assert_eq!(office.number("SELECT count(*) FROM records"), rows);
}

#[test]
fn what_goes_with_an_import_that_is_not_undone_stays() {
    let office = Office::new();
    template(&office.admin("root"));
    let anna = office.member("anna");
    let first = import(&anna, "a.csv", "id,u\n1,x\n", "skip");
    let second = import(&anna, "b.csv", "id,u\n1,y\n", "update");
    let third = import(&anna, "c.csv", "id,u\n2,x\n", "skip");
    assert_eq!(told(&undo(&anna, second)), (0, 0, 1));
    let sql = |sql: &str| office.app.db.write(|tx| Ok(tx.execute(sql, [])?));
    // As if undoing the first had been cut off after its marks; then the third is undone.
    let marked = sql(&format!("UPDATE records SET let_go = {first} WHERE kept"));
    assert_eq!(marked.unwrap(), 1);
    assert_eq!(short(&anna), ["1 y", "2 x"]);
    assert_eq!(told(&undo(&anna, third)), (1, 1, 0));
    assert_eq!(short(&anna), ["1 x"]);
    // It went for good.
    let again = sql("UPDATE records SET let_go = NULL WHERE kept").unwrap_err();
    assert!(again.to_string().contains("not later"), "{again}");
    forget(&office);
    assert_eq!(told(&undo(&anna, first)), (1, 0, 0));
    assert_eq!(short(&anna), Vec::<String>::new());
}

#[test]
fn the_records_of_undone_jobs_are_removed_and_those_that_stay_are_not() {
    let office = Office::new();
    template(&office.admin("root"));
    let anna = office.member("anna");
    import(&anna, "0.csv", "id,u\n1,x\n", "skip");
    let first = import(&anna, "a.csv", "id,u\n2,y\n5,\n5,\n", "skip");
    let second = import(&anna, "b.csv", "id,u\n1,p\n2,q\n", "update");
    import(&anna, "c.csv", "id,u\n3,x\n", "skip");
    undo(&anna, second);
    undo(&anna, first);
    let before = list(&anna);
    assert_eq!(short(&anna), ["1 p", "3 x"]);
    forget(&office);
    assert_eq!(office.number("SELECT count(*) FROM records"), 3);
    assert_eq!(office.number("SELECT count(*) FROM record_keys"), 6);
    assert_eq!(list(&anna), before);
    // What was wrong in its rows is history and stays.
    anna.get(&format!("/api/jobs/{first}/report")).expect(200);
    assert_eq!(
        office.number("SELECT count(*) FROM v_problems WHERE outcome = 'duplicate'"),
        1
    );
    for download in ["records.json", "records.csv", "records.xlsx", "changes"] {
        let answer = anna.get(&format!("/api/jobs/{first}/{download}"));
        assert_eq!(answer.expect(404)["code"], "not-found", "{download}");
    }
}

#[test]
fn a_download_of_records_that_are_undone_meanwhile_does_not_end_like_a_whole_one() {
    let office = Office::new();
    let anna = office.member("anna");
    let job = anna.queue("a.csv", &crate::forms::companies("a", 3_000));
    office.work_all();
    let mut download = anna.get_slowly(&format!("/api/jobs/{job}/records.ndjson"));
    let mut some = [0; 100];
    download.read_exact(&mut some).unwrap();
    undo(&anna, job);
    assert!(download.read_to_end(&mut Vec::new()).is_err());
}
