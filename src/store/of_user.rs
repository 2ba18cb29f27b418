//! The messages of a user: how they are found, and what is done to those that wait.
//!
//! The index has them by parts of 1024 messages and only then by user. By user alone each new message would change a page
//! of its own, and every changed page is written twice: with 100,000 users that was a fifth of what accepting a message
//! costs. Now the index grows on the few pages of its last part, and a user's messages are found by asking each part:
//! a thousand short looks for a million messages.

use super::Tx;
use crate::domain::ids::{MessageId, TypeId, UserId};
use crate::domain::message::Status;
use crate::error::Result;
use jiff::Timestamp;
use rusqlite::{ToSql, named_params};

/// The index of whose messages they are.
pub(super) const INDEX: &str = "message_user";

/// What stands in front of a user's id in the table `m`: the index is asked part by part.
pub(super) const EACH_PART: &str = "m.id >> 10 in (
        with recursive part (number) as (
            select max(id) >> 10 from message
            union all select number - 1 from part where number > (select min(id) >> 10 from message)
        ) select number from part
    ) and ";

/// The ids of a user's messages that fulfil a condition. The user is the parameter `:user_id`.
pub(super) fn ids(condition: &str) -> String {
    format!("select m.id from message m where {EACH_PART} m.user_id = :user_id{condition}")
}

/// Stops what still waits of the notifications of this type to this user for this minute: a later one takes its place.
pub fn replace_waiting(tx: &Tx<'_>, user: UserId, type_id: TypeId, due: Timestamp) -> Result<()> {
    let by =
        named_params! { ":user_id": user.0, ":type_id": type_id.0, ":due": due.as_millisecond() };
    let reason = "A later notification within the minute took its place.";
    cancel_all(tx, REPLACED, by, reason)
}

pub(super) const REPLACED: &str = "
    select id from message
    where status = 'scheduled' and by_the_minute and user_id = :user_id and +type_id = :type_id and due_at = :due";

/// Stops whatever waits for a user.
pub fn cancel_waiting(tx: &Tx<'_>, user: UserId, reason: &str) -> Result<()> {
    let sql = ids(" and m.status in ('queued', 'scheduled')");
    cancel_all(tx, &sql, named_params! { ":user_id": user.0 }, reason)
}

fn cancel_all(tx: &Tx<'_>, sql: &str, by: &[(&str, &dyn ToSql)], reason: &str) -> Result<()> {
    let ids =
        tx.0.0
            .prepare_cached(sql)?
            .query_map(by, |row| row.get("id").map(MessageId))?
            .collect::<rusqlite::Result<Vec<_>>>()?;
    for id in ids {
        super::outbox::close(tx, id, Status::Cancelled, reason, None)?;
    }
    Ok(())
}
