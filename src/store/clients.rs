//! API clients and their bearer tokens. Secrets are kept as SHA-256 only: they are random and long, so that no slow
//! hash is needed.

use super::memo::{Key, Weigh};
use super::page::{Column, Kind, Page, Query, fetch};
use super::{Db, Tx, guid, optional_time, time};
use crate::domain::ids::ClientId;
use crate::error::{Error, Result};
use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, named_params};
use std::sync::Arc;
use uuid::Uuid;

/// `ID`
pub const ID: Column = Column::new("c.id", Kind::Int);
/// `Label`
pub const LABEL: Column = Column::new("c.label", Kind::Text);
/// `CreatedDate`
pub const CREATED: Column = Column::new("c.created_at", Kind::Time);
/// `LastUsedDate`
pub const LAST_USED: Column = Column::new("c.last_used_at", Kind::Time);
/// `ExpiryDate`
pub const EXPIRES: Column = Column::new("c.expires_at", Kind::Time);

/// A SHA-256 of a secret.
pub type Hash = [u8; 32];

/// A client to be added.
#[derive(Debug, Clone)]
pub struct NewClient {
    /// The `client_id`.
    pub guid: Uuid,
    /// What a person calls it.
    pub label: String,
    /// Hash of the `client_secret`.
    pub secret_hash: Hash,
    /// Hash of the bearer key.
    pub key_hash: Hash,
    /// Space-separated.
    pub scopes: String,
    /// When it ends by itself.
    pub expires: Option<Timestamp>,
}

/// A stored client.
#[derive(Debug, Clone)]
pub struct Client {
    /// The admin API's id.
    pub id: ClientId,
    /// The `client_id`.
    pub guid: Uuid,
    /// What a person calls it.
    pub label: String,
    /// Hash of the `client_secret`.
    pub secret_hash: Hash,
    /// Space-separated.
    pub scopes: String,
    /// When it was added.
    pub created: Timestamp,
    /// Who added it.
    pub created_by: String,
    /// When it ends by itself.
    pub expires: Option<Timestamp>,
    /// When it was last used, to the minute.
    pub last_used: Option<Timestamp>,
}

/// What a bearer key or token stands for.
#[derive(Debug, Clone)]
pub struct Grant {
    /// Whose it is.
    pub client: ClientId,
    /// The client's label.
    pub label: String,
    /// Space-separated.
    pub scopes: String,
    /// When it ends by itself.
    pub expires: Option<Timestamp>,
    /// When its client does.
    pub client_expires: Option<Timestamp>,
}

/// Adds a client.
pub fn insert(tx: &Tx<'_>, new: &NewClient, by: &str, now: Timestamp) -> Result<ClientId> {
    let sql = "
        insert into client (guid, label, secret_hash, key_hash, scopes, created_at, created_by, expires_at)
        values (:guid, :label, :secret_hash, :key_hash, :scopes, :now, :by, :expires_at)
        returning id";
    Ok(tx.0.0.prepare_cached(sql)?.query_row(
        named_params! {
            ":guid": new.guid.as_bytes(), ":label": new.label, ":secret_hash": new.secret_hash,
            ":key_hash": new.key_hash, ":scopes": new.scopes, ":now": now.as_millisecond(), ":by": by,
            ":expires_at": new.expires.map(Timestamp::as_millisecond),
        },
        |row| row.get("id").map(ClientId),
    )?)
}

/// Revokes a client with its key and tokens.
///
/// # Errors
/// [`Error::NotFound`].
pub fn delete(tx: &Tx<'_>, id: ClientId) -> Result<()> {
    match tx.0.0.execute("delete from client where id = ?1", [id.0])? {
        0 => Err(Error::NotFound(format!("No client has the ID {id}."))),
        _ => Ok(()),
    }
}

/// The client with this GUID, if there is one.
pub fn find_by_guid(db: &Db, guid: Uuid) -> Result<Option<Client>> {
    let sql = "select c.* from client c where c.guid = ?1";
    Ok(db
        .0
        .prepare_cached(sql)?
        .query_row([guid.as_bytes()], from_row)
        .optional()?)
}

/// A page of clients.
pub fn list(db: &Db, query: &Query) -> Result<Page<Client>> {
    fetch(
        db,
        "c.*",
        "client c where true",
        &["c.label"],
        &ID,
        query,
        from_row,
    )
}

impl Weigh for Grant {}

/// What the key with this hash stands for.
pub fn by_key(db: &Db, hash: &Hash) -> Result<Option<Arc<Grant>>> {
    db.recall(Key::Grant(*hash), || {
        let sql = "
            select id, label, scopes, expires_at, expires_at as client_expires_at from client where key_hash = ?1";
        let found = db.0.prepare_cached(sql)?.query_row([hash], grant);
        Ok(found.optional()?)
    })
}

/// What the token with this hash stands for; it ends with its client.
pub fn by_token(db: &Db, hash: &Hash) -> Result<Option<Arc<Grant>>> {
    let sql = "
        select c.id, c.label, t.scopes, min(t.expires_at, coalesce(c.expires_at, t.expires_at)) as expires_at,
            c.expires_at as client_expires_at
        from access_token t join client c on c.id = t.client_id
        where t.hash = ?1";
    Ok(db
        .0
        .prepare_cached(sql)?
        .query_row([hash], grant)
        .optional()?
        .map(Arc::new))
}

/// Adds a token, and forgets those that have ended.
pub fn insert_token(
    tx: &Tx<'_>,
    client: ClientId,
    hash: &Hash,
    scopes: &str,
    expires: Timestamp,
    now: Timestamp,
) -> Result<()> {
    tx.0.0
        .prepare_cached("delete from access_token where expires_at <= ?1")?
        .execute([now.as_millisecond()])?;
    let sql = "
        insert into access_token (hash, client_id, scopes, expires_at)
        values (:hash, :client_id, :scopes, :expires_at)";
    tx.0.0.prepare_cached(sql)?.execute(named_params! {
        ":hash": hash, ":client_id": client.0, ":scopes": scopes, ":expires_at": expires.as_millisecond(),
    })?;
    Ok(())
}

/// Notes when clients were last used.
pub fn touch(tx: &Tx<'_>, used: &[(ClientId, Timestamp)]) -> Result<()> {
    let mut statement =
        tx.0.0
            .prepare_cached("update client set last_used_at = ?2 where id = ?1")?;
    for (client, at) in used {
        statement.execute((client.0, at.as_millisecond()))?;
    }
    Ok(())
}

fn grant(row: &Row<'_>) -> rusqlite::Result<Grant> {
    Ok(Grant {
        client: ClientId(row.get("id")?),
        label: row.get("label")?,
        scopes: row.get("scopes")?,
        expires: optional_time(row, "expires_at")?,
        client_expires: optional_time(row, "client_expires_at")?,
    })
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<Client> {
    Ok(Client {
        id: ClientId(row.get("id")?),
        guid: guid(row, "guid")?,
        label: row.get("label")?,
        secret_hash: row.get("secret_hash")?,
        scopes: row.get("scopes")?,
        created: time(row, "created_at")?,
        created_by: row.get("created_by")?,
        expires: optional_time(row, "expires_at")?,
        last_used: optional_time(row, "last_used_at")?,
    })
}
