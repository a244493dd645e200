//! Forms with a file (RFC 7578): the file goes to a spool as it comes in, fields are small, and a
//! form without its closing boundary is never taken for whole.

use std::future::poll_fn;
use std::io::{Read, Write};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};

use futures_util::stream::Stream;
use multer::{Field, Multipart};

use crate::error::{Error, Problem, Result};
use crate::http::disposition::{self, Disposition};
use crate::http::listener::Body;
use crate::settings::Bodies;
use crate::words::Code;

/// Bytes read at a time.
const PIECE: usize = 32 << 10;

/// What a form may carry.
#[derive(Debug, Clone, Default)]
pub struct FormBounds {
    /// Bytes of the file.
    pub file_bytes_max: u64,
    /// What stands beside it.
    pub beside: Bodies,
}

/// The file of a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilePart {
    /// The name as the client gave it; see [`crate::intake::name::clean`].
    pub name: String,
}

/// A form that came in whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Form {
    /// Names and values, in their order.
    pub fields: Vec<(String, String)>,
    /// `None` where nobody chose one. Its bytes are in the spool.
    pub file: Option<FilePart>,
}

/// Takes a form in: the part `file` into `spool`, the others as fields.
///
/// # Errors
/// `bad-request` for what is no whole form, `no-file` where the file is in another part,
/// `too-large` with `limit`, and what the body or the spool said.
pub fn read_form(
    content_type: &str,
    body: &mut Body<'_>,
    bounds: &FormBounds,
    spool: &mut dyn Write,
) -> Result<Form> {
    let boundary = boundary(content_type)?;
    let source = Source::new(body, bounds.beside.form_overhead_bytes_max);
    let counts = Arc::clone(&source.counts);
    let mut parts = Multipart::new(source, boundary);
    let mut form = Form {
        fields: Vec::new(),
        file: None,
    };
    while let Some(mut part) = next_part(&mut parts, &counts)? {
        let about = disposition_of(&part, bounds.beside.form_name_bytes_max)?;
        if about.name == "file" {
            if form.file.is_some() {
                return Err(bad("Send one file at a time."));
            }
            let size = copy(&mut part, &counts, bounds.file_bytes_max, spool)?;
            let name = about.file_name.unwrap_or_default();
            // A browser sends an empty part where nobody chose a file.
            if size > 0 || !name.is_empty() {
                form.file = Some(FilePart { name });
            }
        } else if about.file_name.is_some() {
            return Err(Error::problem(
                Code::NoFile,
                "Send the file in the part named \"file\" of the form.",
            ));
        } else {
            let fields_max = bounds.beside.form_fields_max;
            if form.fields.len() >= fields_max {
                return Err(bad(&format!("A form has at most {fields_max} fields.")));
            }
            let value = value(&mut part, &counts, bounds.beside.form_value_bytes_max)?;
            form.fields.push((about.name, value));
        }
    }
    drop(parts);
    read_over_the_rest(body, bounds.beside.form_overhead_bytes_max)?;
    Ok(form)
}

fn bad(detail: &str) -> Error {
    Error::problem(Code::BadRequest, detail)
}

fn boundary(content_type: &str) -> Result<String> {
    multer::parse_boundary(content_type)
        .ok()
        .filter(|boundary| !boundary.is_empty() && boundary.len() <= 200)
        .ok_or_else(|| {
            bad("Send the file as multipart/form-data with a boundary, in the part named \"file\".")
        })
}

fn disposition_of(part: &Field<'_>, name_bytes_max: usize) -> Result<Disposition> {
    let mut headers = part.headers().get_all("content-disposition").iter();
    let (Some(header), None) = (headers.next(), headers.next()) else {
        return Err(bad("Each part of the form needs one Content-Disposition."));
    };
    let about = disposition::parse(header.as_bytes()).ok_or_else(|| {
        bad("A part of the form has a Content-Disposition that can't be understood.")
    })?;
    if about.name.len() > name_bytes_max {
        return Err(bad(&format!(
            "The name of a field has more than {name_bytes_max} bytes."
        )));
    }
    Ok(about)
}

