//! Push targets of users.

use super::page::{Column, Kind, Operand, Page, Query, fetch};
use super::{Db, Tx, guid, is_unique_violation, time};
use crate::domain::device::{DEVICES_MAX, Device, DeviceDraft};
use crate::domain::ids::{DeviceId, MessageId, UserId};
use crate::error::{Error, Result};
use jiff::Timestamp;
use rusqlite::{Row, named_params};
use uuid::Uuid;

/// `ID`
pub const ID: Column = Column::new("d.id", Kind::Int);
/// `Label`
pub const LABEL: Column = Column::new("d.label", Kind::Text);
/// `Token`
pub const TOKEN: Column = Column::new("d.token", Kind::Text);
/// `CreatedDate`
pub const CREATED: Column = Column::new("d.created_at", Kind::Time);
const USER: Column = Column::new("d.user_id", Kind::Int);

/// Adds a device.
///
/// # Errors
/// [`Error::NotFound`] if there is no such user, [`Error::Duplicate`] if the user has the token,
/// [`Error::Invalid`] if the user has [`DEVICES_MAX`] devices.
pub fn insert(
    tx: &Tx<'_>,
    user: UserId,
    device: &DeviceDraft,
    guid: Uuid,
    now: Timestamp,
) -> Result<DeviceId> {
    super::users::get(tx, user)?;
    if tokens(tx, user)?.len() >= DEVICES_MAX {
        return Err(Error::Invalid(format!(
            "A user has at most {DEVICES_MAX} devices; delete one first."
        )));
    }
    let sql = "
        insert into device (guid, user_id, label, token, created_at)
        values (:guid, :user_id, :label, :token, :now)
        returning id";
    let added = tx.0.0.prepare_cached(sql)?.query_row(
        named_params! {
            ":guid": guid.as_bytes(), ":user_id": user.0, ":label": device.label(), ":token": device.token(),
            ":now": now.as_millisecond(),
        },
        |row| row.get("id").map(DeviceId),
    );
    added.map_err(|fault| {
        if is_unique_violation(&fault, "device.user_id, device.token") {
            Error::Duplicate("The user has a device with this Token already.".into())
        } else {
            fault.into()
        }
    })
}

/// Removes a device of this user.
///
/// # Errors
/// [`Error::NotFound`].
pub fn delete(tx: &Tx<'_>, user: UserId, id: DeviceId) -> Result<()> {
    let sql = "delete from device where id = ?1 and user_id = ?2";
    match tx.0.0.prepare_cached(sql)?.execute([id.0, user.0])? {
        0 => Err(Error::NotFound(format!(
            "The user has no device with the ID {id}."
        ))),
        _ => Ok(()),
    }
}

/// Removes the device that a message was sent to: its push service does not know it any more.
/// (delivery.md, "Retry policy")
pub fn forget(tx: &Tx<'_>, message: MessageId) -> Result<()> {
    let sql = "
        delete from device where (user_id, token) = (select user_id, recipient from message where id = ?1)";
    tx.0.0.prepare_cached(sql)?.execute([message.0])?;
    Ok(())
}

/// A page of a user's devices.
///
/// # Errors
/// [`Error::NotFound`] if there is no such user.
pub fn list_of_user(db: &Db, user: UserId, query: &Query) -> Result<Page<Device>> {
    super::users::get(db, user)?;
    let mut query = query.clone();
    query.filters.push((USER, Operand::Int(user.0)));
    fetch(db, "d.*", "device d where true", &[], &ID, &query, from_row)
}

/// The tokens of a user's devices, the oldest device first.
pub fn tokens(db: &Db, user: UserId) -> Result<Vec<String>> {
    let mut statement =
        db.0.prepare_cached("select token from device where user_id = ?1 order by id")?;
    let rows = statement.query_map([user.0], |row| row.get("token"))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<Device> {
    Ok(Device {
        id: DeviceId(row.get("id")?),
        guid: guid(row, "guid")?,
        user: UserId(row.get("user_id")?),
        label: row.get("label")?,
        token: row.get("token")?,
        created: time(row, "created_at")?,
    })
}
