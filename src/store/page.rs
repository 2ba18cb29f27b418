//! Paged lists: sort, filter, search and count over a table. (api.md, "Paged lists")

use super::Db;
use super::search::HOLDS;
use crate::error::Result;
use rusqlite::types::Value;
use rusqlite::{Row, params_from_iter};

/// A column a list may be sorted or filtered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    sql: &'static str,
    /// What a filter's value must be.
    pub kind: Kind,
    is_indexed: bool,
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
    /// One of a closed set of words, all of them lower case: compared whatever its case, and an index can find it.
    Word,
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
            is_indexed: false,
        }
    }

    /// A column that an index begins with, and goes on by id: rows with one value are found and counted without a look
    /// at the others.
    pub(super) const fn indexed(sql: &'static str, kind: Kind) -> Self {
        Self {
            sql,
            kind,
            is_indexed: true,
        }
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
    /// The id of the last row, when the page is full.
    pub last_id: Option<i64>,
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
    if query.search.is_some() {
        return found(db, columns, source, searched, id, query, from_row);
    }
    let lead = lead(db, source, query)?;
    let Condition {
        sql: mut condition,
        mut values,
    } = Condition::led(query, searched, lead);
    let (total, is_capped) = count(
        db,
        &format!("{source}{condition}"),
        &values,
        query.count_max,
    )?;
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
    })
}

/// Where the counting for [`lead`] stops.
const LEAD_COUNT_MAX: u64 = 100_000;

/// Of several filters with an index, the one that leaves the fewest rows. SQLite, which knows nothing of what is in the
/// table, could take one that leaves nearly all of them.
fn lead(db: &Db, source: &str, query: &Query) -> Result<Option<Column>> {
    let indexed = || query.filters.iter().filter(|(by, _)| by.is_indexed);
    if indexed().count() < 2 {
        return Ok(None);
    }
    let mut fewest = None;
    for (column, operand) in indexed() {
        let mut only = Condition::default();
        only.equals(column.sql, column.kind, operand);
        let source = format!("{source}{}", only.sql);
        let (rows, _) = count(db, &source, &only.values, Some(LEAD_COUNT_MAX))?;
        if fewest.is_none_or(|(least, _)| rows < least) {
            fewest = Some((rows, *column));
        }
    }
    Ok(fewest.map(|(_, column)| column))
}

fn offset(query: &Query) -> u64 {
    let offset = u64::from(query.page.saturating_sub(1)) * u64::from(query.page_size);
    offset.saturating_add(query.skip).min(i64::MAX as u64)
}

