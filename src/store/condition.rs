//! What the rows of a list have to fulfil, and which index leads to them. SQLite knows nothing of what is in a table: it would
//! go by an index to half of a log, and sort that.

use super::Db;
use super::page::{Bound, Column, Kind, Operand, Query, count};
use super::search::HOLDS;
use crate::error::Result;
use rusqlite::types::Value;

/// Whether an index leads to the rows with a value of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lead {
    /// There is none.
    Never,
    /// Few rows have the same value.
    Always,
    /// Where few rows have the value, which is counted. All columns of one index lead together.
    IfRare {
        index: &'static str,
        /// What stands in front of the column, so that an index can be used that begins with another.
        with: &'static str,
    },
}

/// Which index leads, and what was counted to know that.
#[derive(Default)]
pub(super) struct Leader {
    /// The one that leads to the fewest rows, if any leads to few; none where SQLite finds a better one by itself.
    pub(super) index: Option<&'static str>,
    /// Whether it is known that more than [`RARE_MAX`] rows are what the query asks for.
    pub(super) are_many: bool,
}

/// Where counting for [`leader`] stops.
pub(super) const RARE_MAX: u64 = 10_000;

/// Looks how many rows have the values that are asked for.
pub(super) fn leader(db: &Db, source: &str, query: &Query) -> Result<Leader> {
    let mut leader = Leader::default();
    let leads = |(by, _): &(Column, Operand)| by.lead == Lead::Always;
    if query.filters.iter().any(leads) {
        return Ok(leader);
    }
    let mut least = RARE_MAX;
    for (column, operand) in &query.filters {
        let Some(index) = shared_index(column, operand) else {
            continue;
        };
        let is_of_it =
            |(by, operand): &&(Column, Operand)| shared_index(by, operand) == Some(index);
        let filters: Vec<_> = query.filters.iter().filter(is_of_it).cloned().collect();
        let is_all = filters.len() == query.filters.len()
            && query.ranges.is_empty()
            && query.search.is_none();
        let of_it = Query {
            filters,
            ..Query::default()
        };
        let Condition { sql, values } = Condition::of(&of_it, &[], &[index]);
        let (rows, is_capped) = count(db, &format!("{source}{sql}"), &values, Some(least))?;
        match is_capped {
            true => leader.are_many = is_all,
            false => (least, leader.index) = (rows, Some(index)),
        }
    }
    Ok(leader)
}

/// The index that may lead to the rows with this value.
pub(super) fn shared_index(column: &Column, operand: &Operand) -> Option<&'static str> {
    match column.lead {
        Lead::IfRare { index, .. } => {
            let is_known =
                !matches!(column.kind, Kind::Word(_)) || known_word(column.kind, operand).is_some();
            is_known.then_some(index)
        }
        _ => None,
    }
}

/// The word that is asked for, if its rows have an index.
fn known_word(kind: Kind, operand: &Operand) -> Option<&'static str> {
    match (kind, operand) {
        (Kind::Word(words), Operand::Text(text)) => {
            let is_meant = |word: &&&str| word.eq_ignore_ascii_case(text);
            words.iter().find(is_meant).copied()
        }
        _ => None,
    }
}

/// What a row has to fulfil, as SQL to put behind a `where` clause, and the values in it.
pub(super) struct Condition {
    pub(super) sql: String,
    pub(super) values: Vec<Value>,
}

impl Condition {
    /// `leaders`: by which of the indexes that lead if a value is rare SQLite may go.
    pub(super) fn of(query: &Query, searched: &[&str], leaders: &[&str]) -> Self {
        let mut condition = Self {
            sql: String::new(),
            values: Vec::new(),
        };
        for (column, operand) in &query.filters {
            condition.equals(column, operand, leaders);
        }
        for (column, bound) in &query.ranges {
            let (sign, number) = match bound {
                Bound::AtLeast(number) => (">=", number),
                Bound::Below(number) => ("<", number),
            };
            condition.and(
                &format!("{} {sign} ?", column.sql()),
                [Value::Integer(*number)],
            );
        }
        if let Some(text) = &query.search {
            let holds = format!("{HOLDS}(?, {})", searched.join(", "));
            condition.and(&holds, [Value::Text(text.clone())]);
        }
        condition
    }

    fn equals(&mut self, column: &Column, operand: &Operand, leaders: &[&str]) {
        let front = match column.lead {
            Lead::IfRare { index, with } if leaders.contains(&index) => with,
            // With a sign in front SQLite does not go by the column's index.
            Lead::IfRare { .. } => "+",
            _ => "",
        };
        let sql = format!("{front}{}", column.sql());
        match (column.kind, operand) {
            // An index of a word's rows is used only for one that stands in the statement.
            (kind, operand) if let Some(word) = known_word(kind, operand) => {
                self.and(&format!("{sql} = '{word}'"), []);
            }
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
            (Kind::Pattern(condition), Operand::Text(text)) => {
                self.and(condition, [Value::Text(like(text))]);
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

/// A pattern in the words of SQLite's `like`, with a backslash before what is to be taken as it stands.
fn like(pattern: &str) -> String {
    let mut like = String::new();
    for char in pattern.chars() {
        match char {
            '*' => like.push('%'),
            '%' | '_' | '\\' => like.extend(['\\', char]),
            _ => like.push(char),
        }
    }
    like
}
