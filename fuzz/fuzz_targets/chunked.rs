//! Chunked bodies: no panic, no endless loop, and the same body however it arrives.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sheetline::http::listener::chunked::Chunked;

fuzz_target!(|bytes: &[u8]| {
    let Some((size, bytes)) = bytes.split_first() else {
        return;
    };
    let size = usize::from(*size % 16) + 1;
    assert_eq!(decode(bytes, size), decode(bytes, usize::MAX));
});

/// The body and how many bytes it took, where it is over; `Err` where it is refused.
fn decode(bytes: &[u8], piece: usize) -> Result<Option<(Vec<u8>, usize)>, ()> {
    let mut decoder = Chunked::default();
    let mut room = vec![0; piece.min(4_096)];
    let (mut body, mut at) = (Vec::new(), 0);
    while at < bytes.len() && !decoder.is_over() {
        let end = at.saturating_add(piece).min(bytes.len());
        let step = decoder.step(&bytes[at..end], &mut room).map_err(|_| ())?;
        assert!(step.consumed > 0);
        body.extend_from_slice(&room[..step.produced]);
        at += step.consumed;
    }
    Ok(decoder.is_over().then_some((body, at)))
}
