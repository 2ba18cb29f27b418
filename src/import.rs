//! From a list of users to rows: each line is a user to add or to change, and the good ones are taken whatever is wrong
//! with the others. The same list again changes nothing.

use crate::app::App;
use crate::domain::ids::UserId;
use crate::domain::language::Language;
use crate::domain::user::{User, UserDraft, UserProfile};
use crate::error::{Error, Result};
use crate::store::{Db, Tx, settings, users};
use jiff::Timestamp;
use std::collections::HashMap;
use uuid::Uuid;

/// Lines that one call takes, the header not counted.
pub const LINES_MAX: usize = 10_000;

/// Lines that share a write: nobody else's waits long for it.
const LINES_PER_WRITE: usize = 200;

/// A line of the list.
#[derive(Debug, Clone)]
pub struct Line {
    /// Its number in the list, the header being 1.
    pub number: u64,
    /// Whom it names, as far as it can be read.
    pub user_name: String,
    /// The GUID that it names, as it stands there; none for none.
    pub guid: Option<String>,
    /// Its cells, or why it cannot be taken.
    pub cells: std::result::Result<Cells, String>,
}

/// What a line says of a user. None is a column that the list does not have: it leaves what is there.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "each field is the API's of the same name")]
pub struct Cells {
    pub guid: Option<String>,
    pub user_name: String,
    pub name: Option<String>,
    pub email: Option<String>,
    pub mobile: Option<String>,
    pub language: Option<String>,
    pub is_disabled: Option<String>,
}

/// What became of a line.
#[derive(Debug)]
pub struct Told {
    /// Its number in the list.
    pub number: u64,
    /// Whom it names, as far as it could be read.
    pub user_name: String,
    /// The GUID that it names, as it stands there; none for none.
    pub guid: Option<String>,
    /// What became of it.
    pub outcome: Outcome,
}

/// What becomes of a line; a dry run has no ids of users that it would add.
#[derive(Debug)]
#[expect(missing_docs, reason = "named by the type's own sentence")]
pub enum Outcome {
    Added(Option<UserId>),
    Changed(UserId),
    Unchanged(UserId),
    Refused(Vec<Refusal>),
}

/// Why a line is refused.
#[derive(Debug)]
pub struct Refusal {
    /// The field that is wrong; none if it is the line as a whole.
    pub field: Option<&'static str>,
    /// The sentence.
    pub reason: String,
}

impl Refusal {
    fn of(field: &'static str, reason: impl Into<String>) -> Vec<Self> {
        vec![Self {
            field: Some(field),
            reason: reason.into(),
        }]
    }
}

/// What a line comes to, when the database is looked at.
enum Plan {
    Add(UserProfile, Uuid),
    Change(UserId, UserProfile),
    Leave(UserId),
}

/// Takes the good lines, or only says what would become of each.
///
/// # Errors
/// Faults of the database; what was taken before one stays taken, and the same list can be sent again.
pub fn import(app: &App, lines: Vec<Line>, is_dry_run: bool) -> Result<Vec<Told>> {
    let default_language = app.store.read(settings::load)?.default_language;
    let now = app.clock.now();
    let mut told = Vec::with_capacity(lines.len());
    let mut lines = once_each(lines);
    while !lines.is_empty() {
        let rest = lines.split_off(lines.len().min(LINES_PER_WRITE));
        let batch = std::mem::replace(&mut lines, rest);
        told.extend(match is_dry_run {
            true => app.store.read(|db| {
                let each = batch.into_iter();
                each.map(|line| take(db, None, line, default_language, now))
                    .collect::<Result<Vec<_>>>()
            })?,
            false => app.store.write(move |tx| {
                let each = batch.into_iter();
                each.map(|line| take(tx, Some(tx), line, default_language, now))
                    .collect::<Result<Vec<_>>>()
            })?,
        });
    }
    Ok(told)
}

/// Refuses the lines that name a user whom an earlier line names: which of the two is meant?
fn once_each(mut lines: Vec<Line>) -> Vec<Line> {
    let mut seen = HashMap::new();
    for line in &mut lines {
        let Ok(cells) = &line.cells else { continue };
        let name = cells.user_name.trim().to_ascii_lowercase();
        let guid = cells
            .guid
            .iter()
            .map(|guid| match Uuid::try_parse(guid.trim()) {
                Ok(guid) => guid.to_string(),
                Err(_) => guid.trim().to_ascii_lowercase(),
            });
        let keys = std::iter::once(name).chain(guid);
        let mut first = None;
        for key in keys.filter(|key| !key.is_empty()) {
            first = first.or(seen.get(&key).copied());
            seen.entry(key).or_insert(line.number);
        }
        if let Some(first) = first {
            line.cells = Err(format!("Line {first} is for the same user."));
        }
    }
    lines
}