/// A page of what is searched for. Every row's text is looked at, so it is looked at once: the ids of what was found are
/// its count too.
fn found<T>(
    db: &Db,
    columns: &str,
    source: &str,
    searched: &[&str],
    id: &Column,
    query: &Query,
    from_row: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Page<T>> {
    let Condition { sql, values } = Condition::of(query, searched);
    let order = order(query, id);
    let select = format!("select {} from {source}{sql} order by {order}", id.sql);
    let ids: Vec<i64> =
        db.0.prepare(&select)?
            .query_map(params_from_iter(&values), |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
    let skip = usize::try_from(offset(query)).unwrap_or(usize::MAX);
    let page: Vec<_> = ids
        .iter()
        .skip(skip)
        .take(query.page_size as usize)
        .map(i64::to_string)
        .collect();
    let select = format!(
        "select {columns} from {source} and {} in ({}) order by {order}",
        id.sql,
        page.join(", ")
    );
    let rows =
        db.0.prepare(&select)?
            .query_map([], from_row)?
            .collect::<rusqlite::Result<_>>()?;
    Ok(Page {
        rows,
        total: ids.len() as u64,
        is_capped: false,
        last_id: None,
    })
}

/// What a row has to fulfil, as SQL to put behind a `where` clause, and the values in it.
#[derive(Default)]
pub(super) struct Condition {
    pub(super) sql: String,
    pub(super) values: Vec<Value>,
}

impl Condition {
    pub(super) fn of(query: &Query, searched: &[&str]) -> Self {
        Self::led(query, searched, None)
    }

    /// The same; with a lead, no other filter's index is used.
    fn led(query: &Query, searched: &[&str], lead: Option<Column>) -> Self {
        let mut condition = Self::default();
        for (column, operand) in &query.filters {
            let follows = column.is_indexed && lead.is_some_and(|lead| lead != *column);
            // A sign keeps SQLite from the index of a column.
            let sign = if follows { "+" } else { "" };
            condition.equals(&format!("{sign}{}", column.sql), column.kind, operand);
        }
        for (column, bound) in &query.ranges {
            let (sign, number) = match bound {
                Bound::AtLeast(number) => (">=", number),
                Bound::Below(number) => ("<", number),
            };
            condition.and(
                &format!("{} {sign} ?", column.sql),
                [Value::Integer(*number)],
            );
        }
        if let Some(text) = &query.search {
            let holds = format!("{HOLDS}(?, {})", searched.join(", "));
            condition.and(&holds, [Value::Text(text.clone())]);
        }
        condition
    }

    fn equals(&mut self, sql: &str, kind: Kind, operand: &Operand) {
        match (kind, operand) {
            // Times are shown to the second, so the second is what a filter can know of them.
            (Kind::Time, Operand::Int(millis)) => {
                let second = millis.div_euclid(1000).saturating_mul(1000);
                let ends = [second, second.saturating_add(999)].map(Value::Integer);
                self.and(&format!("{sql} between ? and ?"), ends);
            }
            (_, Operand::Int(number)) => self.and(&format!("{sql} = ?"), [Value::Integer(*number)]),
            (Kind::Key, Operand::Text(text)) => {
                self.and(&format!("{sql} = ?"), [Value::Text(text.clone())]);
            }
            (Kind::Word, Operand::Text(text)) => {
                let word = Value::Text(text.to_ascii_lowercase());
                self.and(&format!("{sql} = ?"), [word]);
            }
            (_, Operand::Text(text)) => {
                self.and(
                    &format!("{sql} = ? collate nocase"),
                    [Value::Text(text.clone())],
                );
            }
        }
    }

    fn and(&mut self, sql: &str, values: impl IntoIterator<Item = Value>) {
        self.sql.push_str(" and ");
        self.sql.push_str(sql);
        self.values.extend(values);
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::messages::{CREATED, FORMAT, SOURCE, STATUS, TYPE, USER};
    use crate::store::{Access, Store};

    /// Which of these filters a list of messages goes through first.
    fn led(store: &Store, filters: &[(Column, Operand)]) -> Option<Column> {
        let query = Query {
            filters: filters.to_vec(),
            ..Query::default()
        };
        store.read(|db| lead(db, SOURCE, &query)).expect("a lead")
    }

    #[test]
    fn of_several_filters_the_one_that_leaves_the_fewest_rows_leads() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let now = "2026-11-22T12:00:00Z".parse().expect("a time");
        let store =
            Store::open(&directory.path().join("data"), Access::Exclusive, now).expect("open");
        // 40 messages: each user has 4 of them, 2 failed, half are SMS.
        let insert = "
            with recursive n(i) as (select 0 union all select i + 1 from n where i < 39)
            insert into message (guid, user_id, type_id, format, channel, status, lane, recipient, is_sensitive,
                created_at, created_by, due_at, expires_at, trace)
            select randomblob(16), i % 10, 1, 2 * (i % 2), 'email', iif(i < 2, 'failed', 'sent'), 0, '', 0, i, '', i, i, ''
            from n";
        store
            .write(move |tx| Ok(tx.0.0.execute(insert, [])?))
            .expect("messages");
        let word = |word: &str| (STATUS, Operand::Text(word.to_owned()));
        let (user, sms) = ((USER, Operand::Int(1)), (FORMAT, Operand::Int(2)));
        let welcome = (TYPE, Operand::Int(1));
        let at = (CREATED, Operand::Int(0));
        let cases = [
            (vec![word("sent")], None),
            (vec![at, word("failed")], None),
            (vec![user.clone(), word("sent")], Some(USER)),
            (vec![user.clone(), word("Failed")], Some(STATUS)),
            (vec![welcome.clone(), sms, word("sent")], Some(FORMAT)),
            (vec![welcome, user, word("suppressed")], Some(STATUS)),
        ];
        for (filters, expected) in cases {
            assert_eq!(led(&store, &filters), expected, "{filters:?}");
        }
    }
}
