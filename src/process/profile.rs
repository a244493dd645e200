//! What a column holds: how full it is, how many different values, which are smallest, largest and
//! most frequent. Bounded in memory whatever the file; where a figure is an estimate, it says so.

use std::cmp::Ordering;
use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, DefaultHasher, Hash, Hasher};

use serde::Serialize;
use serde_json::{Value as Json, json};

use super::messages::cut;
use super::value::Value;

/// Different values remembered over all columns, and of one column at most.
const DISTINCT_BUDGET: usize = 1_000_000;
const DISTINCT_MAX: usize = 250_000;
/// Values counted one by one over all columns, and of one column at most.
const COUNTED_BUDGET: usize = 60_000;
const COUNTED_MAX: usize = 2_000;
/// Frequent values told.
const TOP: usize = 5;
/// Letters of a value told.
const SHOWN_CHARS_MAX: usize = 100;

/// A column while it is being read.
pub(super) struct Profile {
    filled: u64,
    distinct: Distinct,
    top: Top,
    range: Range,
}

/// A column of a report.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Column {
    pub name: String,
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// Cells with a value.
    pub filled: u64,
    pub distinct: u64,
    /// Whether `distinct` is an estimate (within a few percent), because there are very many.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub distinct_estimated: bool,
    pub min: Json,
    pub max: Json,
    /// The most frequent values, `{"value","count"}`.
    pub top: Vec<Json>,
    /// Whether the counts in `top` are lower bounds, because there are very many different values.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub top_estimated: bool,
}

impl Profile {
    /// One of `columns` columns that share the memory.
    pub(super) fn new(columns: usize) -> Profile {
        let share = |budget: usize, most: usize| (budget / columns.max(1)).clamp(16, most);
        Profile {
            filled: 0,
            distinct: Distinct::new(share(DISTINCT_BUDGET, DISTINCT_MAX)),
            top: Top::new(share(COUNTED_BUDGET, COUNTED_MAX)),
            range: Range::Empty,
        }
    }

    /// A value of the column.
    pub(super) fn add(&mut self, value: &Value<'_>) {
        self.range.add(value);
        self.count(&value.text());
    }

    /// A cell that holds something which is no value of the column's type.
    pub(super) fn add_text(&mut self, text: &str) {
        self.count(text);
    }

    fn count(&mut self, text: &str) {
        self.filled += 1;
        let mut hasher = DefaultHasher::new();
        text.hash(&mut hasher);
        let hash = hasher.finish();
        if self.top.add(hash, text) {
            self.distinct.add(hash);
        }
    }

    pub(super) fn to_column(&self, name: &str, kind: &'static str) -> Column {
        let (min, max) = self.range.ends();
        let (top, top_estimated) = self.top.most(TOP);
        let (distinct, distinct_estimated) = self.distinct.count();
        Column {
            name: name.to_owned(),
            kind,
            filled: self.filled,
            distinct,
            distinct_estimated,
            min,
            max,
            top,
            top_estimated,
        }
    }
}

/// Hashes are hashed already.
#[derive(Default)]
struct AsItIs(u64);

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {}

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

type ByHash = BuildHasherDefault<AsItIs>;

/// Counts different values exactly up to a bound; beyond it by Wegman's adaptive sampling: only
/// every second, fourth, … hash is kept, and the count is multiplied.
struct Distinct {
    kept: HashSet<u64, ByHash>,
    most: usize,
    halvings: u32,
}

impl Distinct {
    fn new(most: usize) -> Distinct {
        Distinct {
            kept: HashSet::default(),
            most,
            halvings: 0,
        }
    }

    fn add(&mut self, hash: u64) {
        if Distinct::zeros(hash) < self.halvings || !self.kept.insert(hash) {
            return;
        }
        while self.kept.len() > self.most {
            self.halvings += 1;
            let least = self.halvings;
            self.kept.retain(|hash| Distinct::zeros(*hash) >= least);
        }
    }

    /// Zeros in the middle of a hash: the table itself goes by both ends.
    fn zeros(hash: u64) -> u32 {
        (hash >> 24).trailing_zeros()
    }

