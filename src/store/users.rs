//! Recipients.

use super::page::{Column, Kind, Page, Query, fetch};
use super::{Db, Tx, guid, is_unique_violation, time};
use crate::domain::address::{EmailAddress, PhoneNumber};
use crate::domain::ids::UserId;
use crate::domain::language::Language;
use crate::domain::user::{User, UserProfile};
use crate::error::{Error, Result};
use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, named_params};
use uuid::Uuid;

/// `ID`
pub const ID: Column = Column::new("u.id", Kind::Int);
/// `UserName`
pub const USER_NAME: Column = Column::new("u.user_name", Kind::Text);
/// `Name`
pub const NAME: Column = Column::new("u.name", Kind::Text);
/// `Email`
pub const EMAIL: Column = Column::new("u.email", Kind::Text);
/// `Mobile`
pub const MOBILE: Column = Column::new("u.mobile", Kind::Text);
/// `Language`
pub const LANGUAGE: Column = Column::new("u.language", Kind::Text);
/// `LCID`
pub const LCID: Column = Column::new("u.lcid", Kind::Int);
/// `IsDisabled`
pub const IS_DISABLED: Column = Column::new("u.is_disabled", Kind::Bool);
/// `CreatedDate`
pub const CREATED: Column = Column::new("u.created_at", Kind::Time);
/// `LastUpdated`
pub const UPDATED: Column = Column::new("u.updated_at", Kind::Time);

/// Adds a recipient.
///
/// # Errors
/// [`Error::Duplicate`] if the user name is taken.
pub fn insert(tx: &Tx<'_>, user: &UserProfile, guid: Uuid, now: Timestamp) -> Result<UserId> {
    let sql = "
        insert into recipient (guid, user_name, name, email, mobile, language, lcid, is_disabled, attributes,
            created_at, updated_at)
        values (:guid, :user_name, :name, :email, :mobile, :language, :lcid, :is_disabled, :attributes, :now, :now)
        returning id";
    tx.0.0
        .prepare_cached(sql)?
        .query_row(
            named_params! {
                ":guid": guid.as_bytes(), ":user_name": user.user_name, ":name": user.name,
                ":email": user.email.as_ref().map(EmailAddress::as_str),
                ":mobile": user.mobile.as_ref().map(PhoneNumber::as_str),
                ":language": user.language.tag(), ":lcid": user.language.lcid(),
                ":is_disabled": user.is_disabled, ":attributes": user.attributes,
                ":now": now.as_millisecond(),
            },
            |row| row.get("id").map(UserId),
        )
        .map_err(|fault| name_unique(fault, &user.user_name))
}

/// Replaces a recipient's profile. What waits for one who is disabled is cancelled.
///
/// # Errors
/// [`Error::Invalid`] if there is none with this id, [`Error::Duplicate`] if the user name is taken.
pub fn update(tx: &Tx<'_>, id: UserId, user: &UserProfile, now: Timestamp) -> Result<()> {
    let sql = "
        update recipient set user_name = :user_name, name = :name, email = :email, mobile = :mobile,
            language = :language, lcid = :lcid, is_disabled = :is_disabled, attributes = :attributes,
            updated_at = :now
        where id = :id";
    let changed =
        tx.0.0
            .prepare_cached(sql)?
            .execute(named_params! {
                ":id": id.0, ":user_name": user.user_name, ":name": user.name,
                ":email": user.email.as_ref().map(EmailAddress::as_str),
                ":mobile": user.mobile.as_ref().map(PhoneNumber::as_str),
                ":language": user.language.tag(), ":lcid": user.language.lcid(),
                ":is_disabled": user.is_disabled, ":attributes": user.attributes,
                ":now": now.as_millisecond(),
            })
            .map_err(|fault| name_unique(fault, &user.user_name))?;
    if changed == 0 {
        return Err(Error::Invalid(format!(
            "No user has the ID {id}; leave ID out to add a new one."
        )));
    }
    if user.is_disabled {
        super::of_user::cancel_waiting(tx, id, "The user was disabled.")?;
    }
    Ok(())
}

