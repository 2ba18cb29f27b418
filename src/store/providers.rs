//! Providers of the channels. URLs come and go sealed; those given by flag or environment are here only to be listed.

use super::page::{Column, Kind, Page, Query, fetch};
use super::{Db, Tx, guid, is_unique_violation, time};
use crate::domain::format::Channel;
use crate::domain::ids::ProviderId;
use crate::error::{Error, Result};
use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, named_params};
use uuid::Uuid;

/// `ID`
pub const ID: Column = Column::new("p.id", Kind::Int);
/// `Channel`
pub const CHANNEL: Column = Column::new("p.channel", Kind::Text);
/// `Position`
pub const POSITION: Column = Column::new("p.position", Kind::Int);
/// `IsLocked`
pub const IS_LOCKED: Column = Column::new("p.is_locked", Kind::Bool);
/// `CreatedDate`
pub const CREATED: Column = Column::new("p.created_at", Kind::Time);
/// `LastUpdated`
pub const UPDATED: Column = Column::new("p.updated_at", Kind::Time);

/// Behind all others.
const LAST: i64 = i64::MAX;

/// A provider as it is written.
#[derive(Debug, Clone)]
pub struct NewProvider {
    /// Kept when a provider is edited: its URL is sealed for this place.
    pub guid: Uuid,
    /// What it carries.
    pub channel: Channel,
    /// Among the stored ones of its channel; none means where it is, or the last.
    pub position: Option<i64>,
    /// The URL without its secrets.
    pub masked: String,
    /// The URL.
    pub sealed: Vec<u8>,
    /// Tells equal URLs.
    pub fingerprint: [u8; 32],
}

/// A provider as it is listed.
#[derive(Debug, Clone)]
pub struct Listed {
    /// Below zero for one given by flag or environment.
    pub id: ProviderId,
    /// Its place for sealing.
    pub guid: Uuid,
    /// What it carries.
    pub channel: Channel,
    /// From 1 within the channel.
    pub position: i64,
    /// The URL without its secrets.
    pub masked: String,
    /// Whether it was given by flag or environment.
    pub is_locked: bool,
    /// When it was added.
    pub created: Timestamp,
    /// When it was last changed.
    pub updated: Timestamp,
}

/// A stored provider with what is needed to use it.
#[derive(Debug, Clone)]
pub struct Stored {
    /// The admin API's id.
    pub id: ProviderId,
    /// Its place for sealing.
    pub guid: Uuid,
    /// What it carries.
    pub channel: Channel,
    /// The URL without its secrets.
    pub masked: String,
    /// The URL.
    pub sealed: Vec<u8>,
}

/// Adds a provider.
///
/// # Errors
/// [`Error::Duplicate`] if the channel has this URL.
pub fn insert(tx: &Tx<'_>, new: &NewProvider, now: Timestamp) -> Result<ProviderId> {
    let sql = "
        insert into provider (guid, channel, position, masked, is_locked, sealed, fingerprint, created_at, updated_at)
        values (:guid, :channel, 0, :masked, false, :sealed, :fingerprint, :now, :now)
        returning id";
    let id = tx
        .0
        .0
        .prepare_cached(sql)?
        .query_row(
            named_params! {
                ":guid": new.guid.as_bytes(), ":channel": new.channel.word(), ":masked": new.masked,
                ":sealed": new.sealed, ":fingerprint": new.fingerprint, ":now": now.as_millisecond(),
            },
            |row| row.get("id").map(ProviderId),
        )
        .map_err(name_unique)?;
    arrange(tx, new.channel, Some((id, new.position.unwrap_or(LAST))))?;
    Ok(id)
}

/// Changes a provider.
///
/// # Errors
/// [`Error::Invalid`] if there is none with this id, [`Error::Duplicate`] if the channel has this URL.
pub fn update(tx: &Tx<'_>, id: ProviderId, new: &NewProvider, now: Timestamp) -> Result<()> {
    let sql = "select channel, position from provider where id = ?1 and not is_locked";
    let before = tx.0.0.prepare_cached(sql)?.query_row([id.0], |row| {
        Ok((channel(row)?, row.get::<_, i64>("position")?))
    });
    let (channel, position) = before.optional()?.ok_or_else(|| unknown(id))?;
    let sql = "
        update provider set channel = :channel, masked = :masked, sealed = :sealed, fingerprint = :fingerprint,
            updated_at = :now
        where id = :id";
    tx.0.0
        .prepare_cached(sql)?
        .execute(named_params! {
            ":id": id.0, ":channel": new.channel.word(), ":masked": new.masked, ":sealed": new.sealed,
            ":fingerprint": new.fingerprint, ":now": now.as_millisecond(),
        })
        .map_err(name_unique)?;
    let place = match channel == new.channel {
        true => position,
        false => LAST,
    };
    arrange(tx, channel, None)?;
    arrange(tx, new.channel, Some((id, new.position.unwrap_or(place))))
}