    fn count(&self) -> (u64, bool) {
        let kept = u64::try_from(self.kept.len()).unwrap_or(u64::MAX);
        (
            kept.saturating_mul(1 << self.halvings.min(62)),
            self.halvings > 0,
        )
    }
}

/// Counts values exactly up to a bound of different ones; beyond it as Misra and Gries do: a value
/// that has no place takes one away from every other, so that counts are lower bounds and every
/// really frequent value stays.
struct Top {
    counts: HashMap<u64, Counted, ByHash>,
    most: usize,
    estimated: bool,
}

/// A value and how often it was there.
struct Counted {
    count: u64,
    /// Empty while it is not known whether it will be told.
    text: Box<str>,
}

impl Top {
    fn new(most: usize) -> Top {
        Top {
            counts: HashMap::default(),
            most,
            estimated: false,
        }
    }

    /// True: the value may be there for the first time.
    fn add(&mut self, hash: u64, text: &str) -> bool {
        let full = self.counts.len() >= self.most;
        match self.counts.entry(hash) {
            Entry::Occupied(mut entry) => {
                let counted = entry.get_mut();
                if counted.text.is_empty() {
                    counted.text = shown_text(text);
                }
                counted.count += 1;
                false
            }
            Entry::Vacant(entry) if !full => {
                // Where counts are lower bounds, what was there once is not told: most of what comes
                // then is there once.
                let text = match self.estimated {
                    true => Box::default(),
                    false => shown_text(text),
                };
                entry.insert(Counted { count: 1, text });
                true
            }
            Entry::Vacant(_) => {
                self.estimated = true;
                self.counts.retain(|_, counted| {
                    counted.count -= 1;
                    counted.count > 0
                });
                true
            }
        }
    }

    fn most(&self, wanted: usize) -> (Vec<Json>, bool) {
        // Where counts are lower bounds, those that stand for nothing are left out.
        let least = if self.estimated { 2 } else { 1 };
        let mut list: Vec<&Counted> = self
            .counts
            .values()
            .filter(|counted| counted.count >= least)
            .collect();
        list.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.text.cmp(&b.text)));
        let top = list
            .into_iter()
            .take(wanted)
            .map(|counted| json!({ "value": counted.text, "count": counted.count }))
            .collect();
        (top, self.estimated)
    }
}

fn shown_text(text: &str) -> Box<str> {
    cut(text, SHOWN_CHARS_MAX).into_boxed_str()
}

/// The smallest and the largest value. In a column of any type numbers come before texts, as
/// spreadsheet programs sort them.
enum Range {
    Empty,
    Typed(Box<(Value<'static>, Value<'static>)>),
    Any(Box<Any>),
}

#[derive(Default)]
struct Any {
    numbers: Option<Numbers>,
    texts: Option<(String, String)>,
}

struct Numbers {
    least: Value<'static>,
    most: Value<'static>,
    /// Both as floats: what lies well between them needs no closer look.
    about: (f64, f64),
}

impl Numbers {
    fn new(json: &str) -> Numbers {
        let number = Value::Raw(json).into_owned();
        let about = json.parse().unwrap_or(f64::NAN);
        Numbers {
            least: number.clone(),
            most: number,
            about: (about, about),
        }
    }

    fn add(&mut self, json: &str) {
        let about: f64 = json.parse().unwrap_or(f64::NAN);
        if self.about.0 < about && about < self.about.1 {
            return;
        }
        self.about = (self.about.0.min(about), self.about.1.max(about));
        let number = Value::Raw(json).into_owned();
        if number.compare(&self.least) == Some(Ordering::Less) {
            self.least = number;
        } else if number.compare(&self.most) == Some(Ordering::Greater) {
            self.most = number;
        }
    }
}

impl Any {
    fn add(&mut self, value: &Value<'_>) {
        match (value, &mut self.numbers, &mut self.texts) {
            (Value::Raw(json), Some(numbers), _) => numbers.add(json),
            (Value::Raw(json), numbers, _) => *numbers = Some(Numbers::new(json)),
            (_, _, Some(texts)) => widen(texts, &value.text()),
            (_, _, texts) => {
                let text = cut(&value.text(), SHOWN_CHARS_MAX);
                *texts = Some((text.clone(), text));
            }
        }
    }

