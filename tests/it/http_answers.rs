//! The forms that answers take: parts of a file, gzip, methods, addresses, and who sees the counters.

use std::io::Read;

use flate2::read::GzDecoder;
use serde_json::json;
use sheetline::http::listener::{Body, Incoming};
use sheetline::http::routes;
use sheetline::store::uploads;

use crate::forms;
use crate::office::{Answer, Office, Person};

fn with(person: &Person<'_>, method: &str, url: &str, headers: &[(&str, &str)]) -> Answer {
    let bearer = format!("Bearer {}", person.session);
    let mut all = vec![("Authorization", bearer.as_str())];
    all.extend_from_slice(headers);
    person.office.call(method, url, &all, Vec::new())
}

#[test]
fn a_text_is_stored_packed_and_a_workbook_as_it_came() {
    let office = Office::new();
    let maria = office.member("maria");
    maria
        .upload("upload-json", "a.csv", &forms::companies("p", 8_000), &[])
        .expect(201);
    let book = include_bytes!("../../samples/companies.xlsx");
    maria.upload("upload-json", "b.xlsx", book, &[]).expect(201);
    let stored = |no: u32| {
        let of = |what: &str| {
            office.number(&format!(
                "SELECT {what} FROM upload_chunks c JOIN uploads u ON u.no = c.upload_no WHERE u.no = {no}"
            ))
        };
        (
            of("sum(coalesce(c.size, length(c.bytes))) - max(u.size)"),
            of("2 * sum(length(c.bytes)) < max(u.size)"),
            of("sum(c.size IS NOT NULL)"),
        )
    };
    let (missing, small, packed) = stored(1);
    assert!((missing, small) == (0, 1) && packed > 2, "{packed}");
    assert_eq!(stored(2), (0, 0, 0));
}

#[test]
fn an_original_comes_in_parts_to_whoever_goes_on_with_it() {
    let office = Office::new();
    let maria = office.member("maria");
    // More than two pieces of the database.
    let file = forms::companies("part", 8_000);
    let piece = uploads::CHUNK_BYTES;
    assert!(file.len() > 2 * piece);
    let upload = maria.upload("upload-json", "a.csv", &file, &[]).expect(201);
    let url = format!(
        "/api/files/{}/original",
        upload["file_upload_id"].as_str().unwrap()
    );
    let whole = maria.get(&url);
    assert_eq!((whole.status, whole.bytes == file), (200, true));
    assert_eq!(whole.header("Accept-Ranges"), Some("bytes"));
    let etag = whole.header("ETag").unwrap();
    assert_eq!(etag, format!("\"{}\"", upload["sha256"].as_str().unwrap()));
    let size = file.len();
    for (start, end) in [
        (0, 10),
        (piece - 6, piece + 10),
        (piece, 2 * piece),
        (2 * piece - 1, size),
        (size - 1, size),
    ] {
        let range = format!("bytes={start}-{}", end - 1);
        let part = with(
            &maria,
            "GET",
            &url,
            &[("Range", &range), ("If-Range", etag)],
        );
        assert_eq!(part.status, 206);
        assert!(part.bytes == file[start..end], "{range}");
        let stated = format!("bytes {start}-{}/{size}", end - 1);
        assert_eq!(part.header("Content-Range"), Some(stated.as_str()));
        assert!(
            part.header("Content-Disposition")
                .unwrap()
                .contains("a.csv")
        );
        // A part of the gzip would be something else.
        assert_eq!(part.header("Content-Encoding"), None);
    }
    let behind = with(&maria, "GET", &url, &[("Range", &format!("bytes={size}-"))]);
    assert_eq!(
        (behind.status, behind.code().as_str()),
        (416, "range-not-satisfiable")
    );
    assert_eq!(
        behind.header("Content-Range"),
        Some(format!("bytes */{size}").as_str())
    );
    let other = with(
        &maria,
        "GET",
        &url,
        &[("Range", "bytes=0-9"), ("If-Range", "\"old\"")],
    );
    assert_eq!((other.status, other.bytes.len()), (200, size));
    assert_eq!(
        with(&maria, "GET", &url, &[("If-None-Match", etag)]).status,
        304
    );
    // Somebody else's file has no parts either.
    let eve = office.member("eve");
    assert_eq!(
        with(&eve, "GET", &url, &[("Range", "bytes=0-9")]).code(),
        "not-found"
    );
}

