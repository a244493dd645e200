//! The bound of the status: rouille's types on a bare listener. A thread for each connection reads a head, makes
//! a `rouille::Request` of it and writes a small `rouille::Response`: no session, no database, no limits, no log.
//! (rouille's own server leaves some of 16 kept connections without an answer for good.)

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use rouille::{Request, Response};

/// Bytes of a head at most; clients here send 200.
const HEAD_BYTES_MAX: usize = 4 << 10;

/// Serves until the bench ends; the address.
pub(crate) fn listener() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let stream = stream.unwrap();
            std::thread::spawn(move || serve(stream));
        }
    });
    address
}

fn answer(request: &Request) -> Response {
    assert_eq!(request.method(), "GET");
    Response::json(&serde_json::json!({ "success": true }))
}

/// One connection, kept until its client ends it.
fn serve(mut stream: TcpStream) {
    stream.set_nodelay(true).unwrap();
    let (mut bytes, mut filled) = ([0; HEAD_BYTES_MAX], 0);
    loop {
        match stream.read(&mut bytes[filled..]) {
            Ok(0) | Err(_) => return,
            Ok(count) => filled += count,
        }
        // A client waits for its answer, so there is nothing behind a head.
        if let Some(request) = parse(&bytes[..filled]) {
            filled = 0;
            write(&mut stream, answer(&request));
        }
    }
}

/// The request, once its head is whole.
fn parse(bytes: &[u8]) -> Option<Request> {
    let mut space = [httparse::EMPTY_HEADER; 16];
    let mut head = httparse::Request::new(&mut space);
    if head.parse(bytes).unwrap().is_partial() {
        return None;
    }
    let text = |value| String::from_utf8_lossy(value).into_owned();
    let headers = head.headers.iter();
    let headers = headers.map(|header| (header.name.to_owned(), text(header.value)));
    let (method, path) = (head.method.unwrap(), head.path.unwrap());
    Some(Request::fake_http(
        method,
        path,
        headers.collect(),
        Vec::new(),
    ))
}

fn write(stream: &mut TcpStream, response: Response) {
    let (mut body, length) = response.data.into_reader_and_size();
    let mut out = Vec::with_capacity(512);
    write!(out, "HTTP/1.1 {} OK\r\n", response.status_code).unwrap();
    for (name, value) in &response.headers {
        write!(out, "{name}: {value}\r\n").unwrap();
    }
    write!(out, "Content-Length: {}\r\n\r\n", length.unwrap()).unwrap();
    body.read_to_end(&mut out).unwrap();
    stream.write_all(&out).unwrap();
}
