//! Search in a log. No index knows its texts, for keeping one would cost every message that is accepted: a search goes
//! from the newest row back, so far as one look may, and says how far that was.

use super::condition::{Condition, leader, shared_index};
use super::page::{Column, Operand, Page, Query};
use super::{Db, time};
use crate::error::Result;
use jiff::Timestamp;
use rusqlite::types::Value;
use rusqlite::{Row, params_from_iter};
use std::time::Instant;

/// A log and its texts.
pub(super) struct Log {
    /// What a row is made from.
    pub(super) columns: &'static str,
    /// It ends in a `where` clause.
    pub(super) source: &'static str,
    /// Rows are looked at in the order of this one.
    pub(super) id: Column,
    /// When a row came.
    pub(super) at: Column,
    /// Whether a row's texts hold what stands for each `?`.
    pub(super) holds: &'static str,
    /// The columns whose filters choose which rows are looked at, by an index that is in the order of `id` too. All others
    /// are held against each row, so that no row is passed over unseen and uncounted.
    pub(super) indexed: &'static [Column],
}

/// How far a search came.
#[derive(Default)]
struct Reached {
    /// What was found, newest first.
    ids: Vec<i64>,
    /// The row that it ended at, unless it was the last one of the log.
    stopped: Option<(i64, Timestamp)>,
}

/// The newest rows that hold the text and fit the filters, below [`Query::after`] if that is set. [`Page::searched_to`]
/// and [`Page::last_id`] say where to go on; without them all was looked at.
pub(super) fn search<T>(
    db: &Db,
    log: &Log,
    query: &Query,
    text: &str,
    from_row: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Page<T>> {
    let Reached { ids, stopped } = look(db, log, query, text)?;
    let (columns, source, id) = (log.columns, log.source, log.id.sql());
    let list: Vec<_> = ids.iter().map(i64::to_string).collect();
    let list = list.join(", ");
    let select = format!("select {columns} from {source} and {id} in ({list}) order by {id} desc");
    let mut statement = db.0.prepare(&select)?;
    let rows = statement.query_map([], from_row)?;
    let (last_id, searched_to) = stopped.unzip();
    Ok(Page {
        rows: rows.collect::<rusqlite::Result<_>>()?,
        total: ids.len() as u64,
        is_capped: last_id.is_some(),
        last_id,
        searched_to,
    })
}

fn look(db: &Db, log: &Log, query: &Query, text: &str) -> Result<Reached> {
    let leader = leader(db, log.source, query)?.index;
    let (sql, values) = statement(log, query, text, leader);
    let (limits, began) = (db.limits(), Instant::now());
    let mut statement = db.0.prepare(&sql)?;
    let mut rows = statement.query(params_from_iter(&values))?;
    let mut reached = Reached::default();
    let mut looked = 0;
    while let Some(row) = rows.next()? {
        let id = row.get("id")?;
        if row.get("fits")? {
            reached.ids.push(id);
        }
        looked += 1;
        let is_full = reached.ids.len() >= query.page_size as usize;
        if is_full || looked >= limits.search_rows || began.elapsed() >= limits.search {
            reached.stopped = Some((id, time(row, "at")?));
            break;
        }
    }
    Ok(reached)
}

/// Every row that could be looked at, newest first, and whether it fits: of those that `leader` leads to, if any does.
pub(super) fn statement(
    log: &Log,
    query: &Query,
    text: &str,
    leader: Option<&str>,
) -> (String, Vec<Value>) {
    let condition = |filters: Vec<_>, ranges: Vec<_>| {
        let part = Query {
            filters,
            ranges,
            ..Query::default()
        };
        Condition::of(&part, &[], leader.as_slice())
    };
    let filters = query.filters.iter().cloned();
    let is_led =
        |(by, operand): &(Column, Operand)| leader.is_some() && shared_index(by, operand) == leader;
    let (led, others): (Vec<_>, Vec<_>) = filters.partition(is_led);
    let is_indexed = |(by, _): &(Column, Operand)| log.indexed.contains(by);
    let (chosen, others): (Vec<_>, Vec<_>) = others.into_iter().partition(is_indexed);
    let (id, at, source) = (log.id.sql(), log.at.sql(), log.source);
    let fits = condition(others, query.ranges.clone());
    let chosen = condition(chosen, Vec::new());
    let (led, led_values) = match led.is_empty() {
        true => (String::new(), Vec::new()),
        false => {
            let led = condition(led, Vec::new());
            (
                format!(" and {id} in (select {id} from {source}{})", led.sql),
                led.values,
            )
        }
    };
    let mut values = fits.values;
    let texts = log.holds.matches('?').count();
    values.extend(std::iter::repeat_n(Value::Text(text.to_owned()), texts));
    values.extend(led_values);
    values.extend(chosen.values);
    let below = query.after.map(|after| format!(" and {id} < {after}"));
    let sql = format!(
        "select {id} as id, {at} as at, (true{} and ({})) as fits from {source}{led}{}{} order by {id} desc",
        fits.sql,
        log.holds,
        chosen.sql,
        below.unwrap_or_default(),
    );
    (sql, values)
}