#[test]
fn large_answers_are_compressed_for_whoever_asks() {
    let office = Office::new();
    let maria = office.member("maria");
    let plain = maria.get("/api/openapi.json");
    let gzip = with(
        &maria,
        "GET",
        "/api/openapi.json",
        &[("Accept-Encoding", "gzip, br")],
    );
    assert_eq!(gzip.header("Content-Encoding"), Some("gzip"));
    assert!(gzip.bytes.len() < plain.bytes.len() / 2);
    let mut text = Vec::new();
    GzDecoder::new(&gzip.bytes[..])
        .read_to_end(&mut text)
        .unwrap();
    assert!(text == plain.bytes);
    for answer in [&plain, &gzip] {
        assert_eq!(answer.header("Vary"), Some("Accept-Encoding"));
    }
    let small = with(&maria, "GET", "/api/health", &[("Accept-Encoding", "gzip")]);
    assert_eq!(small.header("Content-Encoding"), None);
    // Streamed ones too, whole to their last row.
    maria.queue("a.csv", &forms::companies("zip", 1_500));
    office.work_all();
    let job = "/api/jobs/1/records.ndjson";
    let gzip = with(&maria, "GET", job, &[("Accept-Encoding", "gzip")]);
    assert_eq!(gzip.header("Content-Encoding"), Some("gzip"));
    let mut text = String::new();
    GzDecoder::new(&gzip.bytes[..])
        .read_to_string(&mut text)
        .unwrap();
    assert_eq!(text, maria.get(job).text());
    assert_eq!(text.lines().count(), 1_500);
}

#[test]
fn every_address_says_what_can_be_done_with_it() {
    let office = Office::new();
    let options = |url: &str| office.call("OPTIONS", url, &[], Vec::new());
    let files = options("/api/files");
    assert_eq!(
        (files.status, files.header("Allow")),
        (204, Some("GET, HEAD, OPTIONS"))
    );
    let all = options("*");
    assert_eq!(all.status, 204);
    for method in ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"] {
        assert!(
            all.header("Allow")
                .unwrap()
                .split(", ")
                .any(|m| m == method),
            "{method}"
        );
    }
    for method in ["TRACE", "get", "BREW"] {
        let refused = office.call(method, "/api/files", &[], Vec::new());
        assert_eq!(
            (refused.status, refused.code().as_str()),
            (405, "method-not-allowed")
        );
        assert_eq!(refused.header("Allow"), Some("GET, HEAD, OPTIONS"));
    }
    assert_eq!(
        office
            .call("HEAD", "/api/openapi.json", &[], Vec::new())
            .status,
        200
    );
}

#[test]
fn an_encoded_slash_is_a_letter_of_a_name_and_not_a_way_to_another_address() {
    let office = Office::new();
    let admin = office.admin("ada");
    let schema = json!({ "fields": [{ "name": "a", "type": "string" }] });
    // The name may be refused, but it is this name that is refused.
    let put = admin.send("PUT", "/api/templates/a%2Fb", &schema);
    assert_ne!(put.status, 404, "{}", put.text());
    assert_eq!(admin.get("/api%2Ffiles").status, 404);
    assert_eq!(admin.get("/api/f%69les").status, 200);
}

fn counters(office: &Office, peer: &str, headers: &[(&str, &str)]) -> (u16, String) {
    let headers = headers
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    let peer = peer.parse().unwrap();
    let mut incoming = Incoming {
        request: rouille::Request::fake_http_from(peer, "GET", "/metrics", headers, Vec::new()),
        body: Body::from_bytes(Vec::new()),
        peer,
    };
    let response = routes::answer(&office.app, &mut incoming);
    let mut text = String::new();
    let (mut reader, _) = response.data.into_reader_and_size();
    reader.read_to_string(&mut text).unwrap();
    (response.status_code, text)
}

#[test]
fn the_counters_are_for_this_computer_and_for_administrators() {
    let office = Office::new();
    let (here, there) = ("127.0.0.1:5000", "192.0.2.1:5000");
    for host in [
        "localhost",
        "localhost:8080",
        "127.0.0.1:8080",
        "[::1]:8080",
        "127.1.2.3",
    ] {
        assert_eq!(counters(&office, here, &[("Host", host)]).0, 200, "{host}");
    }
    assert_eq!(counters(&office, "[::1]:5000", &[("Host", "[::1]")]).0, 200);
    for refused in [
        vec![("Host", "sheets.example.org")],
        vec![("Host", "localhost.example.org")],
        vec![("Host", "localhost"), ("X-Forwarded-For", "192.0.2.7")],
        vec![("Host", "localhost"), ("X-Forwarded-Proto", "https")],
        vec![("Host", "localhost"), ("Forwarded", "for=192.0.2.7")],
        vec![],
    ] {
        let (status, text) = counters(&office, here, &refused);
        assert_eq!(status, 401, "{refused:?}");
        assert!(!text.contains("sheetline_uptime"));
    }
    assert_eq!(counters(&office, there, &[("Host", "localhost")]).0, 401);
    let (member, admin) = (office.member("maria"), office.admin("ada"));
    let as_one = |who: &Person<'_>| {
        let bearer = format!("Bearer {}", who.session);
        counters(&office, there, &[("Host", "a"), ("Authorization", &bearer)])
    };
    assert_eq!(as_one(&member).0, 403);
    let (status, text) = as_one(&admin);
    assert_eq!(status, 200);
    assert!(text.contains("sheetline_sessions_active 2\n"), "{text}");
    assert!(
        text.contains("route=\"/api/auth/login\",code=\"200\"} 2\n"),
        "{text}"
    );
}
