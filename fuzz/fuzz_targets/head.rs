//! Heads of requests: no panic, and nothing that could be read as two requests.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sheetline::http::listener::head;
use sheetline::settings::Door;

fuzz_target!(|bytes: &[u8]| {
    let Some(end) = head::end(bytes, 0) else {
        return;
    };
    let Ok(head) = head::decode(&bytes[..end], &Door::default()) else {
        return;
    };
    let count = |wanted: &str| {
        head.headers
            .iter()
            .filter(|(name, _)| name.eq_ignore_ascii_case(wanted))
            .count()
    };
    let framed = count("content-length") + count("transfer-encoding");
    assert_eq!(framed > 0, head.framing != head::Framing::Nothing);
    assert!(framed <= 1 && count("host") <= 1);
    assert!(head.target.starts_with('/') || head.target == "*");
    assert!(
        head.headers
            .iter()
            .all(|(_, value)| !value.contains(['\r', '\n', '\0']))
    );
});
