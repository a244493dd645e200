//! What carries a session, from which site, and from which address.

use serde_json::{Value, json};
use sheetline::accounts;

use super::{behind_proxy, call, refused, sign_in_from, text};
use crate::office::{Office, PASSWORD};

#[test]
fn a_session_travels_in_three_ways_and_the_first_one_counts_alone() {
    let office = Office::new();
    let anna = office.member("anna").session;
    let bearer = format!("Bearer {anna}");
    let cookie = format!("session={anna}");
    let ask =
        |headers: &[(&str, &str)]| call(&office, "GET", "/api/auth/session", headers, &Value::Null);
    for headers in [
        [("Authorization", bearer.as_str())],
        [("X-Session-Id", anna.as_str())],
        [("Cookie", cookie.as_str())],
    ] {
        assert_eq!(ask(&headers).status, 200, "{headers:?}");
    }
    refused(&ask(&[]), 401, "session-missing");
    for headers in [
        [
            ("Authorization", "Bearer x"),
            ("X-Session-Id", anna.as_str()),
        ],
        [("Authorization", ""), ("Cookie", cookie.as_str())],
        [("Authorization", "Basic YTpi"), ("Cookie", cookie.as_str())],
        [("X-Session-Id", "x"), ("Cookie", cookie.as_str())],
        [
            ("Authorization", bearer.as_str()),
            ("Authorization", "Bearer x"),
        ],
        [("X-Session-Id", anna.as_str()), ("X-Session-Id", "x")],
    ] {
        refused(&ask(&headers), 401, "session-invalid");
    }
    let in_url = call(
        &office,
        "GET",
        &format!("/api/auth/session?session={anna}&session_id={anna}"),
        &[],
        &Value::Null,
    );
    refused(&in_url, 401, "session-missing");
}

#[test]
fn a_browser_on_another_site_can_not_use_the_cookie() {
    let office = Office::new();
    let anna = office.member("anna").session;
    let cookie = format!("session={anna}");
    let make = |headers: &[(&str, &str)]| {
        let mut all = vec![("Cookie", cookie.as_str())];
        all.extend_from_slice(headers);
        call(
            &office,
            "POST",
            "/api/auth/tokens",
            &all,
            &json!({ "name": "a" }),
        )
    };
    for own in [
        vec![],
        vec![("Sec-Fetch-Site", "same-origin")],
        vec![
            ("Sec-Fetch-Site", "same-origin"),
            ("Origin", "http://elsewhere"),
        ],
        vec![("Origin", "http://office.test")],
        vec![("Origin", "http://OFFICE.test:80")],
    ] {
        assert_eq!(make(&own).status, 201, "{own:?}");
    }
    for foreign in [
        vec![("Sec-Fetch-Site", "cross-site")],
        vec![("Sec-Fetch-Site", "same-site")],
        vec![("Sec-Fetch-Site", "none")],
        vec![("Sec-Fetch-Site", "")],
        vec![
            ("Sec-Fetch-Site", "same-origin"),
            ("Sec-Fetch-Site", "cross-site"),
        ],
        vec![
            ("Sec-Fetch-Site", "cross-site"),
            ("Origin", "http://office.test"),
        ],
        vec![("Origin", "https://office.test")],
        vec![("Origin", "http://office.test:8080")],
        vec![("Origin", "http://office.test.evil")],
        vec![("Origin", "http://evil")],
        vec![("Origin", "null")],
        vec![("Origin", "")],
        vec![("Origin", "http://office.test"), ("Origin", "http://evil")],
    ] {
        refused(&make(&foreign), 403, "cross-origin");
    }
    // Reading is not changing.
    let read = call(
        &office,
        "GET",
        "/api/auth/session",
        &[("Cookie", &cookie), ("Origin", "http://evil")],
        &Value::Null,
    );
    assert_eq!(read.status, 200);
}

#[test]
fn a_bearer_token_is_never_cross_origin_and_signing_in_may_be() {
    let office = Office::new();
    let anna = office.member("anna").session;
    let bearer = format!("Bearer {anna}");
    for carrier in [
        ("Authorization", bearer.as_str()),
        ("X-Session-Id", anna.as_str()),
    ] {
        let answer = call(
            &office,
            "POST",
            "/api/auth/tokens",
            &[
                carrier,
                ("Sec-Fetch-Site", "cross-site"),
                ("Origin", "http://evil"),
            ],
            &json!({ "name": "a" }),
        );
        assert_eq!(answer.status, 201);
    }
    for url in ["/api/auth/login", "/api/auth/setup"] {
        let body = json!({ "token": "x", "username": "anna", "password": PASSWORD });
        let answer = call(&office, "POST", url, &[("Origin", "http://evil")], &body);
        refused(&answer, 403, "cross-origin");
    }
    let own = json!({ "username": "anna", "password": PASSWORD });
    let origin = [("Origin", "http://office.test")];
    call(&office, "POST", "/api/auth/login", &origin, &own).expect(200);
}

#[test]
fn an_unknown_session_is_told_before_a_foreign_origin_and_that_before_a_missing_right() {
    let office = Office::new();
    let anna = office.member("anna").session;
    let ask = |cookie: &str| {
        call(
            &office,
            "POST",
            "/api/users",
            &[("Cookie", cookie), ("Origin", "http://evil")],
            &json!({}),
        )
    };
    refused(&ask("session=unknown"), 401, "session-invalid");
    refused(&ask(&format!("session={anna}")), 403, "cross-origin");
}