/// The file's bytes into the spool; how many.
fn copy(
    part: &mut Field<'_>,
    counts: &Counts,
    bytes_max: u64,
    spool: &mut dyn Write,
) -> Result<u64> {
    let mut size = 0_u64;
    while let Some(piece) = next_piece(part, counts)? {
        size = size.saturating_add(u64::try_from(piece.len()).unwrap_or(u64::MAX));
        if size > bytes_max {
            return Err(Problem::new(
                Code::TooLarge,
                format!("The file must be smaller than {} MB.", bytes_max >> 20),
            )
            .with("limit", bytes_max)
            .into());
        }
        spool.write_all(&piece)?;
    }
    spool.flush()?;
    Ok(size)
}

fn value(part: &mut Field<'_>, counts: &Counts, bytes_max: usize) -> Result<String> {
    let mut bytes = Vec::new();
    while let Some(piece) = next_piece(part, counts)? {
        if bytes.len() + piece.len() > bytes_max {
            return Err(Problem::new(
                Code::TooLarge,
                format!("A field of the form has more than {bytes_max} bytes."),
            )
            .with("limit", bytes_max)
            .into());
        }
        bytes.extend_from_slice(&piece);
    }
    String::from_utf8(bytes).map_err(|_| bad("The fields of the form must be UTF-8."))
}

/// What stands behind the closing boundary means nothing, but it must be out of the way of the
/// next request.
fn read_over_the_rest(body: &mut Body<'_>, bytes_max: usize) -> Result<()> {
    let mut rest = 0;
    let mut scratch = [0; 4_096];
    loop {
        match body.read(&mut scratch)? {
            0 => return Ok(()),
            size => rest += size,
        }
        if rest > bytes_max {
            return Err(bad("Something follows the end of the form."));
        }
    }
}

/// What went into the parser and what came out of it, as far as that has to be bounded.
#[derive(Debug, Default)]
struct Counts {
    /// Bytes that went in since the last content came out.
    pending: AtomicU64,
    /// Nothing more goes in.
    over: AtomicBool,
}

/// The body as a stream that hands out one piece each time it is asked twice: multer reads on until
/// a stream is not ready, and would otherwise hold the whole body in memory.
struct Source<'a, 'c> {
    body: &'a mut Body<'c>,
    counts: Arc<Counts>,
    /// Bytes that may come before content comes out.
    overhead_bytes_max: usize,
    rests: bool,
}

impl<'a, 'c> Source<'a, 'c> {
    fn new(body: &'a mut Body<'c>, overhead_bytes_max: usize) -> Source<'a, 'c> {
        Source {
            body,
            counts: Arc::default(),
            overhead_bytes_max,
            rests: false,
        }
    }
}

impl Stream for Source<'_, '_> {
    type Item = std::io::Result<Vec<u8>>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        this.rests = !this.rests;
        if !this.rests {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let mut piece = vec![0; PIECE];
        match this.body.read(&mut piece) {
            Ok(0) => {
                this.counts.over.store(true, Ordering::Relaxed);
                Poll::Ready(None)
            }
            Ok(size) => {
                piece.truncate(size);
                let size = u64::try_from(size).unwrap_or(0);
                let before = this.counts.pending.fetch_add(size, Ordering::Relaxed);
                if before > u64::try_from(this.overhead_bytes_max).unwrap_or(u64::MAX) {
                    let problem = Problem::new(
                        Code::BadRequest,
                        "The form has too much beside its file and fields.",
                    );
                    return Poll::Ready(Some(Err(problem.into())));
                }
                Poll::Ready(Some(Ok(piece)))
            }
            Err(error) => Poll::Ready(Some(Err(error))),
        }
    }
}

fn next_part<'r>(parts: &mut Multipart<'r>, counts: &Counts) -> Result<Option<Field<'r>>> {
    drive(counts, |context| parts.poll_next_field(context))
}

fn next_piece(
    part: &mut Field<'_>,
    counts: &Counts,
) -> Result<Option<impl AsRef<[u8]> + std::ops::Deref<Target = [u8]>>> {
    let piece = drive(counts, |context| {
        Pin::new(&mut *part)
            .poll_next(context)
            .map(Option::transpose)
    })?;
    if piece.as_ref().is_some_and(|piece| !piece.is_empty()) {
        counts.pending.store(0, Ordering::Relaxed);
    }
    Ok(piece)
}

