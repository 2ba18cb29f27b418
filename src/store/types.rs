//! Message types and their words.

use super::memo::{Key, Weigh};
use super::page::{Column, Kind, Page, Query, fetch};
use super::{Db, Tx, guid, is_unique_violation, time};
use crate::domain::format::Channel;
use crate::domain::ids::TypeId;
use crate::domain::message_type::{FIRST_OWN_ID, MessageType, Slug};
use crate::domain::placeholder::Word;
use crate::domain::settings::MessageWord;
use crate::error::{Error, Result};
use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, ToSql, named_params};
use std::sync::Arc;
use uuid::Uuid;

/// `ID`
pub const ID: Column = Column::new("t.id", Kind::Int);
/// `Slug`
pub const SLUG: Column = Column::new("t.slug", Kind::Text);
/// `Name`
pub const NAME: Column = Column::new("t.name", Kind::Text);
/// `IsSystem`
pub const IS_SYSTEM: Column = Column::new("t.is_system", Kind::Bool);
/// `IsNotification`
pub const IS_NOTIFICATION: Column = Column::new("t.is_notification", Kind::Bool);

/// `creationDateTime`
pub const CREATED: Column = Column::new("t.created_at", Kind::Time);
/// `lastModifiedDateTime`
pub const UPDATED: Column = Column::new("t.updated_at", Kind::Time);

const COLUMNS: &str = "t.*, (select group_concat(quote_word, char(30)) from (
    select w.name || char(31) || w.meaning || char(31) || w.is_required || char(31) || w.sample as quote_word
    from message_type_word w where w.type_id = t.id order by w.position)) as words";

/// Writes the built-in types into a new database.
pub(super) fn seed(tx: &Tx<'_>, now: Timestamp) -> Result<()> {
    for built_in in crate::domain::message_type::built_in() {
        insert_row(tx, Some(built_in.id), &built_in, now)?;
    }
    // Operators' own types start here. (api.md, "Message types")
    tx.0.0.execute(
        "update sqlite_sequence set seq = ?1 where name = 'message_type'",
        [FIRST_OWN_ID.0 - 1],
    )?;
    Ok(())
}

/// Adds a type; its `id` is ignored.
///
/// # Errors
/// [`Error::Duplicate`] if the slug is taken.
pub fn insert(tx: &Tx<'_>, new: &MessageType, now: Timestamp) -> Result<TypeId> {
    insert_row(tx, None, new, now)
}

fn insert_row(
    tx: &Tx<'_>,
    id: Option<TypeId>,
    new: &MessageType,
    now: Timestamp,
) -> Result<TypeId> {
    let sql = "
        insert into message_type (id, guid, slug, name, is_system, is_notification, is_sensitive,
            default_channels, expiry_secs, created_at, updated_at)
        values (:id, :guid, :slug, :name, :is_system, :is_notification, :is_sensitive,
            :default_channels, :expiry_secs, :now, :now)
        returning id";
    let channels: Vec<_> = new.default_formats.iter().map(|c| c.word()).collect();
    let id = tx
        .0
        .0
        .prepare_cached(sql)?
        .query_row(
            named_params! {
                ":id": id.map(|i| i.0), ":guid": new.guid.as_bytes(), ":slug": new.slug.as_str(), ":name": new.name,
                ":is_system": new.is_system, ":is_notification": new.is_notification,
                ":is_sensitive": new.sensitive,
                ":default_channels": channels.join(" "), ":expiry_secs": new.expiry_secs,
                ":now": now.as_millisecond(),
            },
            |row| row.get("id"),
        )
        .map_err(|fault| name_unique(fault, new.slug.as_str()))?;
    insert_words(tx, TypeId(id), &new.words)?;
    Ok(TypeId(id))
}

/// Changes a type of the operator's own: everything but its id and GUID.
///
/// # Errors
/// [`Error::Duplicate`] if the slug is taken, [`Error::Invalid`] if there is no such type.
pub fn update(tx: &Tx<'_>, id: TypeId, new: &MessageType, now: Timestamp) -> Result<()> {
    if id < FIRST_OWN_ID && find(tx, id)?.is_some() {
        return Err(Error::Conflict(
            "A built-in message type cannot be changed.".into(),
        ));
    }
    let sql = "
        update message_type set slug = :slug, name = :name, is_system = :is_system,
            is_notification = :is_notification, is_sensitive = :is_sensitive,
            default_channels = :default_channels, expiry_secs = :expiry_secs, updated_at = :now
        where id = :id";
    let channels: Vec<_> = new.default_formats.iter().map(|c| c.word()).collect();
    let changed = tx
        .0
        .0
        .prepare_cached(sql)?
        .execute(named_params! {
            ":id": id.0, ":slug": new.slug.as_str(), ":name": new.name, ":is_system": new.is_system,
            ":is_notification": new.is_notification, ":is_sensitive": new.sensitive,
            ":default_channels": channels.join(" "), ":expiry_secs": new.expiry_secs,
            ":now": now.as_millisecond(),
        })
        .map_err(|fault| name_unique(fault, new.slug.as_str()))?;
    if changed == 0 {
        return Err(Error::Invalid(format!("No message type has the ID {id}.")));
    }
    tx.0.0
        .execute("delete from message_type_word where type_id = ?1", [id.0])?;
    insert_words(tx, id, &new.words)
}

fn insert_words(tx: &Tx<'_>, id: TypeId, words: &[Word]) -> Result<()> {
    let sql = "
        insert into message_type_word (type_id, position, name, meaning, is_required, sample)
        values (:type_id, :position, :name, :meaning, :is_required, :sample)";
    for (position, word) in words.iter().enumerate() {
        tx.0.0.prepare_cached(sql)?.execute(named_params! {
            ":type_id": id.0, ":position": position as i64, ":name": word.name, ":meaning": word.meaning,
            ":is_required": word.required, ":sample": word.sample,
        })?;
    }
    Ok(())
}

