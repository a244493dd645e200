//! Who did what, when, and from where.

use serde_json::{Value, json};

use super::{OTHER, behind_proxy, id_of, queue_for, run, sign_in_from};
use crate::office::Office;

#[test]
fn who_did_what_and_from_where_is_kept_without_any_secret() {
    let office = behind_proxy();
    let root = office.admin("root");
    let anna = office.member("anna");
    sign_in_from(&office, "198.51.100.7", "anna", "hunter2 hunter2");
    sign_in_from(&office, "198.51.100.7", "my password by mistake", OTHER);
    let url = format!("/api/users/{}", id_of(&office, "anna"));
    root.send(
        "PATCH",
        &url,
        &json!({ "role": "admin", "password": OTHER }),
    )
    .expect(200);
    root.send("PATCH", &url, &json!({ "role": "member" }))
        .expect(200);
    let job = queue_for(&office, id_of(&office, "root"));
    root.post(&format!("/api/jobs/{job}/cancel")).expect(200);
    let heir = format!("{url}?transfer_to={}", id_of(&office, "root"));
    root.send("DELETE", &heir, &Value::Null).expect(200);

    let trail = root.get("/api/admin/audit").expect(200);
    let lines: Vec<String> = trail["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| {
            let part = |name: &str| entry[name].as_str().unwrap_or("").to_owned();
            format!(
                "{} {} {} {}",
                part("who"),
                part("action"),
                part("target"),
                part("address")
            )
        })
        .collect();
    assert_eq!(
        lines,
        [
            "root user-deleted anna 192.0.2.1",
            "root job-cancelled a.csv (job 1) 192.0.2.1",
            "root user-changed anna: role member 192.0.2.1",
            "root user-changed anna: role admin, new password 192.0.2.1",
            "- sign-in-failed  198.51.100.7",
            "anna sign-in-failed  198.51.100.7",
            "anna signed-in  192.0.2.1",
            "command line user-added anna ",
            "root signed-in  192.0.2.1",
            "command line user-added root ",
        ]
    );
    let text = trail.to_string();
    assert!(!text.contains("hunter2") && !text.contains("mistake") && !text.contains(OTHER));
    let first = root.get("/api/admin/audit?limit=1").expect(200);
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = root
        .get(&format!("/api/admin/audit?limit=1&cursor={cursor}"))
        .expect(200);
    assert_eq!(second["entries"][0]["action"], "job-cancelled");
    assert_eq!(
        office.number("SELECT count(*) FROM v_audit"),
        i64::try_from(lines.len()).unwrap()
    );
    let changed = office
        .app
        .db
        .write(|tx| Ok(tx.execute("UPDATE audit SET who = 'ben'", [])?));
    assert!(changed.is_err());
    drop(anna);
}

#[test]
fn the_audit_trail_does_not_grow_for_ever() {
    let mut office = Office::new();
    office.admin("root");
    office.pass(2 * 366 * 86_400);
    run(
        &office,
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50001)
         INSERT INTO audit (at, who, action) SELECT '2028-11-23T10:00:00.000Z', '-', 'sign-in-failed' FROM n;",
    );
    office.sweep();
    assert_eq!(office.number("SELECT count(*) FROM audit"), 50_002);
    office.pass(1);
    office.sweep();
    assert_eq!(office.number("SELECT count(*) FROM audit"), 50_000);
}
