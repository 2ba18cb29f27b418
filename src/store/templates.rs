//! Message templates. A deleted one keeps its row, because the log points to it.

use super::memo::{Key, Weigh};
use super::page::{Column, Kind, Page, Query, fetch};
use super::{Db, Tx, guid, is_unique_violation, time};
use crate::domain::address::Mailbox;
use crate::domain::format::Format;
use crate::domain::ids::{TemplateId, TypeId};
use crate::domain::language::Language;
use crate::domain::routing::Candidate;
use crate::domain::template::Template;
use crate::error::{Error, Result};
use crate::render::Parts;
use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, RowIndex, named_params};
use std::collections::HashMap;
use std::sync::Arc;
use uuid::Uuid;

/// `ID`
pub const ID: Column = Column::new("t.id", Kind::Int);
/// `Type`
pub const TYPE: Column = Column::new("t.type_id", Kind::Int);
/// `Format`
pub const FORMAT: Column = Column::new("t.format", Kind::Int);
/// `LCID`
pub const LCID: Column = Column::new("t.lcid", Kind::Int);
/// `Language`
pub const LANGUAGE: Column = Column::new("t.language", Kind::Text);
/// `Sender`
pub const SENDER: Column = Column::new("t.sender", Kind::Text);
/// `Subject`
pub const SUBJECT: Column = Column::new("t.subject", Kind::Text);
/// `CreatedDate`
pub const CREATED: Column = Column::new("t.created_at", Kind::Time);
/// `LastUpdated`
pub const UPDATED: Column = Column::new("t.updated_at", Kind::Time);
/// `LastUpdatedBy`
pub const UPDATED_BY: Column = Column::new("t.updated_by", Kind::Text);

/// Who wrote the templates of a new database.
const BUILT_IN_AUTHOR: &str = "Herald";

/// A stored template.
#[derive(Debug, Clone)]
pub struct StoredTemplate {
    /// The admin API's id.
    pub id: TemplateId,
    /// Ours.
    pub guid: Uuid,
    /// The type.
    pub type_id: TypeId,
    /// The type's GUID: a `communicationTemplateId`.
    pub type_guid: Uuid,
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
    /// When it was added.
    pub created: Timestamp,
    /// When it was last changed.
    pub updated: Timestamp,
    /// Who changed it last.
    pub updated_by: String,
}

impl StoredTemplate {
    /// The sources, for rendering.
    #[must_use]
    pub fn parts(&self) -> Parts<'_> {
        Parts {
            format: self.format,
            subject: self.subject.as_deref(),
            body: self.body.as_deref(),
            html_body: self.html_body.as_deref(),
        }
    }
}

const COLUMNS: &str =
    "t.*, (select y.guid from message_type y where y.id = t.type_id) as type_guid";

/// Writes the built-in templates into a new database.
pub(super) fn seed(tx: &Tx<'_>, now: Timestamp) -> Result<()> {
    for template in crate::assets::built_in_templates() {
        let language = Language::parse(template.language)?;
        let type_id = super::types::find_by_slug(tx, &template.slug)?
            .ok_or_else(|| Error::internal(format!("no type {}", template.slug)))?
            .id;
        let row = Content {
            type_id,
            format: template.format,
            language,
            sender: None,
            subject: template.subject.as_deref(),
            body: Some(&template.body),
            html_body: template.html_body.as_deref(),
        };
        insert_row(tx, &row, Uuid::new_v4(), BUILT_IN_AUTHOR, now)?;
    }
    Ok(())
}

struct Content<'a> {
    type_id: TypeId,
    format: Format,
    language: Language,
    sender: Option<&'a str>,
    subject: Option<&'a str>,
    body: Option<&'a str>,
    html_body: Option<&'a str>,
}

