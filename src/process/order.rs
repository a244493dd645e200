//! Whether the day or the month stands first in a column of dates such as `03/08/2024`: decided for
//! the column as a whole, by dates that can be read in one way only, and never cell by cell.

use serde::Serialize;

use super::guess::{self, DayOrder, Told};
use super::messages;
use super::template::Template;
use crate::error::Result;
use crate::sheet::{Cell, Row, cell_name};

/// What the dates of a column tell.
#[derive(Debug, Clone)]
pub(super) struct Watch {
    /// Position of the field.
    field: usize,
    /// 0-based sheet column.
    place: usize,
    day_first: Option<Evidence>,
    month_first: Option<Evidence>,
    either: u64,
}

/// A date that can be read in one way only.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Evidence {
    pub cell: String,
    pub value: String,
}

/// How the dates of a column were read, as a report tells it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Order {
    pub field: String,
    /// `day-month`, `month-day`, `mixed` or `undecided`.
    pub order: &'static str,
    /// What decided it; of each order where they are mixed.
    pub evidence: Vec<Evidence>,
    /// Dates that can be read both ways.
    pub ambiguous: u64,
}

/// The columns that need watching.
pub(super) fn watches(template: &Template, places: &[Option<usize>]) -> Vec<Watch> {
    let mut fields = template.fields.clone();
    fields
        .iter_mut()
        .enumerate()
        .filter_map(|(field, of)| {
            of.kind.day_order_mut()?;
            Some(Watch {
                field,
                place: places.get(field).copied().flatten()?,
                day_first: None,
                month_first: None,
                either: 0,
            })
        })
        .collect()
}

impl Watch {
    /// # Errors
    /// `Internal` where the row is damaged.
    pub(super) fn observe(&mut self, row: &Row, cells: &[Cell<'_>]) -> Result<()> {
        let Some(Cell::Text(text)) = cells.get(self.place) else {
            return Ok(());
        };
        let evidence = || Evidence {
            cell: cell_name(self.place, row.number),
            value: messages::cut(text, 60),
        };
        match guess::order_of(text) {
            Some(Told::Order(DayOrder::DayFirst)) if self.day_first.is_none() => {
                self.day_first = Some(evidence());
            }
            Some(Told::Order(DayOrder::MonthFirst)) if self.month_first.is_none() => {
                self.month_first = Some(evidence());
            }
            Some(Told::Either) => self.either += 1,
            Some(Told::Order(_)) | None => {}
        }
        Ok(())
    }

    /// Lets the field read its dates in the order that was found.
    pub(super) fn settle(&self, template: &mut Template) {
        let order = match (&self.day_first, &self.month_first) {
            (Some(_), None) => Some(DayOrder::DayFirst),
            (None, Some(_)) => Some(DayOrder::MonthFirst),
            (None, None) | (Some(_), Some(_)) => None,
        };
        let field = template.fields.get_mut(self.field);
        if let Some(place) = field.and_then(|field| field.kind.day_order_mut()) {
            *place = order;
        }
    }

    /// `None` where the column has no such dates.
    pub(super) fn told(&self, template: &Template) -> Option<Order> {
        let order = match (&self.day_first, &self.month_first) {
            (Some(_), None) => "day-month",
            (None, Some(_)) => "month-day",
            (Some(_), Some(_)) => "mixed",
            (None, None) if self.either > 0 => "undecided",
            (None, None) => return None,
        };
        Some(Order {
            field: template.fields.get(self.field)?.name.clone(),
            order,
            evidence: self
                .day_first
                .iter()
                .chain(&self.month_first)
                .cloned()
                .collect(),
            ambiguous: self.either,
        })
    }
}
