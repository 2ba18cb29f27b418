//! What the capture channel caught.

use super::back::{self, Log};
use super::page::{Column, Kind, Page, Query, fetch};
use super::{Db, Tx, guid, templates, time};
use crate::domain::format::Format;
use crate::domain::ids::CapturedId;
use crate::error::{Error, Result};
use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, named_params};
use uuid::Uuid;

/// `ID`
pub const ID: Column = Column::new("c.id", Kind::Int);
/// `MessageFormat`
pub const FORMAT: Column = Column::new("c.format", Kind::Int);
/// `Channel`
pub const CHANNEL: Column = Column::new(
    "iif(c.format < 2, 'email', iif(c.format = 2, 'sms', 'push'))",
    Kind::Text,
);
/// `Recipient`; looked for among the recipients alone, without a look at the mails.
pub const RECIPIENT: Column = Column::new(
    "c.recipient",
    Kind::Pattern(
        "c.id in (select id from captured indexed by captured_recipient where recipient like ? escape '\\')",
    ),
);
/// `CreatedDate`
pub const CREATED: Column = Column::new("c.created_at", Kind::Time);

/// A captured message.
#[derive(Debug, Clone)]
pub struct Captured {
    /// Its id; 0 before it is stored.
    pub id: CapturedId,
    /// The message's GUID.
    pub guid: Uuid,
    /// Its form.
    pub format: Format,
    /// Where it would have gone.
    pub recipient: String,
    /// The sender it would have had.
    pub sender: Option<String>,
    /// Subject or title.
    pub subject: Option<String>,
    /// Text.
    pub body: String,
    /// HTML.
    pub html_body: Option<String>,
    /// Whether its content is sealed where it is stored.
    pub is_sensitive: bool,
    /// When it was caught.
    pub created: Timestamp,
}

/// Keeps a message; `source` is the raw mail.
pub fn insert(tx: &Tx<'_>, caught: &Captured, source: Option<&[u8]>) -> Result<CapturedId> {
    let sql = "
        insert into captured (guid, format, recipient, sender, subject, body, html_body, source, is_sensitive,
            created_at)
        values (:guid, :format, :recipient, :sender, :subject, :body, :html_body, :source, :is_sensitive,
            :created_at)
        returning id";
    let sealed = |text: &str| match caught.is_sensitive {
        true => tx.2.seal(caught.guid, text),
        false => Ok(text.to_owned()),
    };
    let sealed_if = |text: &Option<String>| text.as_deref().map(sealed).transpose();
    let source = match (source, caught.is_sensitive) {
        // A mail is ASCII, whatever it holds.
        (Some(mail), true) => Some(sealed(&String::from_utf8_lossy(mail))?.into_bytes()),
        (source, _) => source.map(<[u8]>::to_vec),
    };
    Ok(tx.0.0.prepare_cached(sql)?.query_row(
        named_params! {
            ":guid": caught.guid.as_bytes(), ":format": caught.format.number(), ":recipient": caught.recipient,
            ":sender": caught.sender, ":subject": sealed_if(&caught.subject)?, ":body": sealed(&caught.body)?,
            ":html_body": sealed_if(&caught.html_body)?, ":source": source, ":is_sensitive": caught.is_sensitive,
            ":created_at": caught.created.as_millisecond(),
        },
        |row| row.get("id").map(CapturedId),
    )?)
}

/// With its content opened; what cannot be opened any more is empty, for there is nothing to show.
fn opened(db: &Db, caught: Captured) -> Captured {
    if !caught.is_sensitive {
        return caught;
    }
    let open = |text: String| db.2.open(caught.guid, text).unwrap_or_default();
    Captured {
        subject: caught.subject.map(open),
        body: open(caught.body),
        html_body: caught.html_body.map(open),
        ..caught
    }
}

/// Sealed content is not found.
const LOG: Log = Log {
    columns: "c.*",
    source: "captured c where true",
    id: ID,
    at: CREATED,
    holds: "holds(?, c.recipient, iif(c.is_sensitive, null, c.subject), iif(c.is_sensitive, null, c.body))",
    indexed: &[ID, RECIPIENT],
};

/// A page of captured messages.
pub fn list(db: &Db, query: &Query) -> Result<Page<Captured>> {
    let mut page = match &query.search {
        Some(text) => back::search(db, &LOG, query, text, from_row),
        None => fetch(db, LOG.columns, LOG.source, &[], &ID, query, from_row),
    }?;
    page.rows = page.rows.into_iter().map(|row| opened(db, row)).collect();
    Ok(page)
}

/// The captured message with this id.
///
/// # Errors
/// [`Error::NotFound`].
pub fn get(db: &Db, id: CapturedId) -> Result<Captured> {
    db.0.prepare_cached("select c.* from captured c where c.id = ?1")?
        .query_row([id.0], from_row)
        .optional()?
        .map(|caught| opened(db, caught))
        .ok_or_else(|| not_found(id))
}

/// The raw mail; none for SMS and push.
///
/// # Errors
/// [`Error::NotFound`].
pub fn source(db: &Db, id: CapturedId) -> Result<Option<Vec<u8>>> {
    let sql = "select guid, source, is_sensitive from captured where id = ?1";
    let found = db.0.prepare_cached(sql)?.query_row([id.0], |row| {
        let source: Option<Vec<u8>> = row.get("source")?;
        Ok((guid(row, "guid")?, source, row.get("is_sensitive")?))
    });
    let (guid, source, is_sensitive) = found.optional()?.ok_or_else(|| not_found(id))?;
    match (source, is_sensitive) {
        (Some(mail), true) => {
            let stored = String::from_utf8_lossy(&mail).into_owned();
            Ok(Some(db.2.open(guid, stored)?.into_bytes()))
        }
        (source, _) => Ok(source),
    }
}

/// Removes a captured message.
///
/// # Errors
/// [`Error::NotFound`].
pub fn delete(tx: &Tx<'_>, id: CapturedId) -> Result<()> {
    match tx
        .0
        .0
        .execute("delete from captured where id = ?1", [id.0])?
    {
        0 => Err(not_found(id)),
        _ => Ok(()),
    }
}

fn not_found(id: CapturedId) -> Error {
    Error::NotFound(format!("No captured message has the ID {id}."))
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<Captured> {
    Ok(Captured {
        id: CapturedId(row.get("id")?),
        guid: guid(row, "guid")?,
        format: templates::format(row, "format")?,
        recipient: row.get("recipient")?,
        sender: row.get("sender")?,
        subject: row.get("subject")?,
        body: row.get("body")?,
        html_body: row.get("html_body")?,
        is_sensitive: row.get("is_sensitive")?,
        created: time(row, "created_at")?,
    })
}