/// Erases a person: the row, and addresses and content of every message. The messages stay as counters, those that
/// wait are cancelled, and what the capture channel caught of them goes; so do the words of providers, who like to
/// repeat the address.
///
/// # Errors
/// [`Error::NotFound`].
pub fn erase(tx: &Tx<'_>, id: UserId) -> Result<()> {
    let theirs = super::of_user::ids("");
    let run = |sql: &str| {
        let sql = sql.replace("THEIRS", &theirs);
        let by = named_params! { ":user_id": id.0 };
        tx.0.0.prepare_cached(&sql)?.execute(by)
    };
    run("delete from captured where guid in (select guid from message where id in (THEIRS))")?;
    run("update attempt set answer = null where message_id in (THEIRS)")?;
    run("
        update message set status = 'cancelled', error = 'The user was erased.'
        where id in (THEIRS) and status in ('queued', 'scheduled')")?;
    run("update content set trace = '' where message_id in (THEIRS)")?;
    run("
        update message set user_id = null, recipient = '', recipient_name = null, has_content = 0,
            error = iif(attempts = 0 or error = 'The user was erased.', error, null)
        where id in (THEIRS)")?;
    match run("delete from recipient where id = :user_id")? {
        0 => Err(not_found(id)),
        _ => Ok(()),
    }
}

/// The recipient with this id.
///
/// # Errors
/// [`Error::NotFound`].
pub fn get(db: &Db, id: UserId) -> Result<User> {
    one(db, "u.id = ?1", [id.0])?.ok_or_else(|| not_found(id))
}

/// Whether the recipient with this id is disabled, without reading all that is known of them.
///
/// # Errors
/// [`Error::NotFound`].
pub fn is_disabled(db: &Db, id: UserId) -> Result<bool> {
    let sql = "select is_disabled from recipient where id = ?1";
    let found =
        db.0.prepare_cached(sql)?
            .query_row([id.0], |row| row.get(0));
    found.optional()?.ok_or_else(|| not_found(id))
}

fn not_found(id: UserId) -> Error {
    Error::NotFound(format!("No user has the ID {id}."))
}

/// The recipient with this GUID.
///
/// # Errors
/// [`Error::NotFound`].
pub fn get_by_guid(db: &Db, guid: Uuid) -> Result<User> {
    find_by_guid(db, guid)?.ok_or_else(|| Error::NotFound(format!("No user has the id {guid}.")))
}

/// The recipient with this user name.
///
/// # Errors
/// [`Error::NotFound`].
pub fn get_by_name(db: &Db, user_name: &str) -> Result<User> {
    find_by_name(db, user_name)?
        .ok_or_else(|| Error::NotFound(format!("No user has the name {user_name}.")))
}

/// How many users speak a language, and can be reached how; those who are disabled are not counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Speakers {
    /// The language.
    pub language: Language,
    /// All of them.
    pub users: u64,
    /// Those with an e-mail address.
    pub with_email: u64,
    /// Those with a mobile number.
    pub with_mobile: u64,
    /// Those with a device.
    pub with_device: u64,
}

/// Counted in its index.
pub(super) const SPEAKERS: &str = "
    select language, sum(count) as users, sum(count * has_email) as with_email, sum(count * has_mobile) as with_mobile
    from speaker group by language having sum(count) > 0";

/// From the devices, because most users have none.
pub(super) const WITH_DEVICE: &str = "
    select u.language, count(*) as users from (select distinct user_id from device) d
    join recipient u on u.id = d.user_id where u.is_disabled = 0 group by u.language";

/// How many speak each language, the most spoken first.
pub fn speakers(db: &Db) -> Result<Vec<Speakers>> {
    let count = |row: &Row<'_>, column: &str| row.get::<_, i64>(column).map(i64::unsigned_abs);
    let mut speakers = Vec::new();
    let mut statement = db.0.prepare_cached(SPEAKERS)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        speakers.push(Speakers {
            language: Language::parse(&row.get::<_, String>("language")?)?,
            users: count(row, "users")?,
            with_email: count(row, "with_email")?,
            with_mobile: count(row, "with_mobile")?,
            with_device: 0,
        });
    }
    let mut statement = db.0.prepare_cached(WITH_DEVICE)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let language = Language::parse(&row.get::<_, String>("language")?)?;
        let found = speakers.iter_mut().find(|s| s.language == language);
        if let Some(found) = found {
            found.with_device = count(row, "users")?;
        }
    }
    speakers.sort_by(|a, b| b.users.cmp(&a.users).then(a.language.cmp(&b.language)));
    Ok(speakers)
}

