//! Paged lists on the wire: query words in, paging and links out. (api.md, "Paged lists"; RFC 8288)

use super::paging::Paging;
use super::request::{Request, whole};
use super::response::Response;
use crate::error::{Error, Result};
use crate::store::page::{Bound, Column, Kind, Operand, Page, Query};
use jiff::Timestamp;
use serde::Serialize;
use std::collections::BTreeSet;

/// Rows on a page unless the request says otherwise.
pub const PAGE_SIZE_DEFAULT: u32 = 50;
/// The largest page.
pub const PAGE_SIZE_MAX: u32 = 500;
/// The longest text to search for, in characters: it is held against every row.
pub const SEARCH_CHARS_MAX: usize = 200;

/// Where the counting of a log stops.
pub const COUNT_MAX: u64 = 10_000;

/// A field of a list's reply that it can be sorted and filtered by.
pub struct Field {
    /// As spelled in the reply.
    pub name: &'static str,
    /// Where the store has it.
    pub column: Column,
}

/// A line of a list's field table.
#[must_use]
pub const fn field(name: &'static str, column: Column) -> Field {
    Field { name, column }
}

/// A word of a query that is no list's.
pub struct Word {
    /// As spelled in the query.
    pub name: &'static str,
    /// What it means, for OpenAPI.
    pub meaning: &'static str,
    /// Its values.
    pub takes: Takes,
}

/// The values of a [`Word`].
pub enum Takes {
    /// A whole number within bounds.
    Whole {
        /// The smallest.
        min: i64,
        /// The largest.
        max: i64,
        /// Without the word.
        default: Option<i64>,
    },
    /// A time.
    Time,
    /// Any text.
    Text,
    /// `true` or `false`; false without the word.
    Flag,
    /// One of these fields, `-` in front for descending; the first one without the word.
    Sort(&'static [Field]),
}

/// What a list offers.
pub struct List {
    /// Its sortable and filterable fields.
    pub fields: &'static [Field],
    /// Whether `search` makes sense.
    pub searchable: bool,
    /// The order unless the request says otherwise.
    pub sort: &'static str,
    /// Rows on a page unless the request says otherwise.
    pub page_size: u32,
    /// For logs: the column behind `from` and `to`. Such a list also takes `after`, stops counting at [`COUNT_MAX`], and
    /// is searched from the newest back, so far as one request may.
    pub log: Option<Column>,
}

impl List {
    /// A list by `ID`, with search.
    #[must_use]
    pub const fn by_id(fields: &'static [Field]) -> Self {
        Self {
            fields,
            searchable: true,
            sort: "ID",
            page_size: PAGE_SIZE_DEFAULT,
            log: None,
        }
    }

    /// Reads the query of a request.
    ///
    /// # Errors
    /// [`Error::Invalid`] for an unknown word, an unknown sort field or a bad number.
    pub fn query(&self, request: &Request) -> Result<Query> {
        let mut query = Query {
            page: 1,
            page_size: self.page_size,
            count_max: self.log.map(|_| COUNT_MAX),
            ..Query::default()
        };
        let mut sort = self.sort;
        once(request.query())?;
        for (word, value) in request.query() {
            match word.as_str() {
                "page" => query.page = number(word, value, u32::MAX)?,
                "pageSize" => query.page_size = number(word, value, PAGE_SIZE_MAX)?,
                "sort" => sort = value,
                "search" if self.searchable => {
                    if value.chars().count() > SEARCH_CHARS_MAX {
                        return Err(Error::Invalid(format!(
                            "search must be at most {SEARCH_CHARS_MAX} characters."
                        )));
                    }
                    query.search = Some(value.clone()).filter(|text| !text.is_empty());
                }
                "after" | "from" | "to" if self.log.is_some() => {
                    self.log_word(word, value, &mut query)?
                }
                name => {
                    let column = self.column(name, &self.words())?;
                    query
                        .filters
                        .push((column, operand(name, column.kind, value)?));
                }
            }
        }
        let searches = self.log.is_some() && query.search.is_some();
        if (query.after.is_some() || searches) && (sort != self.sort || query.page != 1) {
            return Err(Error::invalid(match searches {
                true => "search goes with neither page nor sort; after goes on with it.",
                false => "after goes with neither page nor sort.",
            }));
        }
        for name in sort.split(',').map(str::trim) {
            let (name, descending) = match name.strip_prefix('-') {
                Some(name) => (name, true),
                None => (name, false),
            };
            let column = self.column(name, &self.words())?;
            if query.sort.iter().any(|(other, _)| *other == column) {
                return Err(Error::Invalid(format!("sort names {name} twice.")));
            }
            query.sort.push((column, descending));
        }
        Ok(query)
    }

