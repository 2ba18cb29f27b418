//! What waits to be sent, for people to look at: counted by channel and by type, and one by one.

use super::bulk::{Act, pick};
use super::claims::Takes;
use super::page::{Column, Kind, Query, count};
use super::waiting::{NEXT_DUE, OPEN};
use super::{Db, guid, optional_time, time};
use crate::domain::format::Channel;
use crate::domain::ids::MessageId;
use crate::error::Result;
use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, named_params};
use std::collections::BTreeMap;
use uuid::Uuid;

/// The word of the channel, for filters of what waits.
pub const CHANNEL: Column = Column::new("m.channel", Kind::Key);

/// What waits in a channel.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChannelQueue {
    /// Due, or between two tries.
    pub waiting: u64,
    /// Not due yet.
    pub scheduled: u64,
    /// In an attempt.
    pub sending: u64,
    /// When the first of the waiting ones is, or was, due.
    pub oldest_due: Option<Timestamp>,
}

/// What waits of a type in a channel.
#[derive(Debug, Clone)]
pub struct TypeQueue {
    /// The word of the channel.
    pub channel: String,
    /// The slug of the type.
    pub message_type: String,
    /// Would be sent now.
    pub due: u64,
    /// Would be sent later: scheduled, or between two tries.
    pub later: u64,
    /// In an attempt.
    pub sending: u64,
    /// Those of them that have no content, because they come from a backup: they will fail.
    pub without_content: u64,
    /// When the first of them was accepted.
    pub oldest: Timestamp,
    /// When the last of them was accepted.
    pub newest: Timestamp,
}

/// A message that waits.
#[derive(Debug, Clone)]
pub struct WaitingMessage {
    /// The send API's id.
    pub guid: Uuid,
    /// The word of the channel.
    pub channel: String,
    /// Where it goes.
    pub recipient: String,
    /// The slug of the type.
    pub message_type: String,
    /// Not before.
    pub due: Timestamp,
    /// Not after.
    pub expires: Timestamp,
}

/// Three counts, one in each of the indexes over what is not final.
pub(super) const COUNTS: [&str; 3] = [
    "select channel, count(*) as count, min(due_at) as oldest from message where status = 'queued' group by channel",
    "select channel, count(*) as count, null as oldest from message where status = 'scheduled' group by channel",
    "select channel, count(*) as count, null as oldest from message where OPEN group by channel",
];

/// What waits in each channel.
pub fn by_channel(db: &Db) -> Result<BTreeMap<Channel, ChannelQueue>> {
    let mut queues: BTreeMap<_, _> = Channel::ALL
        .into_iter()
        .map(|channel| (channel, ChannelQueue::default()))
        .collect();
    for (kind, sql) in COUNTS.iter().enumerate() {
        let mut statement = db.0.prepare_cached(&sql.replace("OPEN", OPEN))?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let word: String = row.get("channel")?;
            let channel = Channel::parse(&word).ok_or(rusqlite::Error::InvalidQuery)?;
            let count = row.get::<_, i64>("count")?.unsigned_abs();
            let queue = queues.entry(channel).or_default();
            match kind {
                0 => {
                    queue.waiting = count;
                    queue.oldest_due = optional_time(row, "oldest")?;
                }
                1 => queue.scheduled = count,
                _ => queue.sending = count,
            }
        }
    }
    Ok(queues)
}

/// Where the counting of one channel's queue stops for [`backlog`].
pub const BACKLOG_MAX: u64 = 10_000;

pub(super) const BACKLOG: [&str; 2] = [
    "message where status = 'queued' and channel = ?",
    "message where status = 'scheduled' and channel = ?",
];

/// What waits in a channel, counted up to [`BACKLOG_MAX`] so that it costs little however much it is; and whether more
/// waits than was counted.
pub fn backlog(db: &Db, channel: Channel) -> Result<(ChannelQueue, bool)> {
    let word = [channel.word().to_owned().into()];
    let [waiting, scheduled] = BACKLOG.map(|source| count(db, source, &word, Some(BACKLOG_MAX)));
    let (waiting, is_capped) = waiting?;
    let sql = format!("select count(*) from message where {OPEN} and channel = ?1");
    let sending: i64 =
        db.0.prepare_cached(&sql)?
            .query_row([channel.word()], |row| row.get(0))?;
    let queue = ChannelQueue {
        waiting,
        scheduled: scheduled?.0,
        sending: sending.unsigned_abs(),
        oldest_due: oldest_due(db, channel)?,
    };
    Ok((queue, is_capped))
}

/// When the first of the waiting ones is, or was, due.
fn oldest_due(db: &Db, channel: Channel) -> Result<Option<Timestamp>> {
    let mut statement = db.0.prepare_cached(NEXT_DUE)?;
    let mut oldest = None;
    for &lane in Takes::All.lanes() {
        let by = named_params! { ":channel": channel.word(), ":lane": lane };
        let due = statement
            .query_row(by, |row| time(row, "due_at"))
            .optional()?;
        oldest = [oldest, due].into_iter().flatten().min();
    }
    Ok(oldest)
}

/// What waits of each type in each channel.
pub fn by_type(db: &Db, now: Timestamp) -> Result<Vec<TypeQueue>> {
    let sql = "
        select m.channel, coalesce(t.slug, cast(m.type_id as text)) as slug,
            sum(m.status = 'queued' and m.due_at <= ?1) as due,
            sum(m.status = 'scheduled' or m.status = 'queued' and m.due_at > ?1) as later,
            sum(m.status = 'sending') as sending, sum(not m.has_content) as without_content,
            min(m.created_at) as oldest, max(m.created_at) as newest
        from (
            select * from message where status = 'queued'
            union all
            select * from message where status in ('sending', 'scheduled')
        ) m left join message_type t on t.id = m.type_id
        group by m.channel, m.type_id order by m.channel, slug";
    let mut statement = db.0.prepare(sql)?;
    let queues = statement.query_map([now.as_millisecond()], |row| {
        let count = |column| row.get(column).map(i64::unsigned_abs);
        Ok(TypeQueue {
            channel: row.get("channel")?,
            message_type: slug(row)?,
            due: count("due")?,
            later: count("later")?,
            sending: count("sending")?,
            without_content: count("without_content")?,
            oldest: time(row, "oldest")?,
            newest: time(row, "newest")?,
        })
    })?;
    Ok(queues.collect::<rusqlite::Result<_>>()?)
}

/// The ids of all messages that wait and that the query's filters choose, in the order in which they were accepted.
pub fn ids(db: &Db, query: &Query) -> Result<Vec<MessageId>> {
    let mut ids = pick(db, Act::Cancel, query, i64::MAX as usize)?;
    ids.sort_unstable();
    Ok(ids)
}

/// A message that waits; none if it does not wait any more.
pub fn get(db: &Db, id: MessageId) -> Result<Option<WaitingMessage>> {
    let sql = "
        select m.*, coalesce(t.slug, cast(m.type_id as text)) as slug
        from message m left join message_type t on t.id = m.type_id
        where m.id = ?1 and m.status in ('queued', 'scheduled')";
    let found = db.0.prepare_cached(sql)?.query_row([id.0], |row| {
        Ok(WaitingMessage {
            guid: guid(row, "guid")?,
            channel: row.get("channel")?,
            recipient: row.get("recipient")?,
            message_type: slug(row)?,
            due: time(row, "due_at")?,
            expires: time(row, "expires_at")?,
        })
    });
    Ok(found.optional()?)
}

/// A type's slug, or its number where the type is gone.
fn slug(row: &Row<'_>) -> rusqlite::Result<String> {
    row.get("slug")
}