/// Runs one step of the parser. It waits for nothing but the source, which blocks; so where it
/// waits although the source is over, the form is cut off.
fn drive<T>(
    counts: &Counts,
    mut step: impl FnMut(&mut Context<'_>) -> Poll<multer::Result<T>>,
) -> Result<T> {
    let done = pollster::block_on(poll_fn(|context| {
        let was_over = counts.over.load(Ordering::Relaxed);
        match step(context) {
            Poll::Pending if was_over => Poll::Ready(Err(multer::Error::IncompleteStream)),
            Poll::Pending => Poll::Pending,
            Poll::Ready(made) => Poll::Ready(made),
        }
    }));
    done.map_err(explain)
}

fn explain(error: multer::Error) -> Error {
    if let multer::Error::StreamReadFailed(cause) = error {
        return match cause.downcast::<std::io::Error>() {
            Ok(error) => Error::from(*error),
            Err(other) => Error::Internal(other.to_string()),
        };
    }
    if matches!(
        error,
        multer::Error::IncompleteFieldData { .. }
            | multer::Error::IncompleteHeaders
            | multer::Error::IncompleteStream
    ) {
        return bad("The form broke off before it was whole. Send it again.");
    }
    if matches!(
        error,
        multer::Error::ReadHeaderFailed(_)
            | multer::Error::DecodeHeaderName { .. }
            | multer::Error::DecodeHeaderValue { .. }
    ) {
        return bad(
            "A part of the form has a head that can't be understood. Where the file's name holds control characters, rename the file and send it again.",
        );
    }
    bad("The form can't be understood. Send it again, or with another program.")
}

#[cfg(test)]
mod tests {
    use super::*;

    const TYPE: &str = "multipart/form-data; boundary=XX";

    fn read(text: &[u8], limit: u64) -> Result<(Form, Vec<u8>)> {
        let mut spool = Vec::new();
        let bounds = FormBounds {
            file_bytes_max: limit,
            ..FormBounds::default()
        };
        let mut body = Body::from_bytes(text.to_vec());
        read_form(TYPE, &mut body, &bounds, &mut spool).map(|form| (form, spool))
    }

    fn code(result: Result<(Form, Vec<u8>)>) -> Code {
        match result {
            Err(Error::Problem(problem)) => problem.code,
            other => panic!("no problem: {other:?}"),
        }
    }

    fn part(disposition: &str, content: &str) -> String {
        format!("--XX\r\nContent-Disposition: form-data; {disposition}\r\n\r\n{content}\r\n")
    }

    fn file(content: &str) -> String {
        part("name=\"file\"; filename=\"a;b.csv\"", content)
    }

    #[test]
    fn a_file_and_fields_come_out_as_they_were_sent() {
        let text = format!(
            "{}{}--XX--\r\n",
            part("name=sheet", "Müller"),
            file("1,2\r\n--X\r\n")
        );
        let (form, bytes) = read(text.as_bytes(), 100).unwrap();
        assert_eq!(form.fields, [("sheet".to_owned(), "Müller".to_owned())]);
        assert_eq!(form.file.unwrap().name, "a;b.csv");
        assert_eq!(bytes, b"1,2\r\n--X\r\n");
    }

    #[test]
    fn a_form_that_is_cut_off_anywhere_is_not_whole() {
        let text = format!("{}{}--XX--", part("name=sheet", "S"), file("1,2"));
        for end in 0..text.len() {
            assert_eq!(
                code(read(&text.as_bytes()[..end], 100)),
                Code::BadRequest,
                "{end}"
            );
        }
        assert!(read(text.as_bytes(), 100).is_ok());
    }

    #[test]
    fn a_name_with_a_zero_byte_is_told_in_words_of_our_own() {
        let text = format!("{}--XX--", part("name=file; filename=\"a\0b.csv\"", "1"));
        let Err(Error::Problem(problem)) = read(text.as_bytes(), 9) else {
            panic!("taken");
        };
        assert_eq!(problem.code, Code::BadRequest);
        assert!(problem.detail.contains("control characters"), "{problem}");
    }

    #[test]
    fn a_file_of_the_largest_size_passes_and_one_byte_more_does_not() {
        let text = |size: usize| format!("{}--XX--", file(&"x".repeat(size)));
        assert_eq!(
            read(text(100_000).as_bytes(), 100_000).unwrap().1.len(),
            100_000
        );
        let Err(Error::Problem(problem)) = read(text(100_001).as_bytes(), 100_000) else {
            panic!("taken");
        };
        assert_eq!(problem.code, Code::TooLarge);
        assert_eq!(problem.members["limit"], 100_000);
    }

    #[test]
    fn fields_have_limits() {
        let Bodies {
            form_fields_max,
            form_name_bytes_max,
            form_value_bytes_max,
            ..
        } = Bodies::default();
        let form = |parts: String| format!("{parts}--XX--");
        let many = |count: usize| form(part("name=a", "b").repeat(count));
        assert!(read(many(form_fields_max).as_bytes(), 9).is_ok());
        assert_eq!(
            code(read(many(form_fields_max + 1).as_bytes(), 9)),
            Code::BadRequest
        );
        let named = |size: usize| form(part(&format!("name={}", "n".repeat(size)), "b"));
        assert!(read(named(form_name_bytes_max).as_bytes(), 9).is_ok());
        assert_eq!(
            code(read(named(form_name_bytes_max + 1).as_bytes(), 9)),
            Code::BadRequest
        );
        let valued = |size: usize| form(part("name=a", &"v".repeat(size)));
        assert!(read(valued(form_value_bytes_max).as_bytes(), 9).is_ok());
        assert_eq!(
            code(read(valued(form_value_bytes_max + 1).as_bytes(), 9)),
            Code::TooLarge
        );
    }

    #[test]
    fn what_is_no_content_has_a_limit() {
        let before = |size: usize| format!("{}\r\n{}--XX--", "x".repeat(size), file("1"));
        assert!(read(before(1_000).as_bytes(), 9).is_ok());
        assert_eq!(code(read(before(4 << 20).as_bytes(), 9)), Code::BadRequest);
        let behind = |size: usize| format!("{}--XX--{}", file("1"), "x".repeat(size));
        assert!(read(behind(1_000).as_bytes(), 9).is_ok());
        assert_eq!(code(read(behind(4 << 20).as_bytes(), 9)), Code::BadRequest);
        let header = format!("--XX\r\nX: {}\r\n{}", "x".repeat(4 << 20), &file("1")[6..]);
        assert_eq!(code(read(header.as_bytes(), 9)), Code::BadRequest);
    }

    #[test]
    fn what_is_no_form_with_a_file_says_so() {
        let mut spool = Vec::new();
        for wrong in [
            "",
            "application/json",
            "multipart/form-data",
            "multipart/form-data; boundary=\"\"",
        ] {
            let mut body = Body::from_bytes(b"{}".to_vec());
            let read = read_form(wrong, &mut body, &FormBounds::default(), &mut spool);
            assert!(
                matches!(read, Err(Error::Problem(p)) if p.code == Code::BadRequest),
                "{wrong}"
            );
        }
        assert_eq!(read(b"--XX--", 9).unwrap().0.file, None);
        let two = format!("{}{}--XX--", file("1"), file("2"));
        assert_eq!(code(read(two.as_bytes(), 9)), Code::BadRequest);
        let elsewhere = format!("{}--XX--", part("name=upload; filename=a.csv", "1"));
        assert_eq!(code(read(elsewhere.as_bytes(), 9)), Code::NoFile);
        let none_chosen = format!("{}--XX--", part("name=file; filename=\"\"", ""));
        assert_eq!(read(none_chosen.as_bytes(), 9).unwrap().0.file, None);
    }

    #[test]
    fn a_spool_without_room_is_no_fault_of_the_form() {
        struct Full;
        impl Write for Full {
            fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
                Err(std::io::ErrorKind::StorageFull.into())
            }
            fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }
        let text = format!("{}--XX--", file("1"));
        let mut body = Body::from_bytes(text.into_bytes());
        let bounds = FormBounds {
            file_bytes_max: 9,
            ..FormBounds::default()
        };
        let error = read_form(TYPE, &mut body, &bounds, &mut Full).unwrap_err();
        assert!(error.is_disk_full());
    }
}
