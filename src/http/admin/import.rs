//! Users from a list, as spreadsheets write it. (Ours)

use crate::app::App;
use crate::error::{Error, Result};
use crate::http::list::{Takes, Word, flag};
use crate::http::request::Request;
use crate::http::response::Response;
use crate::import::{self, Cells, LINES_MAX, Line, Outcome, Refusal, Told};
use csv::{ReaderBuilder, StringRecord, Trim};
use schemars::JsonSchema;
use serde::Serialize;

/// The columns that a list may have, whatever their case and order.
const COLUMNS: [&str; 7] = [
    "UserName",
    "Guid",
    "Name",
    "Email",
    "Mobile",
    "Language",
    "IsDisabled",
];
/// Spreadsheets write one of these between two cells.
const DELIMITERS: [u8; 3] = [b',', b';', b'\t'];

/// The words of its query.
pub(in crate::http) const QUERY: &[Word] = &[Word {
    name: "DryRun",
    meaning: "Only say what would become of each line.",
    takes: Takes::Flag,
}];

/// The columns in the first line, then a user a line.
#[derive(JsonSchema)]
#[schemars(example = &"UserName,Name,Email\nanna,Anna Berg,anna@example.com\n")]
#[expect(dead_code, reason = "only its schema is used")]
pub struct UserList(String);

/// What became of a list.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct Imported {
    dry_run: bool,
    /// The header not counted.
    lines: usize,
    added: usize,
    changed: usize,
    unchanged: usize,
    refused: usize,
    /// Line by line.
    report: Vec<WireLine>,
}

/// What became of a line.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct WireLine {
    /// Its number in the list; the header is 1.
    line: u64,
    result: LineResult,
    /// Empty where the line could not be read.
    user_name: String,
    /// As it stands in the list; null where it names none. Whoever sends a list in parts sees by both who is named twice.
    guid: Option<String>,
    /// Null where there is none: refused, or a dry run that would add the user.
    #[serde(rename = "ID")]
    id: Option<i64>,
    /// Why it was refused; empty otherwise.
    errors: Vec<WireRefusal>,
}

/// What becomes of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "named by the type's own sentence")]
pub enum LineResult {
    Added,
    Changed,
    Unchanged,
    Refused,
}

/// Why a line was refused.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct WireRefusal {
    /// Null for the line as a whole.
    field: Option<&'static str>,
    reason: String,
}

/// Adds and changes users, line by line; what is wrong with one keeps none of the others.
pub fn import(app: &App, request: &Request) -> Result<Response> {
    let dry_run = flag(request, QUERY[0].name)?;
    let lines = read(request.text("text/csv")?)?;
    let told = import::import(app, lines, dry_run)?;
    let report: Vec<_> = told.into_iter().map(wire).collect();
    let count = |result| report.iter().filter(|line| line.result == result).count();
    Ok(Response::data(Imported {
        dry_run,
        lines: report.len(),
        added: count(LineResult::Added),
        changed: count(LineResult::Changed),
        unchanged: count(LineResult::Unchanged),
        refused: count(LineResult::Refused),
        report,
    }))
}

fn read(text: &str) -> Result<Vec<Line>> {
    let header = text.lines().next().unwrap_or_default();
    let count = |delimiter: &u8| header.bytes().filter(|byte| byte == delimiter).count();
    // The first of those that are there equally often.
    let delimiter = DELIMITERS.into_iter().rev().max_by_key(count);
    let mut reader = ReaderBuilder::new()
        .delimiter(delimiter.unwrap_or(b','))
        .flexible(true)
        .trim(Trim::All)
        .from_reader(text.as_bytes());
    let columns = columns(reader.headers().map_err(unreadable)?)?;
    let mut lines = Vec::new();
    for record in reader.records() {
        let record = record.map_err(unreadable)?;
        if lines.len() == LINES_MAX {
            return Err(import::too_long());
        }
        let cells = cells(&columns, &record);
        let (user_name, guid) = match &cells {
            Ok(cells) => (cells.user_name.clone(), cells.guid.clone()),
            Err(_) => (String::new(), None),
        };
        lines.push(Line {
            number: record.position().map_or(0, csv::Position::line),
            user_name,
            guid: guid.filter(|guid| !guid.is_empty()),
            cells,
        });
    }
    Ok(lines)
}

fn unreadable(fault: csv::Error) -> Error {
    Error::Invalid(format!("The list cannot be read: {fault}."))
}

/// Which column each cell of a line belongs to.
fn columns(header: &StringRecord) -> Result<Vec<&'static str>> {
    let mut columns = Vec::new();
    for name in header {
        let known = COLUMNS
            .iter()
            .find(|known| known.eq_ignore_ascii_case(name));
        let Some(column) = known else {
            return Err(Error::Invalid(format!(
                "The first line names the columns; {name:?} is none of {}.",
                COLUMNS.join(", ")
            )));
        };
        if columns.contains(column) {
            return Err(Error::Invalid(format!(
                "The column {column} is there twice."
            )));
        }
        columns.push(*column);
    }
    match columns.contains(&COLUMNS[0]) {
        true => Ok(columns),
        false => Err(Error::invalid(
            "The first line must name the column UserName.",
        )),
    }
}

fn cells(columns: &[&'static str], record: &StringRecord) -> std::result::Result<Cells, String> {
    if record.len() != columns.len() {
        return Err(format!(
            "The line has {} cells, and the first line {}.",
            record.len(),
            columns.len()
        ));
    }
    let mut cells = Cells::default();
    for (column, cell) in columns.iter().zip(record) {
        let cell = cell.to_owned();
        match *column {
            "Guid" => cells.guid = Some(cell),
            "Name" => cells.name = Some(cell),
            "Email" => cells.email = Some(cell),
            "Mobile" => cells.mobile = Some(cell),
            "Language" => cells.language = Some(cell),
            "IsDisabled" => cells.is_disabled = Some(cell),
            _ => cells.user_name = cell,
        }
    }
    Ok(cells)
}

fn wire(told: Told) -> WireLine {
    let Told {
        number,
        user_name,
        guid,
        outcome,
    } = told;
    let (result, id, refusals) = match outcome {
        Outcome::Added(id) => (LineResult::Added, id, Vec::new()),
        Outcome::Changed(id) => (LineResult::Changed, Some(id), Vec::new()),
        Outcome::Unchanged(id) => (LineResult::Unchanged, Some(id), Vec::new()),
        Outcome::Refused(refusals) => (LineResult::Refused, None, refusals),
    };
    let refusal = |Refusal { field, reason }| WireRefusal { field, reason };
    WireLine {
        line: number,
        result,
        user_name,
        guid,
        id: id.map(|id| id.0),
        errors: refusals.into_iter().map(refusal).collect(),
    }
}
