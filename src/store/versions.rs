//! What templates were after each save: so that a change can be seen, and undone. Triggers in schema.sql keep it, whoever
//! changes a template.

use super::{Db, templates, time};
use crate::domain::format::Format;
use crate::domain::ids::{TemplateId, TypeId};
use crate::error::{Error, Result};
use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row};

/// Versions that are kept of a template, the present one included; the oldest go first. The trigger has the
/// same number.
pub const VERSIONS_MAX: i64 = 50;

/// A template as it was after a save.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// From 1 within the template.
    pub version: i64,
    /// When it was saved.
    pub saved: Timestamp,
    /// By whom.
    pub by: String,
    /// Whether it is the present one.
    pub is_current: bool,
    /// The type.
    pub type_id: TypeId,
    /// The form.
    pub format: Format,
    /// The Windows language id.
    pub lcid: i64,
    /// The language tag.
    pub language: String,
    /// The sender mailbox; none means the default of the settings.
    pub sender: Option<String>,
    /// Source of the subject.
    pub subject: Option<String>,
    /// Source of the text; none means it is made from the HTML.
    pub body: Option<String>,
    /// Source of the HTML.
    pub html_body: Option<String>,
}

const COLUMNS: &str = "
    v.*, v.version = (select max(version) from template_version where template_id = v.template_id) as is_current
    from template_version v";

/// The versions of a live template, the newest first.
///
/// # Errors
/// [`Error::NotFound`] if the template is deleted or was never there.
pub fn list(db: &Db, id: TemplateId) -> Result<Vec<Version>> {
    templates::get(db, id)?;
    let sql = format!("select {COLUMNS} where v.template_id = ?1 order by v.version desc");
    let mut statement = db.0.prepare_cached(&sql)?;
    let versions = statement.query_map([id.0], from_row)?;
    Ok(versions.collect::<rusqlite::Result<_>>()?)
}

/// One version of a live template.
///
/// # Errors
/// [`Error::NotFound`] if there is no such template, or not this version of it (any more).
pub fn get(db: &Db, id: TemplateId, version: i64) -> Result<Version> {
    templates::get(db, id)?;
    let sql = format!("select {COLUMNS} where v.template_id = ?1 and v.version = ?2");
    let found =
        db.0.prepare_cached(&sql)?
            .query_row((id.0, version), from_row);
    found.optional()?.ok_or_else(|| {
        Error::NotFound(format!(
            "The message template {id} has no version {version} (any more)."
        ))
    })
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<Version> {
    Ok(Version {
        version: row.get("version")?,
        saved: time(row, "saved_at")?,
        by: row.get("saved_by")?,
        is_current: row.get("is_current")?,
        type_id: TypeId(row.get("type_id")?),
        format: templates::format(row, "format")?,
        lcid: row.get("lcid")?,
        language: row.get("language")?,
        sender: row.get("sender")?,
        subject: row.get("subject")?,
        body: row.get("body")?,
        html_body: row.get("html_body")?,
    })
}
