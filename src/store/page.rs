//! Paged lists: sort, filter, search and count over a table. (api.md, "Paged lists")

use super::Db;
use super::condition::{Condition, Lead, RARE_MAX, leader};
use crate::error::Result;
use jiff::Timestamp;
use rusqlite::types::Value;
use rusqlite::{Row, params_from_iter};

/// A column a list may be sorted or filtered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    sql: &'static str,
    /// What a filter's value must be.
    pub kind: Kind,
    pub(super) lead: Lead,
}

/// The kind of a column's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A whole number.
    Int,
    /// Text, compared whatever its case.
    Text,
    /// Text, compared exactly, so that an index can find it.
    Key,
    /// A word in lower case, compared whatever its case. Rows with one of these words have indexes of their own.
    Word(&'static [&'static str]),
    /// Text, compared whatever its case, in which `*` stands for any text: by this condition, which uses an index.
    Pattern(&'static str),
    /// A time.
    Time,
    /// `true` or `false`.
    Bool,
}

impl Column {
    pub(super) const fn new(sql: &'static str, kind: Kind) -> Self {
        Self {
            sql,
            kind,
            lead: Lead::Never,
        }
    }

    /// A column with an index, of which few rows have the same value.
    pub(super) const fn led(self) -> Self {
        let lead = Lead::Always;
        Self { lead, ..self }
    }

    /// See [`Lead::IfRare`].
    pub(super) const fn led_if_rare(self, index: &'static str, with: &'static str) -> Self {
        let lead = Lead::IfRare { index, with };
        Self { lead, ..self }
    }

    pub(super) const fn sql(&self) -> &'static str {
        self.sql
    }
}

/// What a filter compares with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operand {
    /// A number, a time in milliseconds, or a truth value as 0 or 1.
    Int(i64),
    /// Text.
    Text(String),
}

/// Which part of a list is wanted.
#[derive(Debug, Clone, Default)]
pub struct Query {
    /// From 1.
    pub page: u32,
    /// Rows on a page.
    pub page_size: u32,
    /// Rows to skip besides those of the pages before.
    pub skip: u64,
    /// Columns in order; true for descending.
    pub sort: Vec<(Column, bool)>,
    /// Columns that must equal.
    pub filters: Vec<(Column, Operand)>,
    /// Columns that must be at least, or below.
    pub ranges: Vec<(Column, Bound)>,
    /// Text that one of the list's text columns must contain.
    pub search: Option<String>,
    /// Only for lists by descending id: rows below this id, so that a deep page costs what the first one costs.
    pub after: Option<i64>,
    /// Where counting stops; none counts all.
    pub count_max: Option<u64>,
}

/// One end of a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// This or more.
    AtLeast(i64),
    /// Less than this.
    Below(i64),
}

/// A page of a list.
#[derive(Debug, Clone)]
pub struct Page<T> {
    /// The rows.
    pub rows: Vec<T>,
    /// How many rows all pages hold, as far as was counted.
    pub total: u64,
    /// Whether there are more than were counted.
    pub is_capped: bool,
    /// The id of the last row, when the page is full; of a search in a log, that of the last row it looked at.
    pub last_id: Option<i64>,
    /// For a search in a log that is not at its end: when the last row that it looked at came.
    pub searched_to: Option<Timestamp>,
}

