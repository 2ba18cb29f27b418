//! Paged lists: sort, filter, search and count over a table. (api.md, "Paged lists")

use super::Db;
use crate::error::Result;
use rusqlite::types::Value;
use rusqlite::{Row, params_from_iter};

/// A column a list may be sorted or filtered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    sql: &'static str,
    /// What a filter's value must be.
    pub kind: Kind,
}

/// The kind of a column's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A whole number.
    Int,
    /// Text, compared whatever its case.
    Text,
    /// A time.
    Time,
    /// `true` or `false`.
    Bool,
}

impl Column {
    pub(super) const fn new(sql: &'static str, kind: Kind) -> Self {
        Self { sql, kind }
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
    /// Text that one of the list's text columns must contain.
    pub search: Option<String>,
}

/// A page of a list.
#[derive(Debug, Clone)]
pub struct Page<T> {
    /// The rows.
    pub rows: Vec<T>,
    /// How many rows all pages hold.
    pub total: u64,
}

/// One page of `select {columns} from {source}`; `source` ends in a `where` clause. Ties are broken by `id`.
pub(super) fn fetch<T>(
    db: &Db,
    columns: &str,
    source: &str,
    searched: &[&str],
    id: &Column,
    query: &Query,
    from_row: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Page<T>> {
    let mut condition = String::new();
    let mut values = Vec::new();
    for (column, operand) in &query.filters {
        let sql = column.sql;
        match (column.kind, operand) {
            // Times are shown to the second, so the second is what a filter can know of them.
            (Kind::Time, Operand::Int(millis)) => {
                condition.push_str(&format!(" and {sql} between ? and ?"));
                let second = millis.div_euclid(1000) * 1000;
                values.extend([Value::Integer(second), Value::Integer(second + 999)]);
            }
            (_, Operand::Int(number)) => {
                condition.push_str(&format!(" and {sql} = ?"));
                values.push(Value::Integer(*number));
            }
            (_, Operand::Text(text)) => {
                condition.push_str(&format!(" and {sql} = ? collate nocase"));
                values.push(Value::Text(text.clone()));
            }
        }
    }
    if let Some(text) = &query.search {
        let any: Vec<_> = searched
            .iter()
            .map(|column| format!("instr(lower({column}), lower(?)) > 0"))
            .collect();
        condition.push_str(&format!(" and ({})", any.join(" or ")));
        values.extend(searched.iter().map(|_| Value::Text(text.clone())));
    }
    let count = format!("select count(*) from {source}{condition}");
    let total: i64 =
        db.0.prepare_cached(&count)?
            .query_row(params_from_iter(&values), |row| row.get(0))?;
    let mut order: Vec<_> = query
        .sort
        .iter()
        .map(|(column, descending)| {
            format!("{}{}", column.sql, if *descending { " desc" } else { "" })
        })
        .collect();
    if !query.sort.iter().any(|(column, _)| column == id) {
        order.push(id.sql.to_owned());
    }
    let offset = u64::from(query.page.saturating_sub(1)) * u64::from(query.page_size) + query.skip;
    let select = format!(
        "select {columns} from {source}{condition} order by {} limit {} offset {offset}",
        order.join(", "),
        query.page_size,
    );
    // Not cached: every page and filter is another text.
    let rows =
        db.0.prepare(&select)?
            .query_map(params_from_iter(&values), from_row)?
            .collect::<rusqlite::Result<_>>()?;
    Ok(Page {
        rows,
        total: total.unsigned_abs(),
    })
}