fn take(
    db: &Db,
    tx: Option<&Tx<'_>>,
    line: Line,
    default_language: Language,
    now: Timestamp,
) -> Result<Told> {
    let plan = match line.cells {
        Ok(cells) => plan(db, cells, default_language)?,
        Err(reason) => Err(vec![Refusal {
            field: None,
            reason,
        }]),
    };
    let outcome = match plan {
        Err(refusals) => Outcome::Refused(refusals),
        Ok(Plan::Leave(id)) => Outcome::Unchanged(id),
        Ok(Plan::Change(id, profile)) => {
            if let Some(tx) = tx {
                users::update(tx, id, &profile, now)?;
            }
            Outcome::Changed(id)
        }
        Ok(Plan::Add(profile, guid)) => {
            let add = |tx| users::insert(tx, &profile, guid, now);
            Outcome::Added(tx.map(add).transpose()?)
        }
    };
    Ok(Told {
        number: line.number,
        user_name: line.user_name,
        guid: line.guid,
        outcome,
    })
}

fn plan(
    db: &Db,
    cells: Cells,
    default_language: Language,
) -> Result<std::result::Result<Plan, Vec<Refusal>>> {
    let guid = cells.guid.as_deref().map(str::trim).unwrap_or_default();
    let guid = match guid {
        "" => None,
        text => match Uuid::try_parse(text) {
            Ok(guid) => Some(guid),
            Err(_) => return Ok(Err(Refusal::of("Guid", "Guid must be a GUID."))),
        },
    };
    let named = users::find_by_name(db, cells.user_name.trim())?;
    let found = match guid {
        Some(guid) => users::find_by_guid(db, guid)?,
        None => named.clone(),
    };
    if let Some(other) = &named
        && found.as_ref().is_none_or(|found| found.id != other.id)
    {
        let reason = format!(
            "Another user, with the Guid {}, has the name {} already.",
            other.guid, other.profile.user_name
        );
        return Ok(Err(Refusal::of("UserName", reason)));
    }
    let checked = match draft(cells, found.as_ref()) {
        Ok(draft) => draft.check_all(default_language),
        Err(refusals) => return Ok(Err(refusals)),
    };
    Ok(match (checked, found) {
        (Err(faults), _) => Err(faults
            .into_iter()
            .map(|fault| Refusal {
                field: Some(fault.field),
                reason: fault.error.details(),
            })
            .collect()),
        (Ok(profile), None) => Ok(Plan::Add(profile, guid.unwrap_or_else(Uuid::new_v4))),
        (
            Ok(profile),
            Some(User {
                id, profile: old, ..
            }),
        ) => Ok(match profile == old {
            true => Plan::Leave(id),
            false => Plan::Change(id, profile),
        }),
    })
}

/// What the line says over what is there.
fn draft(cells: Cells, old: Option<&User>) -> std::result::Result<UserDraft, Vec<Refusal>> {
    let old = old.map(|user| &user.profile);
    let is_disabled = match cells.is_disabled.as_deref().map(str::trim) {
        None => old.is_some_and(|old| old.is_disabled),
        Some("" | "0") => false,
        Some("1") => true,
        Some(word) if word.eq_ignore_ascii_case("true") => true,
        Some(word) if word.eq_ignore_ascii_case("false") => false,
        Some(_) => {
            let reason = "IsDisabled must be true or false.";
            return Err(Refusal::of("IsDisabled", reason));
        }
    };
    let trimmed = |cell: Option<String>| cell.map(|cell| cell.trim().to_owned());
    let kept = |cell: Option<String>, of_old: fn(&UserProfile) -> Option<String>| {
        trimmed(cell).or_else(|| old.and_then(of_old))
    };
    Ok(UserDraft {
        name: kept(cells.name, |old| Some(old.name.clone())),
        email: kept(cells.email, |old| {
            old.email.as_ref().map(|e| e.as_str().to_owned())
        }),
        mobile: kept(cells.mobile, |old| {
            old.mobile.as_ref().map(|m| m.as_str().to_owned())
        }),
        language: kept(cells.language, |old| Some(old.language.tag().to_owned())),
        is_disabled,
        attributes: old.map_or_else(|| "{}".to_owned(), |old| old.attributes.clone()),
        user_name: cells.user_name,
    })
}

/// What is said of a list that has too many lines.
#[must_use]
pub fn too_long() -> Error {
    Error::Invalid(format!(
        "The list has more than {LINES_MAX} lines; send it in parts, each with the header line."
    ))
}