#[test]
fn forwarding_headers_count_only_from_a_trusted_proxy() {
    let direct = Office::new();
    let proxied = behind_proxy();
    for (office, address) in [(&direct, "192.0.2.1"), (&proxied, "198.51.100.7")] {
        accounts::add_user(&office.app.db, "anna", PASSWORD, None, false).unwrap();
        sign_in_from(office, "198.51.100.7", "anna", PASSWORD).expect(200);
        assert_eq!(text(office, "SELECT address FROM sessions"), address);
    }
    let behind_two = Office::with(|settings| {
        settings.trusted_proxies = vec!["192.0.2.1".parse().unwrap(), "10.0.0.9".parse().unwrap()];
    });
    accounts::add_user(&behind_two.app.db, "anna", PASSWORD, None, false).unwrap();
    for (forwarded, address) in [
        ("203.0.113.9, 198.51.100.7, 10.0.0.9", "198.51.100.7"),
        ("203.0.113.9, 198.51.100.8", "198.51.100.8"),
        ("198.51.100.9:4711", "198.51.100.9"),
        ("[2001:db8::7]:4711", "2001:db8::7"),
        ("10.0.0.9, 10.0.0.9", "10.0.0.9"),
        ("203.0.113.9, nonsense, 10.0.0.9", "10.0.0.9"),
        ("", "192.0.2.1"),
    ] {
        sign_in_from(&behind_two, forwarded, "anna", PASSWORD).expect(200);
        assert_eq!(
            text(
                &behind_two,
                "SELECT address FROM sessions ORDER BY id DESC LIMIT 1"
            ),
            address,
            "{forwarded}"
        );
    }
}

#[test]
fn the_cookie_is_secure_where_people_come_by_https() {
    let cookie = |office: &Office, proto: &str| {
        let body = json!({ "username": "anna", "password": PASSWORD });
        let headers = [("X-Forwarded-Proto", proto)];
        let answer = call(office, "POST", "/api/auth/login", &headers, &body);
        answer.expect(200);
        (
            answer.header("Set-Cookie").unwrap().ends_with("; Secure"),
            ["Strict-Transport-Security", "Cross-Origin-Opener-Policy"]
                .iter()
                .all(|name| answer.header(name).is_some()),
        )
    };
    let direct = Office::new();
    let proxied = behind_proxy();
    let public =
        Office::with(|settings| settings.public_url = Some("https://office.test/".to_owned()));
    for office in [&direct, &proxied, &public] {
        accounts::add_user(&office.app.db, "anna", PASSWORD, None, false).unwrap();
    }
    assert_eq!(cookie(&direct, "https"), (false, false));
    assert_eq!(cookie(&proxied, "https"), (true, true));
    assert_eq!(cookie(&proxied, "http"), (false, false));
    assert_eq!(cookie(&public, "http"), (true, true));
}

#[test]
fn an_origin_is_compared_with_the_address_that_people_use() {
    let office = Office::with(|settings| {
        settings.trusted_proxies = vec!["192.0.2.1".parse().unwrap()];
        settings.public_url = Some("https://sheets.example".to_owned());
    });
    accounts::add_user(&office.app.db, "anna", PASSWORD, None, false).unwrap();
    let body = json!({ "username": "anna", "password": PASSWORD });
    let sign_in =
        |headers: &[(&str, &str)]| call(&office, "POST", "/api/auth/login", headers, &body).status;
    assert_eq!(sign_in(&[("Origin", "https://sheets.example")]), 200);
    assert_eq!(sign_in(&[("Origin", "http://sheets.example")]), 403);
    let https = ("X-Forwarded-Proto", "https");
    assert_eq!(sign_in(&[https, ("Origin", "https://office.test")]), 200);
    assert_eq!(sign_in(&[https, ("Origin", "http://office.test")]), 403);
    // Said to have come by http, it did: no page of the public address sent it.
    let http = ("X-Forwarded-Proto", "http");
    assert_eq!(sign_in(&[http, ("Origin", "http://office.test")]), 200);
    assert_eq!(sign_in(&[http, ("Origin", "https://sheets.example")]), 403);
}

#[test]
fn a_request_by_plain_http_gets_no_cookie_that_its_browser_would_throw_away() {
    let told = |proxies: &[&str]| {
        let office = Office::with(|settings| {
            settings.trusted_proxies = proxies.iter().map(|ip| ip.parse().unwrap()).collect();
            settings.public_url = Some("https://office.test".to_owned());
        });
        accounts::add_user(&office.app.db, "anna", PASSWORD, None, false).unwrap();
        office
    };
    let secure = |office: &Office, headers: &[(&str, &str)]| {
        let body = json!({ "username": "anna", "password": PASSWORD });
        let answer = call(office, "POST", "/api/auth/login", headers, &body);
        answer.expect(200);
        let cookie = answer.header("Set-Cookie").unwrap().ends_with("; Secure");
        let hsts = answer.header("Strict-Transport-Security").is_some();
        assert_eq!(cookie, hsts);
        cookie
    };
    let by_proxy = told(&["192.0.2.1"]);
    assert!(!secure(&by_proxy, &[("X-Forwarded-Proto", "http")]));
    assert!(secure(&by_proxy, &[("X-Forwarded-Proto", "https")]));
    // A proxy that says nothing of the scheme: the browser does, else the public address.
    assert!(secure(&by_proxy, &[]));
    assert!(secure(&by_proxy, &[("Origin", "https://office.test")]));
    assert!(!secure(&by_proxy, &[("Origin", "http://office.test")]));
    // Past the proxy, in the office's own network.
    let past = told(&["10.0.0.9"]);
    assert!(!secure(&past, &[]));
    assert!(!secure(&past, &[("X-Forwarded-Proto", "https")]));
}
