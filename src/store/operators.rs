//! The people who run the appliance.

use super::page::{Column, Kind, Page, Query, fetch};
use super::{Db, Tx, guid, is_unique_violation, time};
use crate::domain::ids::OperatorId;
use crate::error::{Error, Result};
use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, named_params};
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
pub fn insert(
    tx: &Tx<'_>,
    user_name: &str,
    password_hash: &str,
    now: Timestamp,
) -> Result<OperatorId> {
    let sql = "
        insert into operator (guid, user_name, password_hash, created_at, updated_at)
        values (:guid, :user_name, :password_hash, :now, :now)
        returning id";
    let added = tx.0.0.prepare_cached(sql)?.query_row(
        named_params! {
            ":guid": Uuid::new_v4().as_bytes(), ":user_name": user_name, ":password_hash": password_hash,
            ":now": now.as_millisecond(),
        },
        |row| row.get("id").map(OperatorId),
    );
    added.map_err(|fault| {
        if is_unique_violation(&fault, "operator.user_name") {
            Error::Duplicate(format!("An operator has the name {user_name} already."))
        } else {
            fault.into()
        }
    })
}

/// Id, name and password hash of the operator with this name, if there is one.
pub fn credentials(db: &Db, user_name: &str) -> Result<Option<(OperatorId, String, String)>> {
    let sql = "select id, user_name, password_hash from operator where user_name = ?1";
    Ok(db
        .0
        .prepare_cached(sql)?
        .query_row([user_name], |row| {
            Ok((
                OperatorId(row.get("id")?),
                row.get("user_name")?,
                row.get("password_hash")?,
            ))
        })
        .optional()?)
}

/// Whether anybody can use this appliance: an operator or a client.
pub fn is_taken(db: &Db) -> Result<bool> {
    let sql = "select exists (select 1 from operator) or exists (select 1 from client)";
    Ok(db.0.query_row(sql, [], |row| row.get(0))?)
}

/// Adds a session to the operator whose password still has this hash, and forgets those that have ended.
///
/// # Errors
/// [`Error::InvalidCredentials`] if the operator is gone or has another password by now.
pub fn insert_session(
    tx: &Tx<'_>,
    hash: &[u8; 32],
    operator: OperatorId,
    password_hash: &str,
    expires: Timestamp,
    now: Timestamp,
) -> Result<()> {
    tx.0.0
        .prepare_cached("delete from session where expires_at <= ?1")?
        .execute([now.as_millisecond()])?;
    let sql = "
        insert into session (hash, operator_id, expires_at)
        select :hash, id, :expires_at from operator where id = :operator and password_hash = :password_hash";
    let added = tx.0.0.prepare_cached(sql)?.execute(named_params! {
        ":hash": hash, ":expires_at": expires.as_millisecond(), ":operator": operator.0,
        ":password_hash": password_hash,
    })?;
    match added {
        0 => Err(Error::InvalidCredentials(
            "The user name or the password is wrong.".into(),
        )),
        _ => Ok(()),
    }
}

/// Ends a session.
pub fn delete_session(tx: &Tx<'_>, hash: &[u8; 32]) -> Result<()> {
    tx.0.0
        .execute("delete from session where hash = ?1", [hash])?;
    Ok(())
}

/// An operator who is signed in.
#[derive(Debug, Clone)]
pub struct Session {
    /// Whose it is.
    pub operator: OperatorId,
    /// Their name.
    pub name: String,
    /// Whether somebody else knows the password.
    pub must_change: bool,
}

/// The operator whose session this is, if it has not ended.
pub fn by_session(db: &Db, hash: &[u8; 32], now: Timestamp) -> Result<Option<Session>> {
    let sql = "
        select o.id, o.user_name, o.must_change from session s join operator o on o.id = s.operator_id
        where s.hash = ?1 and s.expires_at > ?2";
    Ok(db
        .0
        .prepare_cached(sql)?
        .query_row((hash, now.as_millisecond()), |row| {
            Ok(Session {
                operator: OperatorId(row.get("id")?),
                name: row.get("user_name")?,
                must_change: row.get("must_change")?,
            })
        })
        .optional()?)
}

/// Sets another password and ends every session.
///
/// # Errors
/// [`Error::NotFound`].
pub fn set_password(
    tx: &Tx<'_>,
    user_name: &str,
    password_hash: &str,
    now: Timestamp,
) -> Result<()> {
    let sql = "update operator set password_hash = :hash, must_change = 0, updated_at = :now where user_name = :name";
    let changed = tx.0.0.prepare_cached(sql)?.execute(named_params! {
        ":hash": password_hash, ":now": now.as_millisecond(), ":name": user_name,
    })?;
    let sql =
        "delete from session where operator_id = (select id from operator where user_name = ?1)";
    tx.0.0.execute(sql, [user_name])?;
    found(changed, user_name)
}

/// Notes that somebody else knows this operator's password, until they set another one.
pub fn set_must_change(tx: &Tx<'_>, id: OperatorId) -> Result<()> {
    let sql = "update operator set must_change = 1 where id = ?1";
    tx.0.0.execute(sql, [id.0])?;
    Ok(())
}

/// Whether somebody else knows the password of the operator with this name.
pub fn must_change(db: &Db, user_name: &str) -> Result<bool> {
    let sql = "select must_change from operator where user_name = ?1";
    let found =
        db.0.prepare_cached(sql)?
            .query_row([user_name], |row| row.get(0));
    Ok(found.optional()?.unwrap_or(false))
}

/// Removes an operator, but not the last one.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Conflict`] for the last one.
pub fn delete_by_id(tx: &Tx<'_>, id: OperatorId) -> Result<()> {
    let sql = "delete from operator where id = ?1 and (select count(*) from operator) > 1";
    if tx.0.0.execute(sql, [id.0])? > 0 {
        return Ok(());
    }
    match list(tx)?.iter().any(|operator| operator.id == id) {
        true => Err(Error::Conflict(
            "This is the last operator: nobody could sign in any more.".into(),
        )),
        false => Err(Error::NotFound(format!("No operator has the ID {id}."))),
    }
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
            .query_map([], from_row)?
            .collect::<rusqlite::Result<_>>()?;
    Ok(rows)
}

/// `ID`
pub const ID: Column = Column::new("o.id", Kind::Int);
/// `UserName`
pub const USER_NAME: Column = Column::new("o.user_name", Kind::Text);
/// `CreatedDate`
pub const CREATED: Column = Column::new("o.created_at", Kind::Time);

/// A page of operators.
pub fn page(db: &Db, query: &Query) -> Result<Page<Operator>> {
    let source = "operator o where true";
    fetch(db, "o.*", source, &["o.user_name"], &ID, query, from_row)
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<Operator> {
    Ok(Operator {
        id: OperatorId(row.get("id")?),
        guid: guid(row, "guid")?,
        user_name: row.get("user_name")?,
        created: time(row, "created_at")?,
    })
}

fn found(changed: usize, user_name: &str) -> Result<()> {
    match changed {
        0 => Err(Error::NotFound(format!(
            "No operator has the name {user_name}."
        ))),
        _ => Ok(()),
    }
}
