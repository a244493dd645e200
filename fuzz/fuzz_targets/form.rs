//! Forms with a file: no panic, no endless loop, limits kept, and none without its end is whole.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sheetline::http::listener::Body;
use sheetline::http::multipart::{self, FormBounds};

fuzz_target!(|bytes: &[u8]| {
    let bounds = FormBounds {
        file_bytes_max: 1_000,
        ..FormBounds::default()
    };
    let mut spool = Vec::new();
    let mut body = Body::from_bytes(bytes.to_vec());
    let form = multipart::read_form(
        "multipart/form-data; boundary=XX",
        &mut body,
        &bounds,
        &mut spool,
    );
    assert!(spool.len() <= 1_000);
    let Ok(form) = form else { return };
    assert!(bytes.windows(6).any(|end| end == b"--XX--"));
    assert!(form.fields.len() <= bounds.beside.form_fields_max);
    assert!(
        form.fields
            .iter()
            .all(|(_, value)| value.len() <= bounds.beside.form_value_bytes_max)
    );
    if let Some(file) = form.file {
        let name = sheetline::intake::name::clean(&file.name);
        assert!((1..=255).contains(&name.len()) && !name.contains(['/', '\\', '\0']));
    }
});