/// The recipient with this GUID, if there is one.
pub fn find_by_guid(db: &Db, guid: Uuid) -> Result<Option<User>> {
    one(db, "u.guid = ?1", [guid.as_bytes()])
}

/// The recipient with this user name, if there is one.
pub fn find_by_name(db: &Db, user_name: &str) -> Result<Option<User>> {
    one(db, "u.user_name = ?1", [user_name])
}

/// A page of recipients.
pub fn list(db: &Db, query: &Query) -> Result<Page<User>> {
    let searched = ["u.user_name", "u.name", "u.email", "u.mobile"];
    let page = fetch(
        db,
        COLUMNS,
        "recipient u where true",
        &searched,
        &ID,
        query,
        Columns::from_row,
    )?;
    Ok(Page {
        total: page.total,
        is_capped: page.is_capped,
        last_id: page.last_id,
        searched_to: page.searched_to,
        rows: page
            .rows
            .into_iter()
            .map(Columns::user)
            .collect::<Result<_>>()?,
    })
}

fn one(db: &Db, condition: &str, params: impl rusqlite::Params) -> Result<Option<User>> {
    let sql = format!("select {COLUMNS} from recipient u where {condition}");
    db.0.prepare_cached(&sql)?
        .query_row(params, Columns::from_row)
        .optional()?
        .map(Columns::user)
        .transpose()
}

fn name_unique(fault: rusqlite::Error, user_name: &str) -> Error {
    if is_unique_violation(&fault, "recipient.user_name") {
        Error::Duplicate(format!("A user has the name {user_name} already."))
    } else {
        fault.into()
    }
}

/// In the order in which [`Columns::from_row`] takes them: finding each by its name costs more than reading it.
const COLUMNS: &str =
    "u.id, u.guid, u.user_name, u.name, u.email, u.mobile, u.language, u.is_disabled, u.attributes,
    u.created_at, u.updated_at";

/// A row as it is stored; [`Columns::user`] makes it what may be relied on.
struct Columns {
    id: UserId,
    guid: Uuid,
    user_name: String,
    name: String,
    email: Option<String>,
    mobile: Option<String>,
    language: String,
    is_disabled: bool,
    attributes: String,
    created: Timestamp,
    updated: Timestamp,
}

impl Columns {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: UserId(row.get(0)?),
            guid: guid(row, 1)?,
            user_name: row.get(2)?,
            name: row.get(3)?,
            email: row.get(4)?,
            mobile: row.get(5)?,
            language: row.get(6)?,
            is_disabled: row.get(7)?,
            attributes: row.get(8)?,
            created: time(row, 9)?,
            updated: time(row, 10)?,
        })
    }

    fn user(self) -> Result<User> {
        Ok(User {
            id: self.id,
            guid: self.guid,
            profile: UserProfile {
                user_name: self.user_name,
                name: self.name,
                email: self.email.map(|e| EmailAddress::parse(&e)).transpose()?,
                mobile: self.mobile.map(|m| PhoneNumber::parse(&m)).transpose()?,
                language: Language::parse(&self.language)?,
                is_disabled: self.is_disabled,
                attributes: self.attributes,
            },
            created: self.created,
            updated: self.updated,
        })
    }
}
