//! The end: nobody new, whoever waits goes, whoever is served is served.

use super::*;

#[test]
fn a_stop_ends_silent_connections_and_lets_the_others_finish() {
    let door = Door::open();
    let mut silent = door.connect();
    assert_eq!(silent.get("/hello").status, 200);
    let mut half = door.connect();
    half.send("GET / HTTP");
    let mut served = door.connect();
    served.send(get("/gate"));
    until("the request", || door.asked().len() == 2);
    door.wait_for_open(3);
    door.shutdown.begin();
    silent.ends();
    half.rest();
    door.wait_for_open(1);
    door.gate.send(()).unwrap();
    assert_eq!(served.answer().body, b"through");
}

#[test]
fn a_request_in_flight_is_answered_during_a_stop() {
    let door = Door::open();
    let mut served = door.connect();
    served.send(get("/gate"));
    until("the request", || !door.asked().is_empty());
    door.shutdown.begin();
    door.gate.send(()).unwrap();
    let answer = served.answer();
    assert_eq!(answer.body, b"through");
    assert_eq!(answer.header("Connection"), Some("close"));
    served.ends();
    assert!(door.shutdown.wait(LONG));
    until("the door to be shut", || {
        TcpStream::connect(door.address).is_err()
    });
}

#[test]
fn a_stop_waits_no_longer_than_it_may() {
    let door = Door::open();
    let mut served = door.connect();
    served.send(get("/gate"));
    until("the request", || !door.asked().is_empty());
    door.shutdown.begin();
    let began = Instant::now();
    assert!(!door.shutdown.wait(Duration::from_millis(100)));
    assert!(began.elapsed() >= Duration::from_millis(100));
    // The connection was cut off.
    served.ends();
    door.gate.send(()).unwrap();
}

#[test]
fn neither_a_slow_upload_nor_a_waiting_client_holds_up_the_end_of_the_program() {
    let folder = tempfile::tempdir().unwrap();
    client::serve(folder.path(), &[]).kill();
    client::add_user(folder.path(), "anna", &[]);
    let served = client::serve(folder.path(), &[]);
    let session = served.sign_in("anna");
    let connect = || {
        let stream = TcpStream::connect(&served.address).unwrap();
        stream.set_read_timeout(Some(LONG)).unwrap();
        Client {
            stream,
            here: Vec::new(),
        }
    };
    let line = format!("Host: a\r\nAuthorization: Bearer {session}\r\n");
    let mut slow = connect();
    slow.send(format!(
        "POST /api/files/upload-json HTTP/1.1\r\n{line}Expect: 100-continue\r\n\
         Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 1000000\r\n\r\n"
    ));
    // Now it is being received.
    assert_eq!(slow.head().status, 100);
    let mut waiting = connect();
    let status = "GET /api/files/processing-status";
    waiting.send(format!("{status} HTTP/1.1\r\n{line}\r\n"));
    let etag = waiting.answer().header("ETag").unwrap().to_owned();
    waiting.send(format!(
        "{status}?wait=25 HTTP/1.1\r\n{line}If-None-Match: {etag}\r\n\r\n{}",
        get("/api/health")
    ));
    // The answer is held back, so nothing comes yet.
    std::thread::sleep(Duration::from_millis(300));
    let began = Instant::now();
    let (ended, took) = served.terminate();
    assert!(ended.success() && took < Duration::from_secs(5), "{took:?}");
    let answer = waiting.head();
    assert_eq!(answer.status, 304);
    assert_eq!(answer.header("Connection"), Some("close"));
    assert!(began.elapsed() < Duration::from_secs(5));
    // What had come in is gone, at the next start at the latest.
    client::serve(folder.path(), &[]).kill();
    let spool = folder.path().join("office.db-spool");
    assert_eq!(std::fs::read_dir(spool).unwrap().count(), 0);
}