    /// Reads the query of a request that chooses rows without listing them: filters, `from` and `to`; `besides` are words
    /// for somebody else.
    ///
    /// # Errors
    /// [`Error::Invalid`] for an unknown word or a value that cannot be.
    pub fn filters(&self, request: &Request, besides: &[Word]) -> Result<Query> {
        let mut query = Query {
            count_max: Some(COUNT_MAX),
            ..Query::default()
        };
        once(request.query())?;
        for (word, value) in request.query() {
            match word.as_str() {
                name if besides.iter().any(|word| word.name == name) => {}
                "from" | "to" if self.log.is_some() => self.log_word(word, value, &mut query)?,
                name => {
                    let besides = besides.iter().map(|word| word.name);
                    let ends = self.log.map_or(&[][..], |_| &["from", "to"]);
                    let words: Vec<_> = ends.iter().copied().chain(besides).collect();
                    let column = self.column(name, &words)?;
                    let operand = operand(name, column.kind, value)?;
                    query.filters.push((column, operand));
                }
            }
        }
        Ok(query)
    }

    fn log_word(&self, word: &str, value: &str, query: &mut Query) -> Result<()> {
        let Some(column) = self.log else {
            return Ok(());
        };
        match word {
            "after" => {
                let cursor = whole(value)
                    .ok_or_else(|| Error::invalid("after must be the Next of a page."))?;
                query.after = Some(cursor);
            }
            _ => {
                let Operand::Int(time) = operand(word, Kind::Time, value)? else {
                    return Ok(());
                };
                let bound = match word {
                    "from" => Bound::AtLeast(time),
                    _ => Bound::Below(time),
                };
                query.ranges.push((column, bound));
            }
        }
        Ok(())
    }

    /// Answers with a page of the list, each row as it goes on the wire.
    ///
    /// # Errors
    /// As [`List::query`], and whatever `fetch` says.
    pub fn answer<T, W: Serialize>(
        &self,
        request: &Request,
        fetch: impl FnOnce(&Query) -> Result<Page<T>>,
        wire: impl Fn(T) -> W,
    ) -> Result<Response> {
        let query = self.query(request)?;
        let page = fetch(&query)?;
        let paging = Paging::new(request, &query, &page);
        let rows: Vec<_> = page.rows.into_iter().map(wire).collect();
        Ok(Response::page(rows, paging))
    }

    /// The words of a list's query that are no fields.
    fn words(&self) -> Vec<&'static str> {
        let mut words = vec!["page", "pageSize", "sort"];
        words.extend(self.searchable.then_some("search"));
        words.extend(self.log.map_or(&[][..], |_| &["after", "from", "to"]));
        words
    }

    fn column(&self, name: &str, words: &[&str]) -> Result<Column> {
        let found = self.fields.iter().find(|field| field.name == name);
        found.map(|field| field.column).ok_or_else(|| {
            let known: Vec<_> = self.fields.iter().map(|field| field.name).collect();
            Error::Invalid(format!(
                "{name:?} is no field of this list; there are {}, and the words {}.",
                known.join(", "),
                words.join(", "),
            ))
        })
    }
}

/// Each word once: a thousand conditions are no question, and the database would refuse them as our fault.
fn once(query: &[(String, String)]) -> Result<()> {
    let mut seen = BTreeSet::new();
    match query.iter().find(|(word, _)| !seen.insert(word)) {
        Some((word, _)) => Err(Error::Invalid(format!("{word} is there twice."))),
        None => Ok(()),
    }
}

fn number(word: &str, value: &str, max: u32) -> Result<u32> {
    whole(value)
        .filter(|n| (1..=max).contains(n))
        .ok_or_else(|| Error::Invalid(format!("{word} must be a whole number from 1 to {max}.")))
}

/// The time that a word of the query names, if it is there.
///
/// # Errors
/// [`Error::Invalid`].
pub fn time(request: &Request, word: &str) -> Result<Option<Timestamp>> {
    let found = request.query().iter().find(|(name, _)| name == word);
    found.map(|(_, value)| moment(word, value)).transpose()
}

/// Whether the only word of the query says `true`.
///
/// # Errors
/// [`Error::Invalid`] for anything but `true` and `false`, and for any other word.
pub fn flag(request: &Request, word: &str) -> Result<bool> {
    once(request.query())?;
    let mut says = false;
    for (name, value) in request.query() {
        says = match value.as_str() {
            _ if name != word => {
                return Err(Error::Invalid(format!(
                    "{name:?} is no word of this address; there is {word}."
                )));
            }
            "true" => true,
            "false" => false,
            _ => return Err(Error::Invalid(format!("{word} must be true or false."))),
        };
    }
    Ok(says)
}

fn moment(name: &str, value: &str) -> Result<Timestamp> {
    value.parse().map_err(|_| {
        Error::Invalid(format!(
            "{name} is compared with a time such as 2001-01-01T01:01:01Z."
        ))
    })
}

fn operand(name: &str, kind: Kind, value: &str) -> Result<Operand> {
    let wrong = |what| Error::Invalid(format!("{name} is compared with {what}."));
    Ok(match kind {
        Kind::Text | Kind::Key | Kind::Word(_) | Kind::Pattern(_) => {
            Operand::Text(value.to_owned())
        }
        Kind::Int => Operand::Int(whole(value).ok_or_else(|| wrong("a whole number"))?),
        Kind::Bool => Operand::Int(match value {
            "true" => 1,
            "false" => 0,
            _ => return Err(wrong("true or false")),
        }),
        Kind::Time => Operand::Int(moment(name, value)?.as_millisecond()),
    })
}
