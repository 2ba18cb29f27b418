//! Messages as the API and the log see them; how the outbox moves them on is `store::outbox`.

use super::back::{self, Log};
use super::page::{Column, Kind, Operand, Page, Query, fetch};
use super::tally::{self, By};
use super::{Db, Tx, guid, of_user, optional_time, templates, time};
use crate::domain::cause::Cause;
use crate::domain::ids::{MessageId, TemplateId, TypeId, UserId};
use crate::domain::message::{Attempt, Decision, LogEntry, LogLine, NewMessage, Status};
use crate::error::{Error, Result};
use crate::secret::without_tokens;
use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, named_params, params};
use std::borrow::Cow;
use uuid::Uuid;

/// `ID`
pub const ID: Column = Column::new("m.id", Kind::Int);
/// `CreatedDate`
pub const CREATED: Column = Column::new("m.created_at", Kind::Time);
/// `MessageFormat`
pub const FORMAT: Column = Column::new("m.format", Kind::Int).led_if_rare(
    "message_kind",
    "m.type_id in (select id from message_type) and ",
);
/// `NotificationType`
pub const TYPE: Column = Column::new("m.type_id", Kind::Int).led_if_rare("message_kind", "");
/// `LastSendingAttempt`
pub const LAST_ATTEMPT: Column = Column::new("m.last_attempt_at", Kind::Time);
/// `SendingAttemptResult`
pub const LAST_RESULT: Column = Column::new("m.last_result", Kind::Bool);
/// `Status`
pub const STATUS: Column = Column::new(
    "m.status",
    Kind::Word(&[
        "scheduled",
        "queued",
        "sending",
        "failed",
        "expired",
        "cancelled",
        "undelivered",
        "suppressed",
    ]),
)
.led_if_rare(BY_STATUS, "");
/// The indexes of one state, or of several, taken together.
pub(super) const BY_STATUS: &str = "status";
/// `Cause`
pub const CAUSE: Column = Column::new("m.cause", Kind::Key).led();
/// `UserId`
pub const USER: Column =
    Column::new("m.user_id", Kind::Int).led_if_rare(of_user::INDEX, of_user::EACH_PART);
/// Commits a message: from here on it is promised.
pub fn insert(tx: &Tx<'_>, new: &NewMessage) -> Result<MessageId> {
    let sql = "
        insert into message (guid, user_id, type_id, template_id, format, channel, status, lane, recipient,
            recipient_name, sender, has_content, is_sensitive, created_at, created_by, due_at, expires_at,
            by_the_minute, error, cause)
        values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    // By their order, for finding each name costs as much as writing its value. Not `returning`, which costs a table of its
    // own for each row.
    #[rustfmt::skip] // A table: as many on a line as in the statement.
    tx.0.0.prepare_cached(sql)?.execute(params![
        new.guid.as_bytes(), new.user_id.map(|u| u.0), new.type_id.0, new.template_id.map(|t| t.0), new.format.number(),
            new.format.channel().word(), new.status.word(), super::outbox::lane(new), new.recipient,
        new.recipient_name, new.sender, new.body.is_some(), new.is_sensitive, new.created.as_millisecond(),
            new.created_by, new.due.as_millisecond(), new.expires.as_millisecond(),
        new.by_the_minute, new.error, new.cause.as_ref().map(Cause::key),
    ])?;
    let id = MessageId(tx.0.0.last_insert_rowid());
    let sql = "insert into content (message_id, subject, body, html_body, trace) values (?1, ?2, ?3, ?4, ?5)";
    let [subject, body, html_body] =
        [&new.subject, &new.body, &new.html_body].map(|text| stored(tx, new, text));
    tx.0.0
        .prepare_cached(sql)?
        .execute((id.0, subject?, body?, html_body?, encode(&new.trace)))?;
    if new.status == Status::Failed {
        tally::count(tx, id, By::Attempt)?;
    }
    Ok(id)
}

/// A part of the content as it is stored: that of a sensitive message sealed.
fn stored<'a>(
    tx: &Tx<'_>,
    new: &NewMessage,
    text: &'a Option<String>,
) -> Result<Option<Cow<'a, str>>> {
    let Some(text) = text else { return Ok(None) };
    Ok(Some(match new.is_sensitive {
        true => Cow::Owned(tx.2.seal(new.guid, text)?),
        false => Cow::Borrowed(text),
    }))
}

/// What is known of a message by its GUID, for a copy of it.
#[derive(Debug, Clone)]
pub struct Origin {
    /// Whose it was, unless erased or a test.
    pub user_id: Option<UserId>,
    /// Its type.
    pub type_id: TypeId,
    /// Its template.
    pub template_id: Option<TemplateId>,
    /// Whether its content is hidden.
    pub is_sensitive: bool,
}

