//! Pages of a list: `limit` and `cursor` in, `next_cursor` out.

use serde_json::{Value, json};

use crate::error::{Error, Result};
use crate::words::Code;

/// Items of a page where nobody says otherwise, and at most.
const LIMIT_DEFAULT: u32 = 50;
const LIMIT_MAX: u32 = 1_000;

/// Which page is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    pub limit: u32,
    /// The key of the last item that was seen; keys are positive.
    pub cursor: Option<i64>,
}

impl Page {
    /// From the query parameters.
    ///
    /// # Errors
    /// `bad-request` where one is no positive number.
    pub fn from_query(limit: Option<&str>, cursor: Option<&str>) -> Result<Page> {
        let limit = match limit {
            None => LIMIT_DEFAULT,
            Some(text) => match digits(text) {
                Some(n) if n >= 1 => {
                    u32::try_from(n.min(i64::from(LIMIT_MAX))).unwrap_or(LIMIT_MAX)
                }
                _ => {
                    return Err(Error::problem(
                        Code::BadRequest,
                        "limit must be a whole number from 1 on; at most 1000 are given at a time.",
                    ));
                }
            },
        };
        let cursor = match cursor {
            None | Some("") => None,
            Some(text) => match digits(text) {
                Some(n) => Some(n),
                None => {
                    return Err(Error::problem(
                        Code::BadRequest,
                        "cursor must be the next_cursor of the page before.",
                    ));
                }
            },
        };
        Ok(Page { limit, cursor })
    }

    /// How many items to ask the database for: one more than wanted tells whether there is a next
    /// page.
    pub fn fetch(&self) -> u32 {
        self.limit + 1
    }

    /// Cuts `items` to the page and tells the next cursor.
    pub fn cut<T>(&self, items: &mut Vec<T>, key: impl Fn(&T) -> i64) -> Value {
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        if items.len() <= limit {
            return Value::Null;
        }
        items.truncate(limit);
        match items.last() {
            Some(last) => json!(key(last).to_string()),
            None => Value::Null,
        }
    }
}

/// A number of plain digits; `+5` and ` 5` are none.
fn digits(text: &str) -> Option<i64> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        text.parse().ok()
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_cut_where_there_is_more() {
        let page = Page::from_query(Some("2"), None).unwrap();
        let mut items = vec![9, 8, 7];
        assert_eq!(page.cut(&mut items, |n| *n), json!("8"));
        assert_eq!(items, vec![9, 8]);
        assert_eq!(page.cut(&mut items, |n| *n), Value::Null);
    }

    #[test]
    fn a_limit_or_cursor_that_is_no_number_is_refused() {
        for (limit, cursor) in [
            (Some("0"), None),
            (Some("-1"), None),
            (Some("x"), None),
            (None, Some("x")),
            (None, Some("-3")),
        ] {
            assert!(Page::from_query(limit, cursor).is_err());
        }
        assert_eq!(Page::from_query(Some("5000"), None).unwrap().limit, 1_000);
    }
}
