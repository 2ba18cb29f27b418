//! System message preferences: one row per system message type.

use super::page::{Column, Kind, Page, Query, fetch};
use super::{Db, Tx, is_unique_violation, templates, time};
use crate::domain::format::Format;
use crate::domain::ids::{PreferenceId, TypeId};
use crate::domain::preference::SystemPreference;
use crate::error::{Error, Result};
use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, named_params};

/// `ID`
pub const ID: Column = Column::new("p.id", Kind::Int);
/// `Type`
pub const TYPE: Column = Column::new("p.type_id", Kind::Int);
/// `Format`
pub const FORMAT: Column = Column::new("p.format", Kind::Int);
/// `CreatedDate`
pub const CREATED: Column = Column::new("p.created_at", Kind::Time);
/// `CreatedBy`
pub const CREATED_BY: Column = Column::new("p.created_by", Kind::Text);
/// `LastUpdated`
pub const UPDATED: Column = Column::new("p.updated_at", Kind::Time);
/// `LastUpdatedBy`
pub const UPDATED_BY: Column = Column::new("p.updated_by", Kind::Text);

/// Adds a preference.
///
/// # Errors
/// [`Error::Duplicate`] if the type has one.
pub fn insert(
    tx: &Tx<'_>,
    type_id: TypeId,
    format: Format,
    by: &str,
    now: Timestamp,
) -> Result<PreferenceId> {
    let sql = "
        insert into system_preference (type_id, format, created_at, created_by, updated_at)
        values (:type_id, :format, :now, :by, :now)
        returning id";
    tx.0.0
        .prepare_cached(sql)?
        .query_row(
            named_params! {
                ":type_id": type_id.0, ":format": format.number(), ":now": now.as_millisecond(), ":by": by,
            },
            |row| row.get("id").map(PreferenceId),
        )
        .map_err(name_unique)
}

/// Replaces a preference.
///
/// # Errors
/// [`Error::Invalid`] if there is none with this id, [`Error::Duplicate`] if another one has the type.
pub fn update(
    tx: &Tx<'_>,
    id: PreferenceId,
    type_id: TypeId,
    format: Format,
    by: &str,
    now: Timestamp,
) -> Result<()> {
    let sql = "
        update system_preference set type_id = :type_id, format = :format, updated_at = :now, updated_by = :by
        where id = :id";
    let changed = tx
        .0
        .0
        .prepare_cached(sql)?
        .execute(named_params! {
            ":id": id.0, ":type_id": type_id.0, ":format": format.number(), ":now": now.as_millisecond(), ":by": by,
        })
        .map_err(name_unique)?;
    match changed {
        0 => Err(Error::Invalid(format!(
            "No system message preference has the ID {id}; leave ID out to add a new one."
        ))),
        _ => Ok(()),
    }
}

/// Removes a preference: the type's default channels count again.
///
/// # Errors
/// [`Error::NotFound`].
pub fn delete(tx: &Tx<'_>, id: PreferenceId) -> Result<()> {
    let sql = "delete from system_preference where id = ?1";
    match tx.0.0.execute(sql, [id.0])? {
        0 => Err(Error::NotFound(format!(
            "No system message preference has the ID {id}."
        ))),
        _ => Ok(()),
    }
}

/// A page of preferences.
pub fn list(db: &Db, query: &Query) -> Result<Page<SystemPreference>> {
    fetch(
        db,
        "p.*",
        "system_preference p where true",
        &[],
        &ID,
        query,
        from_row,
    )
}

/// The preference for a type, if there is one.
pub fn find(db: &Db, type_id: TypeId) -> Result<Option<SystemPreference>> {
    let sql = "select p.* from system_preference p where p.type_id = ?1";
    Ok(db
        .0
        .prepare_cached(sql)?
        .query_row([type_id.0], from_row)
        .optional()?)
}

fn name_unique(fault: rusqlite::Error) -> Error {
    if is_unique_violation(&fault, "system_preference.type_id") {
        Error::Duplicate("This MessageType has a preference already; edit that one.".into())
    } else {
        fault.into()
    }
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<SystemPreference> {
    Ok(SystemPreference {
        id: PreferenceId(row.get("id")?),
        type_id: TypeId(row.get("type_id")?),
        format: templates::format(row, "format")?,
        created: time(row, "created_at")?,
        created_by: row.get("created_by")?,
        updated: time(row, "updated_at")?,
        updated_by: row.get("updated_by")?,
    })
}
