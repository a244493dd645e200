//! Many clients at once, and sockets of every kind.

use super::*;

#[test]
fn whoever_waits_longest_without_a_head_gives_way() {
    let door = Door::with(|bounds| bounds.connections_max = 3);
    let mut oldest = door.connect();
    oldest.send("GET / HT");
    door.wait_for_open(1);
    // Waits since its last answer: the longest but one.
    let mut kept = door.connect();
    assert_eq!(kept.get("/hello").status, 200);
    let mut third = door.connect();
    assert_eq!(third.get("/hello").status, 200);
    let mut fourth = door.connect();
    assert_eq!(fourth.get("/hello").status, 200);
    oldest.ends();
    assert_eq!(third.get("/hello").status, 200);
    assert_eq!(kept.get("/hello").status, 200);
}

#[test]
fn where_everybody_is_served_the_next_one_gets_503_at_once() {
    let door = Door::with(|bounds| bounds.connections_max = 1);
    let mut served = door.connect();
    served.send(get("/gate"));
    until("the request", || !door.asked().is_empty());
    let mut second = door.connect();
    second.send(get("/hello"));
    let answer = second.answer();
    assert_eq!((answer.status, answer.code().as_str()), (503, "busy"));
    assert_eq!(answer.header("Retry-After"), Some("2"));
    second.ends();
    door.gate.send(()).unwrap();
    assert_eq!(served.answer().body, b"through");
    assert_eq!(door.metrics.connections_refused(), 1);
    drop(served);
    door.wait_for_open(0);
    assert_eq!(door.connect().get("/hello").status, 200);
}

#[test]
fn connections_that_end_badly_leave_nothing_behind() {
    let door = Door::open();
    for n in 0..30 {
        let mut client = door.connect();
        match n % 3 {
            0 => client.send("GET / HT"),
            1 => client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc"),
            _ => client.send(get("/big")),
        }
        // Closing on unread bytes sends a reset where there are any.
    }
    door.wait_for_open(0);
    assert_eq!(door.connect().get("/hello").body, b"hello");
}

#[test]
fn a_crowd_at_a_small_door_leaves_it_as_it_was() {
    let door = Door::with(|bounds| bounds.connections_max = 4);
    let (answered, refused) = std::thread::scope(|scope| {
        let clients: Vec<_> = (0..16)
            .map(|_| {
                scope.spawn(|| {
                    let mut seen = (0, 0);
                    for _ in 0..40 {
                        match statuses(&door.all(get("/hello")))[..] {
                            ["200"] => seen.0 += 1,
                            // Turned away, or ended before its head was whole.
                            ["503"] | [] => seen.1 += 1,
                            ref other => panic!("{other:?}"),
                        }
                    }
                    seen
                })
            })
            .collect();
        clients.into_iter().fold((0, 0), |sum, client| {
            let seen = client.join().unwrap();
            (sum.0 + seen.0, sum.1 + seen.1)
        })
    });
    assert_eq!(answered + refused, 16 * 40);
    assert!(answered > 0);
    door.wait_for_open(0);
    for _ in 0..10 {
        assert_eq!(door.connect().get("/hello").body, b"hello");
    }
}

#[test]
fn a_low_limit_of_open_files_is_kept_below_and_nobody_is_locked_out() {
    let folder = tempfile::tempdir().unwrap();
    // Room for (320 - 256) / 2 = 32 connections.
    let server = "ulimit -n 320; exec \"$0\" serve --listen 127.0.0.1:0";
    let mut child = std::process::Command::new("sh")
        .args(["-c", server, env!("CARGO_BIN_EXE_sheetline")])
        .env("SHEETLINE_DB", folder.path().join("office.db"))
        .current_dir(folder.path())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let printed = io::BufReader::new(child.stdout.take().unwrap());
    let address = io::BufRead::lines(printed)
        .map(Result::unwrap)
        .find_map(|line| line.strip_prefix("listening on http://").map(str::to_owned))
        .unwrap();
    let connect = || {
        let stream = TcpStream::connect(&address).unwrap();
        stream.set_read_timeout(Some(LONG)).unwrap();
        Client {
            stream,
            here: Vec::new(),
        }
    };
    // Silent ones, three times as many as there is room for.
    let crowd: Vec<Client> = (0..100).map(|_| connect()).collect();
    for _ in 0..10 {
        assert_eq!(connect().get("/api/health").status, 200);
    }
    drop(crowd);
    assert_eq!(connect().get("/api/health").status, 200);
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_proxy_connects_by_a_unix_socket() {
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::net::{UnixListener, UnixStream};

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let address = format!("unix:{}", path.display());
    // What a process that died has left behind.
    drop(UnixListener::bind(&path).unwrap());
    let bounds = Bounds {
        connections_max: 10,
        connections_per_address_max: 1,
        ..Bounds::default()
    };
    let listener = listener::bind(&address, bounds.clone()).unwrap();
    assert_eq!(listener.address().to_string(), address);
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o660);
    let shutdown = listener.handle();
    struct Peer;
    impl Handler for Peer {
        fn handle(&self, incoming: &mut Incoming<'_>) -> Response {
            Response::text(incoming.peer.ip().to_string())
        }
    }
    let thread = std::thread::spawn(move || listener.run(Arc::new(Peer)));
    let mut clients = Vec::new();
    for _ in 0..3 {
        let mut client = UnixStream::connect(&path).unwrap();
        client.write_all(get("/").as_bytes()).unwrap();
        let mut answer = [0; 4_096];
        let size = client.read(&mut answer).unwrap();
        assert!(answer[..size].ends_with(b"\r\n\r\n127.0.0.1"));
        clients.push(client);
    }
    // Somebody listens there: nobody else may.
    assert!(listener::bind(&address, bounds).is_err());
    shutdown.begin();
    assert!(shutdown.wait(LONG));
    thread.join().unwrap();
    assert!(!path.exists());
}

#[test]
fn ipv6_is_spoken_too() {
    // Some computers have none.
    let Ok(listener) = listener::bind("[::1]:0", Bounds::default()) else {
        return;
    };
    let Address::Tcp(address) = listener.address().clone() else {
        panic!("no TCP");
    };
    let shutdown = listener.handle();
    struct Peer;
    impl Handler for Peer {
        fn handle(&self, incoming: &mut Incoming<'_>) -> Response {
            Response::text(incoming.peer.ip().to_string())
        }
    }
    let thread = std::thread::spawn(move || listener.run(Arc::new(Peer)));
    let mut client = Client {
        stream: TcpStream::connect(address).unwrap(),
        here: Vec::new(),
    };
    assert_eq!(client.get("/").body, b"::1");
    shutdown.begin();
    thread.join().unwrap();
}
