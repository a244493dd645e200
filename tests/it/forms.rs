//! Files and forms that tests send.

/// Everybody's password.
pub(crate) const PASSWORD: &str = "correct horse battery";

/// A multipart body with one file and some fields: its content type and its bytes.
pub(crate) fn multipart(name: &str, bytes: &[u8], fields: &[(&str, &str)]) -> (String, Vec<u8>) {
    let boundary = "sheetlineboundary7MA4YWxk";
    let mut body = Vec::new();
    for (field, value) in fields {
        body.extend_from_slice(
            format!(
                "--{boundary}\r\nContent-Disposition: form-data; name=\"{field}\"\r\n\r\n{value}\r\n"
            )
            .as_bytes(),
        );
    }
    body.extend_from_slice(
        format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\nContent-Type: application/octet-stream\r\n\r\n"
        )
        .as_bytes(),
    );
    body.extend_from_slice(bytes);
    body.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
    (format!("multipart/form-data; boundary={boundary}"), body)
}

/// A list of `rows` companies, all of them valid and none like another of the same `seed`.
pub(crate) fn companies(seed: &str, rows: usize) -> Vec<u8> {
    let mut text =
        String::from("Company Name,LinkedIn_URL,Website_URL,Company_Size,Industry,Revenue\n");
    for n in 0..rows {
        text.push_str(&format!(
            "{seed} {n} GmbH,https://www.linkedin.com/company/{seed}-{n},https://{seed}-{n}.example,11-50,Software,{n}\n"
        ));
    }
    text.into_bytes()
}