impl<'a> From<&'a Template> for Content<'a> {
    fn from(t: &'a Template) -> Self {
        Self {
            type_id: t.type_id(),
            format: t.format(),
            language: t.language(),
            sender: t.sender().map(Mailbox::as_str),
            subject: t.subject(),
            body: t.body(),
            html_body: t.html_body(),
        }
    }
}

/// Adds a template.
///
/// # Errors
/// [`Error::Duplicate`] if a live one has its type, format and language.
pub fn insert(tx: &Tx<'_>, template: &Template, by: &str, now: Timestamp) -> Result<TemplateId> {
    insert_row(tx, &template.into(), Uuid::new_v4(), by, now)
}

fn insert_row(
    tx: &Tx<'_>,
    t: &Content<'_>,
    guid: Uuid,
    by: &str,
    now: Timestamp,
) -> Result<TemplateId> {
    let sql = "
        insert into template (guid, type_id, format, lcid, language, sender, subject, body, html_body,
            created_at, updated_at, updated_by)
        values (:guid, :type_id, :format, :lcid, :language, :sender, :subject, :body, :html_body, :now, :now, :by)
        returning id";
    tx.0.0
        .prepare_cached(sql)?
        .query_row(
            named_params! {
                ":guid": guid.as_bytes(), ":type_id": t.type_id.0, ":format": t.format.number(),
                ":lcid": t.language.lcid(), ":language": t.language.tag(), ":sender": t.sender,
                ":subject": t.subject, ":body": t.body, ":html_body": t.html_body,
                ":now": now.as_millisecond(), ":by": by,
            },
            |row| row.get("id").map(TemplateId),
        )
        .map_err(name_unique)
}

/// Replaces a live template.
///
/// # Errors
/// [`Error::Invalid`] if there is none with this id, [`Error::Duplicate`] if another has its place.
pub fn update(
    tx: &Tx<'_>,
    id: TemplateId,
    template: &Template,
    by: &str,
    now: Timestamp,
) -> Result<()> {
    let sql = "
        update template set type_id = :type_id, format = :format, lcid = :lcid, language = :language,
            sender = :sender, subject = :subject, body = :body, html_body = :html_body,
            updated_at = :now, updated_by = :by
        where id = :id and deleted_at is null";
    let t = Content::from(template);
    let changed =
        tx.0.0
            .prepare_cached(sql)?
            .execute(named_params! {
                ":id": id.0, ":type_id": t.type_id.0, ":format": t.format.number(),
                ":lcid": t.language.lcid(), ":language": t.language.tag(), ":sender": t.sender,
                ":subject": t.subject, ":body": t.body, ":html_body": t.html_body,
                ":now": now.as_millisecond(), ":by": by,
            })
            .map_err(name_unique)?;
    if changed == 0 {
        return Err(Error::Invalid(format!(
            "No message template has the ID {id}; leave ID out to add a new one."
        )));
    }
    Ok(())
}

/// Marks a template as deleted.
///
/// # Errors
/// [`Error::NotFound`] if it is not there (any more).
pub fn delete(tx: &Tx<'_>, id: TemplateId, by: &str, now: Timestamp) -> Result<()> {
    let sql = "
        update template set deleted_at = :now, updated_at = :now, updated_by = :by
        where id = :id and deleted_at is null";
    let changed = tx.0.0.prepare_cached(sql)?.execute(named_params! {
        ":id": id.0, ":now": now.as_millisecond(), ":by": by,
    })?;
    match changed {
        0 => Err(not_found(id)),
        _ => Ok(()),
    }
}

/// The live template with this id.
///
/// # Errors
/// [`Error::NotFound`] if it is deleted or was never there.
pub fn get(db: &Db, id: TemplateId) -> Result<Arc<StoredTemplate>> {
    let found = db.recall(Key::Template(id.0), || {
        let sql =
            format!("select {COLUMNS} from template t where t.id = ?1 and t.deleted_at is null");
        let found = db.0.prepare_cached(&sql)?.query_row([id.0], from_row);
        Ok(found.optional()?)
    })?;
    found.ok_or_else(|| not_found(id))
}