/// Removes a type of the operator's own that nothing uses.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Conflict`] with what stands in the way.
pub fn delete(tx: &Tx<'_>, id: TypeId) -> Result<()> {
    let found = get(tx, id)?;
    if found.is_built_in() {
        return Err(Error::Conflict(format!(
            "{} is built in and cannot be deleted.",
            found.name
        )));
    }
    let count = |sql: &str| -> Result<i64> { Ok(tx.0.0.query_row(sql, [id.0], |row| row.get(0))?) };
    let templates =
        count("select count(*) from template where type_id = ?1 and deleted_at is null")?;
    let messages =
        count("select count(*) from (select 1 from message where type_id = ?1 limit 1)")?;
    let mut by = Vec::new();
    if templates > 0 {
        by.push(format!("{templates} live template(s)"));
    }
    if messages > 0 {
        by.push("messages in the log".to_owned());
    }
    // The send API would answer 404 to a word that a person in front of the settings had given a meaning.
    let settings = super::settings::load(tx)?;
    let words = MessageWord::ALL
        .into_iter()
        .filter(|(word, ..)| settings.type_behind(*word) == id);
    by.extend(words.map(|(_, word, _)| format!("the setting MessageTypes.{word}")));
    if !by.is_empty() {
        return Err(Error::Conflict(format!(
            "{} is in use by {}.",
            found.name,
            by.join(" and ")
        )));
    }
    tx.0.0
        .execute("delete from template where type_id = ?1", [id.0])?;
    tx.0.0
        .execute("delete from message_type where id = ?1", [id.0])?;
    Ok(())
}

/// The type with this id.
///
/// # Errors
/// [`Error::NotFound`].
pub fn get(db: &Db, id: TypeId) -> Result<Arc<MessageType>> {
    find(db, id)?.ok_or_else(|| Error::NotFound(format!("No message type has the ID {id}.")))
}

impl Weigh for MessageType {}

/// The type with this id, if there is one.
pub fn find(db: &Db, id: TypeId) -> Result<Option<Arc<MessageType>>> {
    find_where(db, Key::Type(id.0), "t.id = ?1", &id.0)
}

/// When a type was added and last changed, its templates included.
pub fn times(db: &Db, id: TypeId) -> Result<(Timestamp, Timestamp)> {
    let sql = "
        select created_at, max(updated_at, coalesce(
            (select max(t.updated_at) from template t where t.type_id = y.id), 0)) as updated_at
        from message_type y where y.id = ?1";
    Ok(db.0.prepare_cached(sql)?.query_row([id.0], |row| {
        Ok((time(row, "created_at")?, time(row, "updated_at")?))
    })?)
}

/// The type with this GUID, a `communicationTemplateId`, if there is one.
pub fn find_by_guid(db: &Db, guid: Uuid) -> Result<Option<Arc<MessageType>>> {
    let key = Key::TypeOfGuid(*guid.as_bytes());
    find_where(db, key, "t.guid = ?1", guid.as_bytes())
}

/// The type with this slug, if there is one.
pub fn find_by_slug(db: &Db, slug: &str) -> Result<Option<Arc<MessageType>>> {
    find_where(db, Key::TypeOfSlug(slug.to_owned()), "t.slug = ?1", &slug)
}

fn find_where(
    db: &Db,
    key: Key,
    condition: &str,
    by: &dyn ToSql,
) -> Result<Option<Arc<MessageType>>> {
    db.recall(key, || {
        let sql = format!("select {COLUMNS} from message_type t where {condition}");
        let found = db.0.prepare_cached(&sql)?.query_row([by], from_row);
        Ok(found.optional()?)
    })
}

/// All types, by id.
pub fn all(db: &Db) -> Result<Vec<MessageType>> {
    let sql = format!("select {COLUMNS} from message_type t order by t.id");
    let mut statement = db.0.prepare_cached(&sql)?;
    let rows = statement.query_map([], from_row)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// A page of types.
pub fn list(db: &Db, query: &Query) -> Result<Page<MessageType>> {
    fetch(
        db,
        COLUMNS,
        "message_type t where true",
        &["t.slug", "t.name"],
        &ID,
        query,
        from_row,
    )
}

fn name_unique(fault: rusqlite::Error, slug: &str) -> Error {
    if is_unique_violation(&fault, "message_type.slug") {
        Error::Duplicate(format!("A message type has the slug {slug} already."))
    } else {
        fault.into()
    }
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<MessageType> {
    let channels: String = row.get("default_channels")?;
    let words: Option<String> = row.get("words")?;
    let slug: String = row.get("slug")?;
    Ok(MessageType {
        id: TypeId(row.get("id")?),
        guid: guid(row, "guid")?,
        slug: Slug::parse(&slug).map_err(|_| rusqlite::Error::InvalidQuery)?,
        name: row.get("name")?,
        is_system: row.get("is_system")?,
        is_notification: row.get("is_notification")?,
        sensitive: row.get("is_sensitive")?,
        default_formats: Channel::ALL
            .into_iter()
            .filter(|c| channels.split(' ').any(|word| word == c.word()))
            .collect(),
        expiry_secs: row.get("expiry_secs")?,
        words: words
            .iter()
            .flat_map(|w| w.split('\u{1e}'))
            .filter_map(word)
            .collect(),
    })
}

fn word(encoded: &str) -> Option<Word> {
    let mut parts = encoded.split('\u{1f}').map(str::to_owned);
    Some(Word {
        name: parts.next()?,
        meaning: parts.next()?,
        required: parts.next()? == "1",
        sample: parts.next()?,
    })
}