/// Removes a provider.
///
/// # Errors
/// [`Error::NotFound`].
pub fn delete(tx: &Tx<'_>, id: ProviderId) -> Result<()> {
    let sql = "delete from provider where id = ?1 and not is_locked returning channel";
    let gone = tx.0.0.prepare_cached(sql)?.query_row([id.0], channel);
    let channel = gone
        .optional()?
        .ok_or_else(|| Error::NotFound(text_of_unknown(id)))?;
    arrange(tx, channel, None)
}

/// Writes the providers given by flag or environment, masked and in failover order, in place of those before.
pub fn list_given(tx: &Tx<'_>, given: &[(Channel, String)], now: Timestamp) -> Result<()> {
    tx.0.0.execute("delete from provider where is_locked", [])?;
    let sql = "
        insert into provider (id, guid, channel, position, masked, is_locked, created_at, updated_at)
        values (:id, :guid, :channel, :id, :masked, true, :now, :now)";
    // Below zero and rising, so that their order is the one they were given in.
    for (id, (channel, masked)) in (-(given.len() as i64)..).zip(given) {
        tx.0.0.prepare_cached(sql)?.execute(named_params! {
            ":id": id, ":guid": Uuid::new_v4().as_bytes(), ":channel": channel.word(), ":masked": masked,
            ":now": now.as_millisecond(),
        })?;
    }
    for channel in Channel::ALL {
        arrange(tx, channel, None)?;
    }
    Ok(())
}

/// Numbers the providers of a channel from 1, the given ones first; one of the stored may move to another place.
fn arrange(tx: &Tx<'_>, channel: Channel, moved: Option<(ProviderId, i64)>) -> Result<()> {
    let sql = "select id, is_locked from provider where channel = ?1 order by is_locked desc, position, id";
    let mut order =
        tx.0.0
            .prepare_cached(sql)?
            .query_map([channel.word()], |row| {
                Ok((row.get("id")?, row.get("is_locked")?))
            })?
            .collect::<rusqlite::Result<Vec<(i64, bool)>>>()?;
    let given = order.iter().filter(|(_, is_locked)| *is_locked).count();
    if let Some((id, position)) = moved {
        order.retain(|(other, _)| *other != id.0);
        let place = usize::try_from(position.saturating_sub(1)).unwrap_or(0);
        order.insert(place.clamp(given, order.len()), (id.0, false));
    }
    for (position, (id, _)) in (1_i64..).zip(order) {
        tx.0.0
            .prepare_cached("update provider set position = ?2 where id = ?1")?
            .execute([id, position])?;
    }
    Ok(())
}

/// A page of all providers.
pub fn list(db: &Db, query: &Query) -> Result<Page<Listed>> {
    fetch(db, "p.*", "provider p where true", &[], &ID, query, |row| {
        Ok(Listed {
            id: ProviderId(row.get("id")?),
            guid: guid(row, "guid")?,
            channel: channel(row)?,
            position: row.get("position")?,
            masked: row.get("masked")?,
            is_locked: row.get("is_locked")?,
            created: time(row, "created_at")?,
            updated: time(row, "updated_at")?,
        })
    })
}

/// The stored providers of all channels, each channel's in failover order.
pub fn stored(db: &Db) -> Result<Vec<Stored>> {
    let sql = "select * from provider where not is_locked order by channel, position";
    let mut statement = db.0.prepare_cached(sql)?;
    let rows = statement.query_map([], |row| {
        Ok(Stored {
            id: ProviderId(row.get("id")?),
            guid: guid(row, "guid")?,
            channel: channel(row)?,
            masked: row.get("masked")?,
            sealed: row.get("sealed")?,
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn channel(row: &Row<'_>) -> rusqlite::Result<Channel> {
    let word: String = row.get("channel")?;
    Channel::parse(&word).ok_or(rusqlite::Error::InvalidQuery)
}

fn name_unique(fault: rusqlite::Error) -> Error {
    match is_unique_violation(&fault, "provider.channel, provider.fingerprint") {
        true => duplicate(),
        false => fault.into(),
    }
}

/// The channel has this URL.
#[must_use]
pub fn duplicate() -> Error {
    Error::Duplicate("The channel has a provider with this Url already.".into())
}

/// What is to be edited is not there.
#[must_use]
pub fn unknown(id: ProviderId) -> Error {
    Error::Invalid(text_of_unknown(id))
}

fn text_of_unknown(id: ProviderId) -> String {
    format!("No provider that can be changed has the ID {id}.")
}
