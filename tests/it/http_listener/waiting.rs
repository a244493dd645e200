//! Clients that wait for news and go away meanwhile.

use super::*;

/// A server with few seats, a session, and the tag of what it says of the user's work.
fn office(folder: &std::path::Path) -> (client::Served, String, String) {
    client::add_user(folder, "anna", &[]);
    let served = client::serve(folder, &["--max-connections", "14"]);
    let session = served.sign_in("anna");
    let mut first = connect(&served);
    first.send(request(&session, "", ""));
    let etag = first.answer().header("ETag").unwrap().to_owned();
    (served, session, etag)
}

fn connect(served: &client::Served) -> Client {
    let stream = TcpStream::connect(&served.address).unwrap();
    stream.set_read_timeout(Some(LONG)).unwrap();
    Client {
        stream,
        here: Vec::new(),
    }
}

fn request(session: &str, query: &str, more: &str) -> String {
    format!(
        "GET /api/files/processing-status{query} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {session}\r\n{more}\r\n"
    )
}

fn waiting(served: &client::Served, session: &str, etag: &str) -> Client {
    let mut client = connect(served);
    let known = format!("If-None-Match: {etag}\r\n");
    client.send(request(session, "?wait=25", &known));
    client
}

/// How many connections the server has, this one included.
fn open(served: &client::Served) -> u64 {
    let figures = served.ask("GET", "/metrics", &[], b"").unwrap().text();
    let line = figures
        .lines()
        .find_map(|line| line.strip_prefix("sheetline_connections_open "));
    line.unwrap_or_else(|| panic!("{figures}")).parse().unwrap()
}

#[test]
fn whoever_goes_away_while_waiting_gives_the_seat_back() {
    let folder = tempfile::tempdir().unwrap();
    let (served, session, etag) = office(folder.path());
    let began = Instant::now();
    // More than there are seats, three times over: each crowd finds the seats of the one before.
    for _ in 0..3 {
        let mut crowd = Vec::new();
        for n in 0..11 {
            let mut client = waiting(&served, &session, &etag);
            if n % 2 == 0 {
                // What stands behind the request hides nothing.
                client.send(get("/api/health"));
            }
            crowd.push(client);
        }
        until("the crowd", || open(&served) == 12);
        drop(crowd);
        until("free seats", || open(&served) == 1);
    }
    let took = began.elapsed();
    assert!(took < Duration::from_secs(20), "{took:?}");
    served.terminate();
}

#[test]
fn whoever_sends_no_more_is_answered_at_once_with_what_is_known() {
    let folder = tempfile::tempdir().unwrap();
    let (served, session, etag) = office(folder.path());
    let mut client = waiting(&served, &session, &etag);
    let began = Instant::now();
    client.stream.shutdown(Shutdown::Write).unwrap();
    let answer = client.head();
    assert_eq!(answer.status, 304);
    assert_eq!(answer.header("ETag"), Some(etag.as_str()));
    assert!(began.elapsed() < Duration::from_secs(10));
    client.ends();
    served.terminate();
}
