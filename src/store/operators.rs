//! The people who run the appliance.

use super::{Db, Tx, guid, is_unique_violation, time};
use crate::domain::ids::OperatorId;
use crate::error::{Error, Result};
use jiff::Timestamp;
use rusqlite::named_params;
use uuid::Uuid;

/// A stored operator.
#[derive(Debug, Clone)]
pub struct Operator {
    /// Our id.
    pub id: OperatorId,
    /// For other systems.
    pub guid: Uuid,
    /// Unique whatever the case.
    pub user_name: String,
    /// When it was added.
    pub created: Timestamp,
}

/// Adds an operator; the hash is argon2id's.
///
/// # Errors
/// [`Error::Duplicate`] if the name is taken.
pub fn insert(tx: &Tx<'_>, user_name: &str, password_hash: &str, now: Timestamp) -> Result<()> {
    let sql = "
        insert into operator (guid, user_name, password_hash, created_at, updated_at)
        values (:guid, :user_name, :password_hash, :now, :now)";
    let done = tx.0.0.prepare_cached(sql)?.execute(named_params! {
        ":guid": Uuid::new_v4().as_bytes(), ":user_name": user_name, ":password_hash": password_hash,
        ":now": now.as_millisecond(),
    });
    match done {
        Err(fault) if is_unique_violation(&fault, "operator.user_name") => Err(Error::Duplicate(
            format!("An operator has the name {user_name} already."),
        )),
        other => Ok(other.map(drop)?),
    }
}

/// Sets another password.
///
/// # Errors
/// [`Error::NotFound`].
pub fn set_password(
    tx: &Tx<'_>,
    user_name: &str,
    password_hash: &str,
    now: Timestamp,
) -> Result<()> {
    let sql =
        "update operator set password_hash = :hash, updated_at = :now where user_name = :name";
    let changed = tx.0.0.prepare_cached(sql)?.execute(named_params! {
        ":hash": password_hash, ":now": now.as_millisecond(), ":name": user_name,
    })?;
    found(changed, user_name)
}

/// Removes an operator.
///
/// # Errors
/// [`Error::NotFound`].
pub fn delete(tx: &Tx<'_>, user_name: &str) -> Result<()> {
    let changed =
        tx.0.0
            .execute("delete from operator where user_name = ?1", [user_name])?;
    found(changed, user_name)
}

/// All operators by name.
pub fn list(db: &Db) -> Result<Vec<Operator>> {
    let sql = "select id, guid, user_name, created_at from operator order by user_name";
    let rows =
        db.0.prepare_cached(sql)?
            .query_map([], |row| {
                Ok(Operator {
                    id: OperatorId(row.get("id")?),
                    guid: guid(row, "guid")?,
                    user_name: row.get("user_name")?,
                    created: time(row, "created_at")?,
                })
            })?
            .collect::<rusqlite::Result<_>>()?;
    Ok(rows)
}

fn found(changed: usize, user_name: &str) -> Result<()> {
    match changed {
        0 => Err(Error::NotFound(format!(
            "No operator has the name {user_name}."
        ))),
        _ => Ok(()),
    }
}
