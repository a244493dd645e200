//! Whether the day or the month stands first in a column of dates such as `03/08/2024`: decided for
//! the column as a whole, by dates that can be read in one way only, and never cell by cell. Where the
//! file does not decide it, the person who brought the file may have said it.

use std::collections::HashMap;

use serde::Serialize;
use serde_json::Value as Json;

use super::guess::{self, Told};
use super::mapping::Mapping;
use super::messages;
use super::template::Template;
use crate::error::Result;
use crate::sheet::{Cell, Cells, Column, Row, cell_name};
use crate::words::DayOrder;

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
    /// The first of those that can be read both ways.
    example: Option<Example>,
    /// How the file was read that these rows come from.
    known: Option<DayOrder>,
    /// What somebody said of the file.
    chosen: Option<DayOrder>,
}

/// What is known of the order of day and month before a row is seen.
#[derive(Debug, Clone, Default)]
pub struct DateOrders {
    /// By field, for rows that come home to be mended: how their own file was read. A few rows of a
    /// column can't tell what the whole column told.
    pub known: HashMap<String, DayOrder>,
    /// As somebody said it of the file; it counts for columns whose own dates don't tell.
    pub chosen: Option<DayOrder>,
}

impl DateOrders {
    /// How a file was read, by the report on it.
    pub fn of_report(report: &Json) -> HashMap<String, DayOrder> {
        let dates = report.get("dates").and_then(Json::as_array);
        let told = dates.into_iter().flatten().filter_map(|told| {
            let order = told.get("order").and_then(Json::as_str);
            let field = told.get("field").and_then(Json::as_str)?;
            Some((field.to_owned(), order.and_then(DayOrder::parse)?))
        });
        told.collect()
    }
}

/// A date that can be read in one way only.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Evidence {
    pub cell: String,
    pub value: String,
}

/// A date that can be read in two ways, and what it is in each: what a person chooses by.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Example {
    pub cell: String,
    pub value: String,
    #[serde(rename = "day-month")]
    pub day_first: String,
    #[serde(rename = "month-day")]
    pub month_first: String,
}

/// How the dates of a column were read, as a report tells it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Order {
    pub field: String,
    /// `day-month`, `month-day`, `mixed` or `undecided`.
    pub order: &'static str,
    /// What decided it; of each order where they are mixed.
    pub evidence: Vec<Evidence>,
    /// Whether somebody said the order, because the file does not decide it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub chosen: bool,
    /// Dates that can be read both ways.
    pub ambiguous: u64,
    /// One of them, where the file does not decide it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub example: Option<Example>,
}

/// The columns that need watching.
pub(super) fn watches(
    template: &Template,
    places: &[Option<usize>],
    orders: &DateOrders,
) -> Vec<Watch> {
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
                example: None,
                known: orders.known.get(&of.name).copied(),
                chosen: orders.chosen,
            })
        })
        .collect()
}

/// How the dates of a sheet would be read, as far as its first rows tell.
///
/// # Errors
/// `Internal` where a row is damaged.
pub fn of_rows(
    template: &Template,
    mapping: &Mapping,
    columns: &[Column],
    rows: &[Row],
    orders: &DateOrders,
) -> Result<Vec<Order>> {
    let mut watches = watches(template, &mapping.places(template, columns), orders);
    for row in rows {
        let cells = row.values()?;
        for watch in &mut watches {
            watch.observe(row, &cells)?;
        }
    }
    Ok(watches
        .iter()
        .filter_map(|watch| watch.told(template))
        .collect())
}

impl Watch {
    /// # Errors
    /// `Internal` where the row is damaged.
    pub(super) fn observe(&mut self, row: &Row, cells: &Cells<'_>) -> Result<()> {
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
            Some(Told::Either) => {
                self.either += 1;
                if self.example.is_none() {
                    self.example = example(evidence());
                }
            }
            Some(Told::Order(_)) | None => {}
        }
        Ok(())
    }

    /// Lets the field read its dates in the order that was found.
    pub(super) fn settle(&self, template: &mut Template) {
        let order = match (self.known, &self.day_first, &self.month_first) {
            (Some(known), _, _) => Some(known),
            (None, Some(_), None) => Some(DayOrder::DayFirst),
            (None, None, Some(_)) => Some(DayOrder::MonthFirst),
            (None, None, None) | (None, Some(_), Some(_)) => self.chosen,
        };
        let field = template.fields.get_mut(self.field);
        if let Some(place) = field.and_then(|field| field.kind.day_order_mut()) {
            *place = order;
        }
    }

    /// `None` where the column has no such dates.
    pub(super) fn told(&self, template: &Template) -> Option<Order> {
        let chosen = self.chosen.filter(|_| self.either > 0);
        let known = self.known.filter(|_| self.either > 0);
        let (order, chosen) = match (&self.day_first, &self.month_first, chosen) {
            _ if let Some(known) = known => (known.as_str(), false),
            (Some(_), None, _) => (DayOrder::DayFirst.as_str(), false),
            (None, Some(_), _) => (DayOrder::MonthFirst.as_str(), false),
            (None, None, Some(chosen)) | (Some(_), Some(_), Some(chosen)) => {
                (chosen.as_str(), true)
            }
            (Some(_), Some(_), None) => ("mixed", false),
            (None, None, None) if self.either > 0 => ("undecided", false),
            (None, None, None) => return None,
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
            chosen,
            ambiguous: self.either,
            example: (chosen || matches!(order, "mixed" | "undecided"))
                .then(|| self.example.clone())
                .flatten(),
        })
    }
}

fn example(Evidence { cell, value }: Evidence) -> Option<Example> {
    let read = |order| Some(guess::guess(&value, Some(order))?.date_text());
    Some(Example {
        day_first: read(DayOrder::DayFirst)?,
        month_first: read(DayOrder::MonthFirst)?,
        cell,
        value,
    })
}
