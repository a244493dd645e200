//! One connection from its first byte to its last: requests one after the other, each answered
//! before the next is looked at.

use std::any::Any;
use std::io::{self, Read};
use std::net::{Shutdown, SocketAddr};
use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::time::Instant;

use rouille::{Request, Response};

use super::answer::{self, Asked, BrokenOff};
use super::body::{Body, Wire};
use super::guests::Seat;
use super::head::{self, Head};
use super::inbox::{Got, Inbox};
use super::socket::Stream;
use super::{Bounds, Handler, Incoming};
use crate::error::{Error, Problem};
use crate::http::{problem, reply};
use crate::logged;
use crate::settings::Door;
use crate::words::Code;

/// Serves the connection until it ends.
pub(super) fn serve(
    stream: &Arc<Stream>,
    seat: &Seat,
    peer: SocketAddr,
    handler: &dyn Handler,
    bounds: &Bounds,
) {
    let door = &bounds.door;
    if stream.set_write_timeout(Some(answer::grace(door))).is_err() {
        return;
    }
    let mut inbox = Inbox::new(Arc::clone(stream));
    let mut first = true;
    loop {
        match next_head(&mut inbox, seat, first, door) {
            Next::Head(head) => {
                if !exchange(&mut inbox, seat, *head, peer, handler, door) {
                    return;
                }
            }
            Next::Refused(refusal) => {
                log::info!("address={} refused: {refusal}", peer.ip());
                bounds
                    .metrics
                    .request("-", "-", problem::status(refusal.code));
                refuse(stream, &refusal, door);
                return;
            }
            Next::Nothing => return,
        }
        first = false;
    }
}

enum Next {
    Head(Box<Head>),
    Refused(Problem),
    /// The other side went away, was silent for too long, or was shown out.
    Nothing,
}

/// Waits for the next head: `head_time_max` from its first byte on; of a new connection from the
/// start, of a kept one after `idle_time_max` of silence at most.
fn next_head(inbox: &mut Inbox, seat: &Seat, first: bool, door: &Door) -> Next {
    if !seat.waits() {
        return Next::Nothing;
    }
    let wait = if first {
        door.head_time_max
    } else {
        door.idle_time_max
    };
    let mut until = Instant::now() + wait;
    let mut begun = first;
    let mut looked = 0;
    let mut blank = 0;
    loop {
        // Empty lines before a request are passed over (RFC 9112, 2.2), but they cost its limits.
        while inbox.here().starts_with(b"\r\n") {
            inbox.use_up(2);
            blank += 2;
            looked = 0;
        }
        if let Some(size) = head::end(inbox.here(), looked) {
            if !seat.is_served() {
                return Next::Nothing;
            }
            if size + blank > door.head_bytes_max {
                return Next::Refused(head::over(door.head_bytes_max));
            }
            let decoded = head::decode(inbox.here().get(..size).unwrap_or_default(), door);
            inbox.use_up(size);
            return match decoded {
                Ok(head) => Next::Head(Box::new(head)),
                Err(refusal) => Next::Refused(refusal),
            };
        }
        looked = inbox.here().len();
        if looked + blank > door.head_bytes_max {
            return Next::Refused(head::over(door.head_bytes_max));
        }
        // Whoever begins with anything else speaks another protocol, TLS for example.
        if let Some(first) = inbox.here().first()
            && !first.is_ascii_alphabetic()
            && *first != b'\r'
        {
            return Next::Refused(Problem::new(
                Code::BadRequest,
                "The request can't be understood: this is no HTTP/1.1 (https needs a proxy before this server).",
            ));
        }
        if !begun && looked + blank > 0 {
            begun = true;
            until = Instant::now() + door.head_time_max;
        }
        match inbox.fill(until) {
            Ok(Got::Bytes(_)) => {}
            Ok(Got::Late) if looked + blank > 0 => {
                return Next::Refused(Problem::new(
                    Code::RequestTimeout,
                    "The request took too long to arrive.",
                ));
            }
            Ok(Got::End) if looked > 0 && seat.is_served() => {
                return Next::Refused(Problem::new(
                    Code::BadRequest,
                    "The request broke off before it was whole.",
                ));
            }
            Ok(Got::Late | Got::End) | Err(_) => return Next::Nothing,
        }
    }
}

