//! Users' notification preferences: one row per user and type.

use super::page::{Column, Kind, Operand, Page, Query, fetch};
use super::{Db, Tx, is_unique_violation, time};
use crate::domain::ids::{PreferenceId, TypeId, UserId};
use crate::domain::preference::{Channels, Preference, Wish};
use crate::error::{Error, Result};
use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, named_params};

/// `ID`
pub const ID: Column = Column::new("p.id", Kind::Int);
/// `NotificationType`
pub const TYPE: Column = Column::new("p.type_id", Kind::Int);
/// `IsEmail`
pub const IS_EMAIL: Column = Column::new("p.is_email", Kind::Bool);
/// `IsSMS`
pub const IS_SMS: Column = Column::new("p.is_sms", Kind::Bool);
/// `IsPush`
pub const IS_PUSH: Column = Column::new("p.is_push", Kind::Bool);
/// `LastUpdated`
pub const UPDATED: Column = Column::new("p.updated_at", Kind::Time);
/// `LastUpdatedBy`
pub const UPDATED_BY: Column = Column::new("p.updated_by", Kind::Text);
const USER: Column = Column::new("p.user_id", Kind::Int);

/// Adds a preference.
///
/// # Errors
/// [`Error::Duplicate`] if the user has one for the type.
pub fn insert(
    tx: &Tx<'_>,
    user: UserId,
    type_id: TypeId,
    wish: Wish,
    by: &str,
    now: Timestamp,
) -> Result<PreferenceId> {
    let Channels { email, sms, push } = wish.channels();
    let sql = "
        insert into notification_preference (user_id, type_id, is_email, is_sms, is_push, is_off, updated_at, updated_by)
        values (:user_id, :type_id, :is_email, :is_sms, :is_push, :is_off, :now, :by)
        returning id";
    tx.0.0
        .prepare_cached(sql)?
        .query_row(
            named_params! {
                ":user_id": user.0, ":type_id": type_id.0, ":is_email": email, ":is_sms": sms, ":is_push": push,
                ":is_off": wish.channels().is_empty(), ":now": now.as_millisecond(), ":by": by,
            },
            |row| row.get("id").map(PreferenceId),
        )
        .map_err(name_unique)
}

/// Replaces a preference of this user.
///
/// # Errors
/// [`Error::Invalid`] if the user has none with this id, [`Error::Duplicate`] if another one has the type.
pub fn update(
    tx: &Tx<'_>,
    id: PreferenceId,
    user: UserId,
    type_id: TypeId,
    wish: Wish,
    by: &str,
    now: Timestamp,
) -> Result<()> {
    let Channels { email, sms, push } = wish.channels();
    let sql = "
        update notification_preference set type_id = :type_id, is_email = :is_email, is_sms = :is_sms,
            is_push = :is_push, is_off = :is_off, updated_at = :now, updated_by = :by
        where id = :id and user_id = :user_id";
    let changed = tx
        .0
        .0
        .prepare_cached(sql)?
        .execute(named_params! {
            ":id": id.0, ":user_id": user.0, ":type_id": type_id.0, ":is_email": email, ":is_sms": sms,
            ":is_push": push, ":is_off": wish.channels().is_empty(), ":now": now.as_millisecond(), ":by": by,
        })
        .map_err(name_unique)?;
    match changed {
        0 => Err(Error::Invalid(format!(
            "The user has no preference with the ID {id}; leave ID out to add a new one."
        ))),
        _ => Ok(()),
    }
}

/// Removes a preference of this user: the type's default channels count again.
///
/// # Errors
/// [`Error::NotFound`] if the user has none with this id.
pub fn delete(tx: &Tx<'_>, user: UserId, id: PreferenceId) -> Result<()> {
    let sql = "delete from notification_preference where id = ?1 and user_id = ?2";
    match tx.0.0.execute(sql, (id.0, user.0))? {
        0 => Err(Error::NotFound(format!(
            "The user has no preference with the ID {id}."
        ))),
        _ => Ok(()),
    }
}

/// A page of a user's preferences.
///
/// # Errors
/// [`Error::NotFound`] if there is no such user.
pub fn list_of_user(db: &Db, user: UserId, query: &Query) -> Result<Page<Preference>> {
    super::users::get(db, user)?;
    let mut query = query.clone();
    query.filters.push((USER, Operand::Int(user.0)));
    fetch(
        db,
        "p.*",
        "notification_preference p where true",
        &[],
        &ID,
        &query,
        from_row,
    )
}

/// What a user wants of a type, if it was ever said.
pub fn find(db: &Db, user: UserId, type_id: TypeId) -> Result<Option<Preference>> {
    let sql = "select p.* from notification_preference p where p.user_id = ?1 and p.type_id = ?2";
    Ok(db
        .0
        .prepare_cached(sql)?
        .query_row([user.0, type_id.0], from_row)
        .optional()?)
}

fn name_unique(fault: rusqlite::Error) -> Error {
    if is_unique_violation(
        &fault,
        "notification_preference.user_id, notification_preference.type_id",
    ) {
        Error::Duplicate(
            "The user has a preference for this NotificationType already; edit that one.".into(),
        )
    } else {
        fault.into()
    }
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<Preference> {
    let channels = Channels {
        email: row.get("is_email")?,
        sms: row.get("is_sms")?,
        push: row.get("is_push")?,
    };
    Ok(Preference {
        id: PreferenceId(row.get("id")?),
        user: UserId(row.get("user_id")?),
        type_id: TypeId(row.get("type_id")?),
        wish: Wish::new(channels, row.get("is_off")?).map_err(|_| rusqlite::Error::InvalidQuery)?,
        updated: time(row, "updated_at")?,
        updated_by: row.get("updated_by")?,
    })
}