impl Weigh for StoredTemplate {
    fn text_bytes(&self) -> usize {
        let texts = [&self.subject, &self.body, &self.html_body];
        texts.into_iter().flatten().map(String::len).sum()
    }
}

/// A page of live templates.
pub fn list(db: &Db, query: &Query) -> Result<Page<StoredTemplate>> {
    fetch(
        db,
        COLUMNS,
        "template t where t.deleted_at is null",
        &["t.subject", "t.body", "t.html_body"],
        &ID,
        query,
        from_row,
    )
}

/// The live templates of a type, by language and format.
pub fn of_type(db: &Db, type_id: TypeId) -> Result<Vec<StoredTemplate>> {
    let sql = format!("
        select {COLUMNS} from template t where t.type_id = ?1 and t.deleted_at is null order by t.lcid, t.format");
    let mut statement = db.0.prepare_cached(&sql)?;
    let rows = statement.query_map([type_id.0], from_row)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// The GUID of each live template.
pub fn guids(db: &Db) -> Result<HashMap<TemplateId, Uuid>> {
    let sql = "select id, guid from template where deleted_at is null";
    let mut statement = db.0.prepare_cached(sql)?;
    let guids = statement.query_map([], |row| {
        Ok((TemplateId(row.get("id")?), guid(row, "guid")?))
    })?;
    Ok(guids.collect::<rusqlite::Result<_>>()?)
}

/// The live templates of a type, for routing.
pub fn candidates(db: &Db, type_id: TypeId) -> Result<Arc<Vec<Candidate>>> {
    let found = db.recall(Key::Candidates(type_id.0), || {
        read_candidates(db, type_id).map(Some)
    })?;
    Ok(found.unwrap_or_default())
}

impl Weigh for Vec<Candidate> {
    fn text_bytes(&self) -> usize {
        self.len() * size_of::<Candidate>()
    }
}

fn read_candidates(db: &Db, type_id: TypeId) -> Result<Vec<Candidate>> {
    let sql = "select id, format, language from template where type_id = ?1 and deleted_at is null";
    let mut statement = db.0.prepare_cached(sql)?;
    let mut rows = statement.query([type_id.0])?;
    let mut candidates = Vec::new();
    while let Some(row) = rows.next()? {
        candidates.push(Candidate {
            id: TemplateId(row.get("id")?),
            format: format(row, "format")?,
            language: Language::parse(&row.get::<_, String>("language")?)?,
        });
    }
    Ok(candidates)
}

fn not_found(id: TemplateId) -> Error {
    Error::NotFound(format!("No message template has the ID {id}."))
}

fn name_unique(fault: rusqlite::Error) -> Error {
    if is_unique_violation(&fault, "template.type_id, template.format, template.lcid") {
        Error::Duplicate(
            "Another template has this Type, Format and Language already; edit that one or delete it first.".into(),
        )
    } else {
        fault.into()
    }
}

/// The format in the column of that name.
pub(super) fn format(row: &Row<'_>, column: impl RowIndex) -> rusqlite::Result<Format> {
    let number: i64 = row.get(column)?;
    Format::from_number(number).ok_or(rusqlite::Error::IntegralValueOutOfRange(0, number))
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<StoredTemplate> {
    Ok(StoredTemplate {
        id: TemplateId(row.get("id")?),
        guid: guid(row, "guid")?,
        type_id: TypeId(row.get("type_id")?),
        type_guid: guid(row, "type_guid")?,
        format: format(row, "format")?,
        lcid: row.get("lcid")?,
        language: row.get("language")?,
        sender: row.get("sender")?,
        subject: row.get("subject")?,
        body: row.get("body")?,
        html_body: row.get("html_body")?,
        created: time(row, "created_at")?,
        updated: time(row, "updated_at")?,
        updated_by: row.get("updated_by")?,
    })
}