/// One request and its answer; whether the connection goes on.
fn exchange(
    inbox: &mut Inbox,
    seat: &Seat,
    head: Head,
    peer: SocketAddr,
    handler: &dyn Handler,
    door: &Door,
) -> bool {
    let mut asked = Asked {
        head_only: head.method == "HEAD",
        is_1_1: head.is_1_1,
        keep: head.keep,
    };
    let mut wire = Wire::new(
        inbox,
        door,
        head.framing,
        head.expects_continue,
        head.is_1_1,
    );
    let request = Request::fake_http_from(peer, head.method, head.target, head.headers, Vec::new());
    let mut incoming = Incoming {
        request,
        body: Body::on(&mut wire),
        peer,
    };
    let answered = panic::catch_unwind(AssertUnwindSafe(|| handler.handle(&mut incoming)));
    let request = incoming.request;
    // What is left of the body would be read as the next request.
    let is_over = wire.is_over();
    asked.keep &= is_over && !seat.door_is_closing();
    let response = match answered {
        Ok(response) => response,
        Err(panicked) => {
            asked.keep = false;
            after_panic(&line(&request), panicked.as_ref())
        }
    };
    let stream = inbox.stream();
    let written = panic::catch_unwind(AssertUnwindSafe(|| {
        answer::write(stream, response, asked, door)
    }));
    match written {
        Ok(Ok(true)) => true,
        Ok(Ok(false)) => {
            part(stream, is_over, door);
            false
        }
        Ok(Err(BrokenOff {
            error,
            begun: false,
            ..
        })) => {
            let error = Error::Internal(format!("{}: no answer: {error}", line(&request)));
            refuse(stream, &problem::internal(&error), door);
            false
        }
        Ok(Err(BrokenOff {
            error,
            ends_by_closing,
            ..
        })) => {
            log::info!(
                "address={} {}: the answer broke off: {error}",
                peer.ip(),
                line(&request)
            );
            cut_off(stream, ends_by_closing);
            false
        }
        Err(panicked) => {
            log::error!(
                "ref={} panic while {} was answered: {}",
                problem::reference(),
                line(&request),
                message(panicked.as_ref())
            );
            cut_off(stream, !asked.is_1_1);
            false
        }
    }
}

/// What the log says of a request.
fn line(request: &Request) -> String {
    let path = request.raw_url().split('?').next().unwrap_or("");
    format!("{} {}", request.method().escape_debug(), logged::path(path))
}

/// A fault of ours, for one client and no other.
fn after_panic(line: &str, panicked: &(dyn Any + Send)) -> Response {
    let error = Error::Internal(format!("panic in {}: {}", line, message(panicked)));
    reply::guarded(problem::respond(&problem::internal(&error)), false)
}

fn message(panicked: &(dyn Any + Send)) -> &str {
    panicked
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panicked.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("without a message")
}

/// Answers what was not understood.
fn refuse(stream: &Stream, refusal: &Problem, door: &Door) {
    let response = reply::guarded(problem::respond(refusal), false);
    if answer::write(stream, response, Asked::UNKNOWN, door).is_ok() {
        part(stream, false, door);
    }
}

/// Ends a connection so that its last answer arrives: what the client still sends is thrown away
/// for a moment, because closing on unread bytes would make the kernel take the answer back.
fn part(mut stream: &Stream, is_over: bool, door: &Door) {
    if stream.shutdown(Shutdown::Write).is_err() || is_over {
        return;
    }
    let until = Instant::now() + door.drain_time_max;
    let mut scratch = vec![0; 64 << 10];
    loop {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() || stream.set_read_timeout(Some(left)).is_err() {
            return;
        }
        match stream.read(&mut scratch) {
            Ok(0) => return,
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return,
        }
    }
}

/// Ends a connection whose answer is not whole; by a reset, where an orderly end would make it look
/// whole.
fn cut_off(stream: &Stream, by_reset: bool) {
    if by_reset {
        stream.reset_when_dropped();
    } else {
        // Where it fails it has ended already.
        let _ = stream.shutdown(Shutdown::Both);
    }
}