/// One page of `select {columns} from {source}`; `source` ends in a `where` clause. Ties are broken by `id`.
pub(super) fn fetch<T>(
    db: &Db,
    columns: &str,
    source: &str,
    searched: &[&str],
    id: &Column,
    query: &Query,
    mut from_row: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Page<T>> {
    let leader = leader(db, source, query)?;
    let Condition {
        sql: mut condition,
        mut values,
    } = Condition::of(query, searched, leader.index.as_slice());
    let is_by_id = query.sort.iter().all(|(by, _)| by == id);
    let (total, is_capped) = match query.count_max {
        Some(max) if leader.are_many && max <= RARE_MAX => (max, true),
        // Every row that is looked at costs time, so it is looked at once: the ids of what is found are its count too.
        max if query.search.is_some() || max.is_some() && is_by_id && !condition.is_empty() => {
            let max = max.filter(|_| query.search.is_none());
            // With a sign SQLite does not walk through all rows only because they are in this order.
            let sign = if leader.index.is_some() { "+" } else { "" };
            let by = format!("{sign}{}", order(query, id));
            match found(db, &format!("{source}{condition}"), &values, id, &by, max)? {
                Found::All(ids) => {
                    return rows_of(db, columns, source, id, query, &ids, from_row);
                }
                Found::More(max) => (max, true),
            }
        }
        max => count(db, &format!("{source}{condition}"), &values, max)?,
    };
    if let Some(after) = query.after {
        condition.push_str(&format!(" and {} < ?", id.sql));
        values.push(Value::Integer(after));
    }
    let offset = offset(query);
    let select = format!(
        "select {columns} from {source}{condition} order by {} limit {} offset {offset}",
        order(query, id),
        query.page_size,
    );
    // Not cached: every page and filter is another text.
    let mut last_id = None;
    let rows: Vec<T> =
        db.0.prepare(&select)?
            .query_map(params_from_iter(&values), |row| {
                last_id = row.get("id")?;
                from_row(row)
            })?
            .collect::<rusqlite::Result<_>>()?;
    let is_full = u32::try_from(rows.len()).is_ok_and(|rows| rows == query.page_size);
    Ok(Page {
        rows,
        total,
        is_capped,
        last_id: last_id.filter(|_| is_full),
        searched_to: None,
    })
}

fn offset(query: &Query) -> u64 {
    let offset = u64::from(query.page.saturating_sub(1)) * u64::from(query.page_size);
    offset.saturating_add(query.skip).min(i64::MAX as u64)
}

/// The ids of what fulfils a condition, in order.
enum Found {
    All(Vec<i64>),
    /// More than this.
    More(u64),
}

fn found(
    db: &Db,
    source: &str,
    values: &[Value],
    id: &Column,
    by: &str,
    max: Option<u64>,
) -> Result<Found> {
    let limit = max.map_or(-1, |max| max as i64 + 1);
    let select = format!(
        "select {} from {source} order by {by} limit {limit}",
        id.sql
    );
    let ids: Vec<i64> =
        db.0.prepare(&select)?
            .query_map(params_from_iter(values), |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
    Ok(match max {
        Some(max) if ids.len() as u64 > max => Found::More(max),
        _ => Found::All(ids),
    })
}

/// A page of the rows with these ids, which are all there are.
fn rows_of<T>(
    db: &Db,
    columns: &str,
    source: &str,
    id: &Column,
    query: &Query,
    ids: &[i64],
    from_row: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Page<T>> {
    let left = ids
        .iter()
        .filter(|id| query.after.is_none_or(|after| **id < after));
    let skip = usize::try_from(offset(query)).unwrap_or(usize::MAX);
    let page: Vec<_> = left.skip(skip).take(query.page_size as usize).collect();
    let is_full = page.len() == query.page_size as usize;
    let listed: Vec<_> = page.iter().map(|id| id.to_string()).collect();
    let select = format!(
        "select {columns} from {source} and {} in ({}) order by {}",
        id.sql,
        listed.join(", "),
        order(query, id)
    );
    let rows =
        db.0.prepare(&select)?
            .query_map([], from_row)?
            .collect::<rusqlite::Result<_>>()?;
    Ok(Page {
        rows,
        total: ids.len() as u64,
        is_capped: false,
        last_id: page.last().filter(|_| is_full).map(|id| **id),
        searched_to: None,
    })
}

/// The order that was asked for; ties are broken by `id`.
fn order(query: &Query, id: &Column) -> String {
    let direction = |descending| if descending { " desc" } else { "" };
    let mut order: Vec<_> = query
        .sort
        .iter()
        .map(|(column, descending)| format!("{}{}", column.sql, direction(*descending)))
        .collect();
    if !query.sort.iter().any(|(column, _)| column == id) {
        order.push(id.sql.to_owned());
    }
    order.join(", ")
}

/// How many rows a source has, up to a limit, and whether there are more.
pub(super) fn count(
    db: &Db,
    source: &str,
    values: &[Value],
    max: Option<u64>,
) -> Result<(u64, bool)> {
    let sql = match max {
        None => format!("select count(*) from {source}"),
        Some(max) => format!(
            "select count(*) from (select 1 from {source} limit {})",
            max.saturating_add(1)
        ),
    };
    let counted: i64 =
        db.0.prepare_cached(&sql)?
            .query_row(params_from_iter(values), |row| row.get(0))?;
    let counted = counted.unsigned_abs();
    Ok(match max {
        Some(max) if counted > max => (max, true),
        _ => (counted, false),
    })
}
