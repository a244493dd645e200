//! The values of a record as JSON: in the order of their fields and without these, `[value, …]`, as they are
//! made and stored; and with them, `{"field": value, …}`, as everybody else sees them.

use std::fmt::Write;

use serde_json::value::RawValue;

use crate::error::{Error, Result};

/// The fields of records that were made together, in their order.
#[derive(Debug, Clone, Default)]
pub struct Fields {
    /// `"name":`
    names: Vec<String>,
}

impl Fields {
    pub fn new(names: impl IntoIterator<Item = impl AsRef<str>>) -> Fields {
        let names = names.into_iter().map(|name| {
            let mut json = String::new();
            write_text(&mut json, name.as_ref());
            json.push(':');
            json
        });
        Fields {
            names: names.collect(),
        }
    }

    /// `{"field": value, …}` of `[value, …]`, each value as it stands there.
    ///
    /// # Errors
    /// `Internal` where `values` is no JSON array of as many values as there are fields.
    pub fn object(&self, values: &str) -> Result<String> {
        let names: usize = self.names.iter().map(String::len).sum();
        let mut object = String::with_capacity(values.len() + names);
        self.write_object(&self.values(values)?, &mut object);
        Ok(object)
    }

    /// The values of `[value, …]`, one for each field.
    ///
    /// # Errors
    /// As [`Fields::object`].
    pub fn values<'v>(&self, values: &'v str) -> Result<Vec<&'v RawValue>> {
        let list: Vec<&RawValue> = serde_json::from_str(values)?;
        if list.len() != self.names.len() {
            return Err(Error::Internal(format!(
                "a record has {} values of {} fields",
                list.len(),
                self.names.len()
            )));
        }
        Ok(list)
    }

    /// Appends `{"field": value, …}`.
    pub fn write_object(&self, values: &[&RawValue], out: &mut String) {
        out.push('{');
        for (at, (name, value)) in self.names.iter().zip(values).enumerate() {
            if at > 0 {
                out.push(',');
            }
            out.push_str(name);
            out.push_str(value.get());
        }
        out.push('}');
    }
}

/// Whether these are values without their fields.
pub fn is_array(values: &str) -> bool {
    values.starts_with('[')
}

/// Appends a text as JSON.
pub fn write_text(out: &mut String, text: &str) {
    out.push('"');
    let mut from = 0;
    for (at, byte) in text.bytes().enumerate() {
        let escape = match byte {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            b'\n' => "\\n",
            b'\r' => "\\r",
            b'\t' => "\\t",
            0..=31 => "",
            _ => continue,
        };
        out.push_str(&text[from..at]);
        from = at + 1;
        if escape.is_empty() {
            // Writing to a String can't fail.
            let _ = write!(out, "\\u{byte:04x}");
        } else {
            out.push_str(escape);
        }
    }
    out.push_str(&text[from..]);
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_get_their_fields_and_stay_as_they_are() {
        let fields = Fields::new(["a", "it's \"b\"", "c"]);
        let object = fields.object(r#"[1.50,"x,]\u0041",[1,{"a":2}]]"#).unwrap();
        assert_eq!(
            object,
            r#"{"a":1.50,"it's \"b\"":"x,]\u0041","c":[1,{"a":2}]}"#
        );
        assert_eq!(Fields::default().object("[]").unwrap(), "{}");
    }

    #[test]
    fn too_few_and_too_many_values_are_no_record() {
        let fields = Fields::new(["a", "b"]);
        for damaged in ["[1]", "[1,2,3]", "[1,2", "{\"a\":1}", ""] {
            assert!(fields.object(damaged).is_err(), "{damaged}");
        }
    }
}