/// Where a message came from, if the log still has it.
pub fn origin(db: &Db, guid: Uuid) -> Result<Option<Origin>> {
    let sql = "select user_id, type_id, template_id, is_sensitive from message where guid = ?1";
    let found =
        db.0.prepare_cached(sql)?
            .query_row([guid.as_bytes()], |row| {
                Ok(Origin {
                    user_id: row.get::<_, Option<i64>>("user_id")?.map(UserId),
                    type_id: TypeId(row.get("type_id")?),
                    template_id: row.get::<_, Option<i64>>("template_id")?.map(TemplateId),
                    is_sensitive: row.get("is_sensitive")?,
                })
            });
    Ok(found.optional()?)
}

pub(super) const SOURCE: &str = "message m where true";

/// What a search looks through: never the content of sensitive types, and of that of others the subject alone.
pub(super) const LOG: Log = Log {
    columns: "m.*",
    source: SOURCE,
    id: ID,
    at: CREATED,
    holds: "holds(?, m.recipient, m.recipient_name, m.error, m.cause)
        or not m.is_sensitive and holds(?, (select subject from content where message_id = m.id))
        or m.attempts > 0 and exists (
            select 1 from attempt a left join report r using (message_id, number)
            where a.message_id = m.id and holds(?, a.answer, a.provider_id, r.words))",
    indexed: &[ID, CAUSE],
};

/// A page of one user's log.
///
/// # Errors
/// [`Error::NotFound`] if there is no such user.
pub fn list_of_user(db: &Db, user: UserId, query: &Query) -> Result<Page<LogLine>> {
    super::users::get(db, user)?;
    let mut query = query.clone();
    query.filters.push((USER, Operand::Int(user.0)));
    list(db, &query)
}

/// A page of everyone's log.
pub fn list(db: &Db, query: &Query) -> Result<Page<LogLine>> {
    let Some(text) = &query.search else {
        return fetch(db, LOG.columns, SOURCE, &[], &ID, query, line);
    };
    // A whole GUID has an index, and is no part of a text of ours.
    let guid = Uuid::try_parse(text.trim()).ok();
    match guid.map(|guid| id_of(db, guid)).transpose()?.flatten() {
        Some(id) => {
            let mut query = query.clone();
            query.search = None;
            query.filters.push((ID, Operand::Int(id)));
            fetch(db, LOG.columns, SOURCE, &[], &ID, &query, line)
        }
        None => back::search(db, &LOG, query, text, line),
    }
}

fn id_of(db: &Db, guid: Uuid) -> Result<Option<i64>> {
    let sql = "select id from message where guid = ?1";
    let found =
        db.0.prepare_cached(sql)?
            .query_row([guid.as_bytes()], |row| row.get(0));
    Ok(found.optional()?)
}

/// What a list shows of one message.
///
/// # Errors
/// [`Error::NotFound`].
pub fn line_of(db: &Db, id: MessageId) -> Result<LogLine> {
    db.0.prepare_cached(LINE)?
        .query_row([id.0], line)
        .optional()?
        .ok_or_else(|| not_found(id))
}

/// What a list shows of these messages, but for those that are there no more.
pub fn lines_of(db: &Db, ids: &[MessageId]) -> Result<Vec<LogLine>> {
    let mut statement = db.0.prepare_cached(LINE)?;
    let lines = ids
        .iter()
        .map(|id| statement.query_row([id.0], line).optional());
    Ok(lines
        .filter_map(rusqlite::Result::transpose)
        .collect::<rusqlite::Result<_>>()?)
}

const LINE: &str = "select m.* from message m where m.id = ?1";

/// Stops a message that waits.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Conflict`] for one that is being sent or has ended.
pub fn cancel(tx: &Tx<'_>, id: MessageId, reason: &str) -> Result<()> {
    let line = line_of(tx, id)?;
    if !matches!(line.status, Status::Queued | Status::Scheduled) {
        return Err(Error::Conflict(format!(
            "The message is {}; only one that waits can be cancelled.",
            line.status.word()
        )));
    }
    super::outbox::close(tx, id, Status::Cancelled, reason, None)
}

