//! Heads: what is refused, how large they may be, and how long they may take.

use super::*;

#[test]
fn an_absolute_target_names_the_host_itself() {
    let door = Door::open();
    let mut client = door.connect();
    client.send("GET http://Other:81/target?x=1 HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(client.answer().body, b"/target?x=1 Other:81");
    client.send("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(client.answer().status, 200);
    assert_eq!(door.asked()[1], "OPTIONS *");
}

/// Heads that two programs could read differently, or that nobody sends in good faith. Each is one
/// refusal, and what follows it is never a request.
const AMBIGUOUS: &[(&str, &str)] = &[
    (
        "Content-Length and Transfer-Encoding",
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
    ),
    (
        "Transfer-Encoding and Content-Length",
        "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
    ),
    ("two lengths", "Content-Length: 5\r\nContent-Length: 6\r\n"),
    (
        "the same length twice",
        "Content-Length: 5\r\nContent-Length: 5\r\n",
    ),
    ("a list of lengths", "Content-Length: 5, 5\r\n"),
    ("a signed length", "Content-Length: +5\r\n"),
    ("a negative length", "Content-Length: -5\r\n"),
    ("a length in hex", "Content-Length: 0x5\r\n"),
    ("a length with a fraction", "Content-Length: 5.0\r\n"),
    ("a length with a blank inside", "Content-Length: 5 5\r\n"),
    ("an empty length", "Content-Length:\r\n"),
    ("a length in words", "Content-Length: five\r\n"),
    (
        "a length over 64 bits",
        "Content-Length: 18446744073709551616\r\n",
    ),
    ("a length in quotes", "Content-Length: \"5\"\r\n"),
    ("another coding", "Transfer-Encoding: gzip\r\n"),
    ("two codings", "Transfer-Encoding: gzip, chunked\r\n"),
    (
        "chunked twice",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
    ),
    (
        "chunked in a list",
        "Transfer-Encoding: chunked, chunked\r\n",
    ),
    (
        "chunked and identity",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
    ),
    ("a misspelt coding", "Transfer-Encoding: xchunked\r\n"),
    (
        "chunked with a parameter",
        "Transfer-Encoding: chunked;q=1\r\n",
    ),
    ("an empty coding", "Transfer-Encoding:\r\n"),
    (
        "a vertical tab after chunked",
        "Transfer-Encoding: chunked\x0b\r\n",
    ),
    ("a blank before the colon", "Content-Length : 5\r\n"),
    ("a tab before the colon", "Transfer-Encoding\t: chunked\r\n"),
    ("a folded line", "X: a\r\n Content-Length: 5\r\n"),
    ("a folded coding", "Transfer-Encoding:\r\n chunked\r\n"),
    ("a blank before the first name", " Content-Length: 5\r\n"),
    ("a lone CR", "X: a\rContent-Length: 5\r\n"),
    ("a lone LF", "X: a\nContent-Length: 5\r\n"),
    ("NUL in a value", "X: a\0b\r\n"),
    ("NUL in a name", "X\0: a\r\n"),
    ("no colon", "Content-Length 5\r\n"),
    ("no name", ": 5\r\n"),
    ("a second host", "Host: b\r\n"),
];

#[test]
fn no_ambiguous_head_lets_a_second_request_in() {
    let door = Door::open();
    for (what, lines) in AMBIGUOUS {
        let request = format!(
            "POST /echo HTTP/1.1\r\nHost: a\r\n{lines}\r\n0\r\n\r\n{}",
            get("/smuggled")
        );
        let text = door.all(&request);
        assert_eq!(statuses(&text), ["400"], "{what}: {text}");
        assert!(text.contains("\r\nConnection: close\r\n"), "{what}");
        assert!(text.contains("application/problem+json"), "{what}");
        assert!(
            text.contains("\r\nX-Content-Type-Options: nosniff"),
            "{what}"
        );
    }
    assert_eq!(door.asked(), Vec::<String>::new());
}

#[test]
fn a_first_line_that_is_not_right_is_refused() {
    let door = Door::open();
    for first in [
        "GET /",
        "GET  / HTTP/1.1",
        "GET / HTTP/1.1 ",
        "GET\t/ HTTP/1.1",
        "get",
        "GET /a b HTTP/1.1",
        "GET /a\u{1}b HTTP/1.1",
        "GET /ü HTTP/1.1",
        "GET /%zz HTTP/1.1",
        "GET /%2 HTTP/1.1",
        "GET /%FF HTTP/1.1",
        "GET /?a=% HTTP/1.1",
        "GET /#a HTTP/1.1",
        "GET a HTTP/1.1",
        "GET * HTTP/1.1",
        "GET ftp://a/ HTTP/1.1",
        "GET http:///a HTTP/1.1",
        "GET http://u@h/ HTTP/1.1",
        "CONNECT a:443 HTTP/1.1",
        "G@T / HTTP/1.1",
        "GET / http/1.1",
        "GET / http/2.0",
        "GET / HTTP/2",
        "GET / HTTP/1.10",
        "GET / HTTP/11.1",
        "GET /a b HTTP/1.2",
        "GET /a b HTTP/2.0",
        "GET  HTTP/2.0",
        "\u{16}\u{3}\u{1}",
        "{\"a\":1}",
    ] {
        let text = door.all(format!("{first}\r\nHost: a\r\n\r\n"));
        assert_eq!(statuses(&text), ["400"], "{}: {text}", first.escape_debug());
    }
    assert_eq!(statuses(&door.all("GET / HTTP/1.1\r\n\r\n")), ["400"]);
    assert_eq!(statuses(&door.all("GET / HTTP/1.1\nHost: a\n\n")), ["400"]);
    for host in ["", "a b", "a,b", "a/b", "u@a", "ü"] {
        let text = door.all(format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n"));
        assert_eq!(statuses(&text), ["400"], "{host}");
    }
    assert_eq!(door.asked(), Vec::<String>::new());
    // Empty lines before a request, and a host in any usual form, are no fault.
    for fine in [
        "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nhOsT:\ta \r\n\r\n",
        "GET / HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n",
        "GET / HTTP/1.0\r\n\r\n",
    ] {
        assert_eq!(statuses(&door.all(fine)), ["200"], "{fine}");
    }
}

#[test]
fn a_later_http_1_is_read_as_http_1_1_and_another_major_version_is_told() {
    let door = Door::open();
    for fine in ["1.2", "1.9"] {
        let mut client = door.connect();
        for _ in 0..2 {
            client.send(format!("GET /x HTTP/{fine}\r\nHost: a\r\n\r\n"));
            assert_eq!(client.answer().status, 200, "{fine}");
        }
    }
    // As strict as ever.
    let text = door.all("\r\nGET /x HTTP/1.2\r\n\r\n");
    assert_eq!(statuses(&text), ["400"], "without a host: {text}");
    assert_eq!(door.asked().len(), 4);
    for first in ["GET /x HTTP/2.0", "GET /x HTTP/0.9", "PRI * HTTP/2.0"] {
        let mut client = door.connect();
        client.send(format!("{first}\r\nHost: a\r\n\r\nSM\r\n\r\n"));
        let answer = client.answer();
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (505, "http-version-not-supported"),
            "{first}"
        );
        let version = first.split(' ').next_back().unwrap();
        let body = String::from_utf8(answer.body.clone()).unwrap();
        assert!(body.contains(version), "{body}");
        client.ends();
    }
    assert_eq!(door.asked().len(), 4);
}

#[test]
fn a_head_of_the_largest_size_passes_and_one_byte_more_does_not() {
    let door = Door::with(|bounds| bounds.door.head_bytes_max = 2_000);
    let head = |size: usize| {
        let start = "GET / HTTP/1.1\r\nHost: a\r\nX: ";
        format!("{start}{}\r\n\r\n", "x".repeat(size - start.len() - 4))
    };
    let mut client = door.connect();
    client.send(head(2_000));
    assert_eq!(client.answer().status, 200);
    client.send(head(2_001));
    let answer = client.answer();
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (431, "head-too-large")
    );
    client.ends();
    // Without an end, and with empty lines before it.
    assert_eq!(
        statuses(&door.all("GET / HTTP/1.1\r\nX: ".to_owned() + &"x".repeat(3_000))),
        ["431"]
    );
    assert_eq!(
        statuses(&door.all("\r\n".repeat(500) + &head(1_000))),
        ["200"]
    );
    assert_eq!(
        statuses(&door.all("\r\n".repeat(501) + &head(1_000))),
        ["431"]
    );
}

#[test]
fn headers_and_targets_have_limits_on_both_sides() {
    let door = Door::open();
    let lines = |count: usize| {
        format!(
            "GET / HTTP/1.1\r\nHost: a\r\n{}\r\n",
            "X: a\r\n".repeat(count - 1)
        )
    };
    assert_eq!(statuses(&door.all(lines(100))), ["200"]);
    assert_eq!(statuses(&door.all(lines(101))), ["431"]);
    let target = |size: usize| get(&format!("/{}", "a".repeat(size - 1)));
    assert_eq!(statuses(&door.all(target(16 << 10))), ["200"]);
    assert_eq!(statuses(&door.all(target((16 << 10) + 1))), ["431"]);
}

#[test]
fn huge_heads_cost_nothing_but_their_sender() {
    let door = Door::open();
    let mut healthy = door.connect();
    for head in [
        format!(
            "GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n",
            "x".repeat(1 << 20)
        ),
        format!(
            "GET / HTTP/1.1\r\nHost: a\r\n{}\r\n",
            "X: a\r\n".repeat(10_000)
        ),
        get(&format!("/{}", "a".repeat(5_000_000))),
    ] {
        let mut client = door.connect();
        // The answer may come before everything is sent.
        let _ = client.stream.write_all(head.as_bytes());
        assert_eq!(statuses(&client.rest()), ["431"]);
        assert_eq!(healthy.get("/hello").status, 200);
    }
}

#[test]
fn a_slow_head_is_overdue_as_a_whole() {
    let door = Door::with(|bounds| bounds.door.head_time_max = Duration::from_millis(300));
    let mut client = door.connect();
    let began = Instant::now();
    client.send("GET / HTTP/1.1\r\n");
    // Each byte is in time, the whole is not.
    let mut writer = client.stream.try_clone().unwrap();
    let dripping = std::thread::spawn(move || {
        while writer.write_all(b"X: a\r\n").is_ok() {
            std::thread::sleep(Duration::from_millis(20));
        }
    });
    let answer = client.answer();
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (408, "request-timeout")
    );
    assert!(began.elapsed() >= Duration::from_millis(300));
    client.stream.shutdown(Shutdown::Both).unwrap();
    dripping.join().unwrap();
    // Whoever says nothing is told nothing.
    door.connect().ends();
}

#[test]
fn a_kept_connection_may_be_silent_for_a_while_and_then_ends() {
    let door = |idle| {
        Door::with(|bounds| {
            bounds.door.head_time_max = Duration::from_millis(200);
            bounds.door.idle_time_max = idle;
        })
    };
    let patient = door(LONG);
    let mut client = patient.connect();
    assert_eq!(client.get("/hello").status, 200);
    // Longer than a head may take, shorter than silence may last.
    std::thread::sleep(Duration::from_millis(400));
    assert_eq!(client.get("/hello").status, 200);
    let short = door(Duration::from_millis(300));
    let mut client = short.connect();
    let began = Instant::now();
    assert_eq!(client.get("/hello").status, 200);
    client.ends();
    assert!(began.elapsed() >= Duration::from_millis(300));
    // From its first byte on, a second head has the time of a head.
    let mut client = patient.connect();
    assert_eq!(client.get("/hello").status, 200);
    client.send("GET");
    let began = Instant::now();
    assert_eq!(client.answer().status, 408);
    assert!(began.elapsed() < LONG);
}
