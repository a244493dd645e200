//! Records as CSV (RFC 4180) that a spreadsheet program opens without running anything in it.

use serde_json::value::RawValue;

use super::{Member, plain, values};
use crate::error::Result;
use crate::process::defuse::must_defuse;

/// What tells Excel that a file is UTF-8.
pub const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// Appends the mark and the header line.
///
/// # Errors
/// None now; as [`record`].
pub fn begin(buffer: &mut Vec<u8>, fields: &[Member]) -> Result<()> {
    buffer.extend_from_slice(BYTE_ORDER_MARK);
    for (at, field) in fields.iter().enumerate() {
        if at > 0 {
            buffer.push(b',');
        }
        text(buffer, &field.name);
    }
    buffer.extend_from_slice(b"\r\n");
    Ok(())
}

/// Appends a record, `{"field": value}`: the values of `fields` in their order.
///
/// # Errors
/// `Internal` where the record is damaged.
pub fn record(buffer: &mut Vec<u8>, fields: &[Member], record: &str) -> Result<()> {
    let mut values = values(record)?;
    let mut of = |field: &Member| values.get(field.name.as_str());
    line(buffer, fields.iter().map(|field| (field, of(field))))
}

/// Appends a record of which the values are known, one for each of `fields`.
///
/// # Errors
/// As [`record`].
pub fn in_order(buffer: &mut Vec<u8>, fields: &[Member], values: &[&RawValue]) -> Result<()> {
    let values = values.iter().map(|value| Some(*value));
    line(buffer, fields.iter().zip(values))
}

fn line<'a>(
    buffer: &mut Vec<u8>,
    values: impl Iterator<Item = (&'a Member, Option<&'a RawValue>)>,
) -> Result<()> {
    for (at, (field, value)) in values.enumerate() {
        if at > 0 {
            buffer.push(b',');
        }
        if let Some(value) = value
            && let Some(value) = plain(field, value)?
        {
            text(buffer, &value);
        }
    }
    buffer.extend_from_slice(b"\r\n");
    Ok(())
}

/// A field: defused where a spreadsheet would run it, quoted where it has to be.
fn text(buffer: &mut Vec<u8>, value: &str) {
    let defuse = must_defuse(value);
    let blank_ends = value.starts_with(' ') || value.ends_with(' ');
    let quote = blank_ends
        || value
            .bytes()
            .any(|byte| matches!(byte, b',' | b'"' | b'\r' | b'\n' | b';' | b'\t'));
    if quote {
        buffer.push(b'"');
    }
    if defuse {
        buffer.push(b'\'');
    }
    if quote && value.contains('"') {
        buffer.extend_from_slice(value.replace('"', "\"\"").as_bytes());
    } else {
        buffer.extend_from_slice(value.as_bytes());
    }
    if quote {
        buffer.push(b'"');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn member(name: &str, kind: &str) -> Member {
        Member {
            name: name.to_owned(),
            kind: kind.to_owned(),
        }
    }

    #[test]
    fn a_year_has_four_digits() {
        let fields = [member("y", "year"), member("n", "integer")];
        let mut buffer = Vec::new();
        record(&mut buffer, &fields, r#"{"y":99,"n":99}"#).unwrap();
        assert_eq!(buffer, b"0099,99\r\n");
    }

    #[test]
    fn a_record_without_its_names_gives_the_same_line() {
        let fields = [
            member("a", "string"),
            member("y", "year"),
            member("n", "any"),
        ];
        let (mut named, mut bare) = (Vec::new(), Vec::new());
        record(&mut named, &fields, r#"{"a":"x, \"y\"","y":7,"n":null}"#).unwrap();
        let values: Vec<&RawValue> = serde_json::from_str(r#"["x, \"y\"",7,null]"#).unwrap();
        in_order(&mut bare, &fields, &values).unwrap();
        assert_eq!(bare, b"\"x, \"\"y\"\"\",0007,\r\n");
        assert_eq!(bare, named);
    }

    #[test]
    fn a_number_stands_as_it_is_stored() {
        let fields = ["a", "b", "c", "d", "e"].map(|name| member(name, "number"));
        let mut buffer = Vec::new();
        let stored = r#"{"a":1.50,"b":10.00,"c":0.30000000000000004,"d":1e22,"e":null}"#;
        record(&mut buffer, &fields, stored).unwrap();
        assert_eq!(buffer, b"1.50,10.00,0.30000000000000004,1e22,\r\n");
    }

    fn line(value: &str) -> String {
        let fields = [member("a", "string"), member("b", "integer")];
        let mut buffer = Vec::new();
        let stored = json!({ "a": value, "b": 1 }).to_string();
        record(&mut buffer, &fields, &stored).unwrap();
        String::from_utf8(buffer).unwrap()
    }

    #[test]
    fn text_that_would_run_is_defused_and_numbers_are_left_alone() {
        for text in [
            "=1+1",
            "@SUM(A1)",
            "+A1",
            "-cmd|' /C calc'!A0",
            "-",
            "＝1",
            "＋49",
            "\t=1",
            "\r=1",
            "-2+3",
            "-1-1",
            "--1",
            "-1/2",
            "-(2)",
            "+1-1",
            "'=1",
        ] {
            assert!(
                line(text).trim_start_matches('"').starts_with('\''),
                "{text}"
            );
        }
        for text in [
            "+49 170 1234567",
            "+49 (351) 12/34-56",
            "-5",
            "-12,5",
            "-1.5e3",
            "+1",
            "-5 %",
            "a=b",
            "",
        ] {
            assert!(!line(text).starts_with("'+") && !line(text).starts_with("'-"));
            assert_eq!(
                line(text)
                    .trim_matches(['"', '\r', '\n'])
                    .split("\",1")
                    .next()
                    .unwrap()
                    .trim_end_matches(",1"),
                text
            );
        }
    }

    #[test]
    fn a_reader_of_csv_gets_back_what_went_in() {
        let values = [
            "a,b",
            "say \"no\"",
            "two\nlines",
            " blank ",
            "Ünï",
            "a;b",
            "x\ty",
        ];
        let fields: Vec<Member> = (0..values.len())
            .map(|n| member(&format!("f{n}"), "string"))
            .collect();
        let object: serde_json::Map<String, Value> = fields
            .iter()
            .zip(values)
            .map(|(field, value)| (field.name.clone(), json!(value)))
            .collect();
        let mut buffer = Vec::new();
        begin(&mut buffer, &fields).unwrap();
        record(&mut buffer, &fields, &Value::Object(object).to_string()).unwrap();
        let mut reader = ::csv::Reader::from_reader(buffer.as_slice());
        let names: Vec<&str> = fields.iter().map(|field| field.name.as_str()).collect();
        assert_eq!(reader.headers().unwrap().iter().collect::<Vec<_>>(), names);
        let back = reader.records().next().unwrap().unwrap();
        assert_eq!(back.iter().collect::<Vec<_>>(), values);
    }
}
