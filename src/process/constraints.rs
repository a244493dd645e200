//! What a template demands of a value beyond its type.

use std::cmp::Ordering;
use std::collections::HashSet;

use regex::Regex;

use super::value::Value;

/// A constraint that a value breaks; the text form is its name in Table Schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    Required,
    MinLength,
    MaxLength,
    Minimum,
    Maximum,
    ExclusiveMinimum,
    ExclusiveMaximum,
    Pattern,
    Enum,
}

impl Rule {
    pub fn as_str(self) -> &'static str {
        match self {
            Rule::Required => "required",
            Rule::MinLength => "minLength",
            Rule::MaxLength => "maxLength",
            Rule::Minimum => "minimum",
            Rule::Maximum => "maximum",
            Rule::ExclusiveMinimum => "exclusiveMinimum",
            Rule::ExclusiveMaximum => "exclusiveMaximum",
            Rule::Pattern => "pattern",
            Rule::Enum => "enum",
        }
    }
}

/// An end of the range that values may lie in.
#[derive(Debug, Clone)]
pub struct Bound {
    pub value: Value<'static>,
    /// As the template writes it.
    pub shown: String,
}

/// The values that are allowed.
#[derive(Debug, Clone)]
pub struct Allowed {
    /// [`Value::canonical`] of each.
    pub texts: HashSet<String>,
    /// As the template writes them, in its order.
    pub shown: Vec<String>,
}

/// All constraints of a field.
#[derive(Debug, Clone, Default)]
pub struct Constraints {
    pub required: bool,
    /// No value may stand twice in the file.
    pub unique: bool,
    /// Letters, as Unicode counts them.
    pub length_min: Option<usize>,
    pub length_max: Option<usize>,
    pub minimum: Option<Bound>,
    pub maximum: Option<Bound>,
    pub exclusive_minimum: Option<Bound>,
    pub exclusive_maximum: Option<Bound>,
    /// The whole value has to match; and the pattern as the template writes it.
    pub pattern: Option<(Regex, String)>,
    /// What the pattern asks for in words, where these are few.
    pub form: Option<String>,
    pub allowed: Option<Allowed>,
}

impl Constraints {
    /// Calls `broken` for every rule that a value breaks; a missing value can break `required`
    /// only.
    pub fn check(&self, value: Option<&Value<'_>>, mut broken: impl FnMut(Rule)) {
        let Some(value) = value else {
            if self.required {
                broken(Rule::Required);
            }
            return;
        };
        if self.length_min.is_some() || self.length_max.is_some() {
            let length = value.text().chars().count();
            if self.length_min.is_some_and(|least| length < least) {
                broken(Rule::MinLength);
            }
            if self.length_max.is_some_and(|most| length > most) {
                broken(Rule::MaxLength);
            }
        }
        use Ordering::{Equal, Greater, Less};
        let bounds: [(&Option<Bound>, Rule, &[Ordering]); 4] = [
            (&self.minimum, Rule::Minimum, &[Greater, Equal]),
            (&self.maximum, Rule::Maximum, &[Less, Equal]),
            (&self.exclusive_minimum, Rule::ExclusiveMinimum, &[Greater]),
            (&self.exclusive_maximum, Rule::ExclusiveMaximum, &[Less]),
        ];
        for (bound, rule, fine) in bounds {
            if let Some(bound) = bound
                && !value
                    .compare(&bound.value)
                    .is_some_and(|order| fine.contains(&order))
            {
                broken(rule);
            }
        }
        if let Some((pattern, _)) = &self.pattern
            && !pattern.is_match(&value.text())
        {
            broken(Rule::Pattern);
        }
        if let Some(allowed) = &self.allowed
            && !allowed.texts.contains(value.canonical().as_ref())
        {
            broken(Rule::Enum);
        }
    }
}
