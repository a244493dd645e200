//! Bodies: how they come in, and what ends them.

use super::*;

#[test]
fn a_body_comes_in_by_length_or_in_chunks() {
    let door = Door::open();
    let mut client = door.connect();
    client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc");
    assert_eq!(client.answer().body, b"abc");
    client.send("POST /echo HTTP/1.1\r\nHost: a\r\ntransfer-encoding: Chunked\r\n\r\n3;x=y\r\nab");
    client.send("c\r\n00A\r\n0123456789\r\n0\r\nT: x\r\n\r\n");
    assert_eq!(client.answer().body, b"abc0123456789");
    client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
    assert_eq!(client.answer().body, b"");
    assert_eq!(client.get("/hello").body, b"hello");
}

#[test]
fn a_body_that_is_cut_off_or_framed_wrongly_is_refused() {
    let door = Door::open();
    let chunked = "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (body, what) in [
        (
            "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc".to_owned(),
            "short",
        ),
        (format!("{chunked}3\r\nabc\r\n"), "without the last chunk"),
        (
            format!("{chunked}3\r\nabc\r\n0\r\n"),
            "without the last line",
        ),
        (
            format!("{chunked}3\r\nabcd\r\n0\r\n\r\n{}", get("/smuggled")),
            "longer than it says",
        ),
        (
            format!("{chunked}3\nabc\r\n0\r\n\r\n{}", get("/smuggled")),
            "a lone LF",
        ),
        (format!("{chunked}fffffffffffffffff\r\nabc"), "a huge size"),
        (
            format!("{chunked}1;{}\r\na\r\n0\r\n\r\n", "x".repeat(100_000)),
            "a flood of extension",
        ),
        (
            format!("{chunked}0\r\n{}\r\n", "a: b\r\n".repeat(10_000)),
            "a flood of trailers",
        ),
    ] {
        let text = door.all(body);
        assert_eq!(statuses(&text), ["400"], "{what}: {text}");
        assert!(text.contains("Connection: close"), "{what}");
    }
    assert!(!door.asked().iter().any(|asked| asked.contains("smuggled")));
}

#[test]
fn a_slow_body_is_overdue_as_a_whole_and_a_steady_one_is_not() {
    let door = Door::with(|bounds| {
        bounds.door.body_time_grace = Duration::from_millis(300);
        bounds.door.body_bytes_per_second = 1_000;
    });
    let mut client = door.connect();
    client.send("POST /count HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n");
    let began = Instant::now();
    let mut writer = client.stream.try_clone().unwrap();
    let dripping = std::thread::spawn(move || {
        while writer.write_all(b"x").is_ok() {
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
    // Longer than the grace, but with enough bytes for it.
    let mut client = door.connect();
    client.send("POST /count HTTP/1.1\r\nHost: a\r\nContent-Length: 3001\r\n\r\n");
    client.send([b'x'; 3_000]);
    std::thread::sleep(Duration::from_millis(600));
    client.send("x");
    assert_eq!(client.answer().body, b"3001");
}

#[test]
fn a_body_that_nobody_reads_ends_the_connection_after_the_answer() {
    let door = Door::with(|bounds| bounds.door.drain_time_max = Duration::from_secs(5));
    let mut client = door.connect();
    client.send("POST /hello HTTP/1.1\r\nHost: a\r\nContent-Length: 10000000\r\n\r\n");
    let answer = client.answer();
    assert_eq!(answer.body, b"hello");
    assert_eq!(answer.header("Connection"), Some("close"));
    // What was on its way is thrown away, never read as a request.
    client.send(get("/smuggled"));
    client.stream.shutdown(Shutdown::Write).unwrap();
    client.ends();
    assert_eq!(door.asked(), ["POST /hello"]);
    // A small one that is here already is no reason to part.
    let mut client = door.connect();
    client.send("POST /hello HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}");
    assert_eq!(client.answer().header("Connection"), None);
    client.send(
        "POST /hello HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    );
    assert_eq!(client.answer().header("Connection"), None);
    assert_eq!(client.get("/hello").status, 200);
}

#[test]
fn a_forged_length_costs_no_memory_and_no_wait() {
    let door = Door::open();
    let mut client = door.connect();
    client.send("POST /small HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000000\r\n\r\n");
    let answer = client.answer();
    assert_eq!((answer.status, answer.code().as_str()), (413, "too-large"));
    let body: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(body["limit"], 10);
}

#[test]
fn a_small_body_has_a_limit_on_both_sides() {
    let door = Door::open();
    let chunked = |size: usize| {
        format!(
            "POST /small HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{size:x}\r\n{}\r\n0\r\n\r\n",
            "x".repeat(size)
        )
    };
    let sized = |size: usize| {
        format!(
            "POST /small HTTP/1.1\r\nHost: a\r\nContent-Length: {size}\r\n\r\n{}",
            "x".repeat(size)
        )
    };
    for request in [&chunked as &dyn Fn(usize) -> String, &sized] {
        assert_eq!(statuses(&door.all(request(10))), ["200"]);
        assert_eq!(statuses(&door.all(request(11))), ["413"]);
    }
}

#[test]
fn continue_is_said_only_where_the_body_is_wanted() {
    let door = Door::open();
    let mut client = door.connect();
    let head = |path: &str, size: u64| {
        format!(
            "POST {path} HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\nContent-Length: {size}\r\n\r\n"
        )
    };
    client.send(head("/echo", 3));
    assert_eq!(client.head().head, "HTTP/1.1 100 Continue\r\n\r\n");
    client.send("abc");
    assert_eq!(client.answer().body, b"abc");
    client.send(head("/small", 1_000));
    let answer = client.answer();
    assert_eq!(answer.status, 413);
    assert_eq!(answer.header("Connection"), Some("close"));
    client.stream.shutdown(Shutdown::Write).unwrap();
    client.ends();
}