    fn ends(&self) -> (Json, Json) {
        let numbers = self.numbers.as_ref();
        let texts = self.texts.as_ref();
        let least = numbers.map(|numbers| shown(&numbers.least));
        let most = texts.map(|texts| json!(texts.1));
        (
            least
                .or_else(|| texts.map(|texts| json!(texts.0)))
                .unwrap_or(Json::Null),
            most.or_else(|| numbers.map(|numbers| shown(&numbers.most)))
                .unwrap_or(Json::Null),
        )
    }
}

impl Range {
    fn add(&mut self, value: &Value<'_>) {
        match (&mut *self, value) {
            (Range::Any(any), _) => any.add(value),
            (Range::Typed(ends), _) => {
                if value.compare(&ends.0) == Some(Ordering::Less) {
                    ends.0 = value.clone().into_owned();
                } else if value.compare(&ends.1) == Some(Ordering::Greater) {
                    ends.1 = value.clone().into_owned();
                }
            }
            (Range::Empty, Value::Raw(_) | Value::Text(_)) => {
                let mut any = Any::default();
                any.add(value);
                *self = Range::Any(Box::new(any));
            }
            (Range::Empty, Value::NotFinite(_) | Value::Bool(_) | Value::Duration(_)) => {}
            (Range::Empty, _) => {
                let value = value.clone().into_owned();
                *self = Range::Typed(Box::new((value.clone(), value)));
            }
        }
    }

    fn ends(&self) -> (Json, Json) {
        match self {
            Range::Empty => (Json::Null, Json::Null),
            Range::Typed(ends) => (shown(&ends.0), shown(&ends.1)),
            Range::Any(any) => any.ends(),
        }
    }
}

fn widen(ends: &mut (String, String), text: &str) {
    if text < ends.0.as_str() {
        ends.0 = cut(text, SHOWN_CHARS_MAX);
    } else if text > ends.1.as_str() {
        ends.1 = cut(text, SHOWN_CHARS_MAX);
    }
}

fn shown(value: &Value<'_>) -> Json {
    let mut json = String::new();
    value.write_json(&mut json);
    serde_json::from_str(&json).unwrap_or(Json::Null)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Value<'_> {
        Value::Text(text.into())
    }

    #[test]
    fn small_columns_are_told_exactly() {
        let mut profile = Profile::new(6);
        for word in ["b", "a", "c", "a"] {
            profile.add(&text(word));
        }
        let column = profile.to_column("x", "string");
        assert_eq!((column.filled, column.distinct), (4, 3));
        assert_eq!((column.min, column.max), (json!("a"), json!("c")));
        assert_eq!(column.top[0], json!({"value": "a", "count": 2}));
        assert!(!column.distinct_estimated && !column.top_estimated);
    }

    #[test]
    fn numbers_are_ordered_as_numbers_and_come_before_texts() {
        let mut profile = Profile::new(1);
        profile.add(&Value::Raw("9"));
        profile.add(&Value::Raw("10"));
        let column = profile.to_column("x", "any");
        assert_eq!((column.min, column.max), (json!(9), json!(10)));
        profile.add(&text("11-50"));
        let column = profile.to_column("x", "any");
        assert_eq!((column.min, column.max), (json!(9), json!("11-50")));
        profile.add(&Value::Raw("2"));
        let column = profile.to_column("x", "any");
        assert_eq!((column.min, column.max), (json!(2), json!("11-50")));
    }

    #[test]
    fn very_many_values_are_estimated_in_bounded_memory() {
        let mut profile = Profile::new(1_000);
        for n in 0..200_000_u32 {
            profile.add(&text(&n.to_string()));
            if n % 4 == 0 {
                profile.add(&text("often"));
            }
        }
        assert!(profile.distinct.kept.len() <= 1_000);
        assert!(profile.top.counts.len() <= 60);
        let column = profile.to_column("x", "string");
        assert!(column.distinct_estimated && column.top_estimated);
        let error = (column.distinct as f64 / 200_001.0 - 1.0).abs();
        assert!(error < 0.15, "{}", column.distinct);
        assert_eq!(column.top[0]["value"], json!("often"));
    }
}