/// Sends a message once more that has ended without arriving, with a new life and new tries.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Conflict`] for one that has not ended, may have arrived, or has no content (any more), and
/// for a disabled user.
pub fn retry(tx: &Tx<'_>, id: MessageId, now: Timestamp) -> Result<LogLine> {
    let line = line_of(tx, id)?;
    if !matches!(
        line.status,
        Status::Undelivered | Status::Failed | Status::Expired | Status::Cancelled
    ) {
        return Err(Error::Conflict(format!(
            "The message is {}; only one that failed, expired, was cancelled or did not arrive can be sent again.",
            line.status.word()
        )));
    }
    if let Some(user) = line.user_id {
        super::users::get(tx, user)?.refuse_disabled()?;
    }
    let sql = "
        update message set status = 'queued', error = null, cause = null, due_at = :now, tries = 0, claims = 0,
            expires_at = :now + 1000 * (select expiry_secs from message_type where message_type.id = message.type_id)
        where id = :id and has_content and recipient <> ''";
    let changed = tx.0.0.prepare_cached(sql)?.execute(named_params! {
        ":id": id.0, ":now": now.as_millisecond(),
    })?;
    match changed {
        0 => Err(Error::Conflict(
            "The message has no content or no address (any more); send a new one.".into(),
        )),
        _ => Ok(line),
    }
}

fn not_found(id: MessageId) -> Error {
    Error::NotFound(format!("No message has the ID {id}."))
}

/// One message with its attempts and its trace. The content of sensitive types is left out, and of that of others the
/// tokens of action links.
///
/// # Errors
/// [`Error::NotFound`].
pub fn entry(db: &Db, id: MessageId) -> Result<LogEntry> {
    let attempts = attempts(db, id)?;
    db.0.prepare_cached(
        "select * from message m join content on message_id = m.id where m.id = ?1",
    )?
    .query_row([id.0], |row| {
        let is_sensitive: bool = row.get("is_sensitive")?;
        let content = |column| match is_sensitive {
            true => Ok(None),
            false => row
                .get::<_, Option<String>>(column)
                .map(|text| text.map(without_tokens)),
        };
        Ok(LogEntry {
            line: line(row)?,
            created_by: row.get("created_by")?,
            sender: row.get("sender")?,
            subject: content("subject")?,
            body: content("body")?,
            html_body: content("html_body")?,
            is_sensitive,
            due: time(row, "due_at")?,
            expires: time(row, "expires_at")?,
            attempts,
            trace: decode(&row.get::<_, String>("trace")?),
        })
    })
    .optional()?
    .ok_or_else(|| not_found(id))
}

pub(super) const ATTEMPTS: &str = "
    select * from attempt left join report using (message_id, number) where message_id = ?1 order by number";

fn attempts(db: &Db, id: MessageId) -> Result<Vec<Attempt>> {
    let rows =
        db.0.prepare_cached(ATTEMPTS)?
            .query_map([id.0], |row| {
                Ok(Attempt {
                    number: row.get("number")?,
                    provider: row.get("provider")?,
                    started: time(row, "started_at")?,
                    duration_ms: row.get("duration_ms")?,
                    result: row.get("result")?,
                    class: row.get("class")?,
                    code: row.get("code")?,
                    answer: row.get("answer")?,
                    provider_id: row.get("provider_id")?,
                    reported: optional_time(row, "at")?.zip(row.get("words")?),
                })
            })?
            .collect::<rusqlite::Result<_>>()?;
    Ok(rows)
}

fn line(row: &Row<'_>) -> rusqlite::Result<LogLine> {
    let status: String = row.get("status")?;
    Ok(LogLine {
        id: MessageId(row.get("id")?),
        guid: guid(row, "guid")?,
        user_id: row.get::<_, Option<i64>>("user_id")?.map(UserId),
        type_id: TypeId(row.get("type_id")?),
        template_id: row.get::<_, Option<i64>>("template_id")?.map(TemplateId),
        format: templates::format(row, "format")?,
        status: Status::parse(&status).ok_or(rusqlite::Error::InvalidQuery)?,
        recipient: row.get("recipient")?,
        created: time(row, "created_at")?,
        attempts: row.get("attempts")?,
        last_attempt: optional_time(row, "last_attempt_at")?,
        last_result: row.get("last_result")?,
        error: row.get("error")?,
        cause: row.get("cause")?,
    })
}

/// A step a line, its parts separated by U+001F; neither occurs in addresses, names or our sentences.
fn encode(trace: &[Decision]) -> String {
    let parts = || {
        trace
            .iter()
            .flat_map(|d| [&d.about, "\u{1f}", &d.choice, "\u{1f}", &d.reason, "\n"])
    };
    let mut text = String::with_capacity(parts().map(str::len).sum());
    text.extend(parts());
    text
}

fn decode(text: &str) -> Vec<Decision> {
    text.lines()
        .filter_map(|step| {
            let mut parts = step.split('\u{1f}').map(str::to_owned);
            Some(Decision {
                about: parts.next()?,
                choice: parts.next()?,
                reason: parts.next()?,
            })
        })
        .collect()
}
