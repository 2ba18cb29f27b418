//! Operators signing in: passwords, sessions, the limit on wrong tries, and the first one of a new appliance.
//! (api.md, section 2, "Auth")

use crate::app::App;
use crate::domain::address::no_controls;
use crate::domain::ids::OperatorId;
use crate::domain::user::USER_NAME_CHARS_MAX;
use crate::error::{Error, Result};
use crate::secret::{self, LINK_PREFIX, SESSION_PREFIX, SETUP_PREFIX};
use crate::store::operators as rows;
use jiff::{SignedDuration, Timestamp};
use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The shortest password, in characters: more than the 8 of NIST SP 800-63B, section 5.1.1.2, for few and powerful users.
pub const PASSWORD_CHARS_MIN: usize = 10;
/// The longest password, in bytes: hashing is not to be a way to keep the processor busy.
pub const PASSWORD_BYTES_MAX: usize = 1024;
/// How long a session lasts.
pub const SESSION_HOURS: i64 = 12;
/// Wrong tries for one name from one address before it has to wait.
pub const WRONG_TRIES_MAX: u32 = 5;
/// How long it has to wait.
pub const WRONG_TRIES_WAIT_SECS: i64 = 15 * 60;
/// Passwords checked at once: each takes 19 MiB and much of a core.
const CHECKS_MAX: usize = 2;
/// Names and addresses whose wrong tries are remembered; past that the oldest are forgotten.
const TRIES_KEPT_MAX: usize = 10_000;
/// How long the set-up token of a new appliance is good, and a sign-in link.
pub const SETUP_MINUTES: i64 = 30;

/// What the process remembers of people at the door.
#[derive(Default)]
pub struct Door {
    tries: Mutex<HashMap<(String, String), Tries>>,
    checking: AtomicUsize,
    setup: Ticket<()>,
    link: Ticket<String>,
}

/// A token that is good once, for a while, and what it is good for; by its hash.
struct Ticket<T>(Mutex<Option<([u8; 32], Timestamp, T)>>);

impl<T> Default for Ticket<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

#[derive(Clone, Copy)]
struct Tries {
    wrong: u32,
    since: Timestamp,
}

/// Someone who signed in.
pub struct SignedIn {
    /// The session's token: for the cookie or as a bearer token.
    pub token: String,
    /// The operator's name.
    pub name: String,
}

/// The hash of a new password.
///
/// # Errors
/// [`Error::Invalid`] for one that is too short or too long.
pub fn new_password(password: &str) -> Result<String> {
    check_password(password)?;
    secret::password_hash(password)
}

fn check_password(password: &str) -> Result<()> {
    if password.chars().count() < PASSWORD_CHARS_MIN || password.len() > PASSWORD_BYTES_MAX {
        return Err(Error::Invalid(format!(
            "A password must be at least {PASSWORD_CHARS_MIN} characters and at most {PASSWORD_BYTES_MAX} bytes."
        )));
    }
    Ok(())
}

/// Checks the name of a new operator.
///
/// # Errors
/// [`Error::Invalid`].
pub fn check_name(name: &str) -> Result<()> {
    no_controls("username", name, false)?;
    if name.trim().is_empty() || name.chars().count() > USER_NAME_CHARS_MAX {
        return Err(Error::Invalid(format!(
            "username must be 1 to {USER_NAME_CHARS_MAX} characters."
        )));
    }
    Ok(())
}

/// Signs in with a password; `from` is the address of the caller.
///
/// # Errors
/// [`Error::InvalidCredentials`], whichever of name and password is wrong; [`Error::CannotAccess`] after too many wrong
/// tries; [`Error::TooManyRequests`] while too many passwords are being checked.
pub fn sign_in(app: &App, name: &str, password: &str, from: &str) -> Result<SignedIn> {
    let now = app.clock.now();
    if name.chars().count() > USER_NAME_CHARS_MAX {
        // Nobody has it, and remembering it would let anyone fill the memory.
        return Err(wrong_credentials());
    }
    let key = (name.to_lowercase(), from.to_owned());
    app.door.may_try(&key, now)?;
    let found = app.store.read(|db| rows::credentials(db, name))?;
    let _checking = app.door.begin_check()?;
    // An unknown name takes as long as a wrong password.
    let hash = found
        .as_ref()
        .map_or(secret::NO_PASSWORD, |(_, _, hash)| hash);
    let is_right = password.len() <= PASSWORD_BYTES_MAX && secret::password_matches(password, hash);
    let Some((id, name, hash)) = found.filter(|_| is_right) else {
        app.door.note_wrong(key, now);
        return Err(wrong_credentials());
    };
    app.door.forget(&key);
    Ok(SignedIn {
        token: new_session(app, id, hash)?,
        name,
    })
}

fn wrong_credentials() -> Error {
    Error::InvalidCredentials("The user name or the password is wrong.".into())
}

/// Ends a session.
pub fn sign_out(app: &App, token: &str) -> Result<()> {
    let hash = secret::hash(token);
    app.store.write(move |tx| rows::delete_session(tx, &hash))
}

/// Changes the password of a signed-in operator and ends all their sessions.
///
/// # Errors
/// As [`sign_in`] for the old password, and [`Error::Invalid`] for the new one.
pub fn change_password(app: &App, name: &str, old: &str, new: &str, from: &str) -> Result<()> {
    check_password(new)?;
    sign_in(app, name, old, from)?;
    let hash = new_password(new)?;
    let (name, now) = (name.to_owned(), app.clock.now());
    app.store
        .write(move |tx| rows::set_password(tx, &name, &hash, now))
}

/// A token that lets its bearer make the first operator; none if there is an operator or a client already.
///
/// # Errors
/// Faults of the database or of the system's randomness.
pub fn setup_token(app: &App) -> Result<Option<String>> {
    if app.store.read(rows::is_taken)? {
        return Ok(None);
    }
    app.door
        .setup
        .issue(SETUP_PREFIX, (), app.clock.now())
        .map(Some)
}

/// Whether a set-up token is there that has been neither used nor forgotten, and would make the first operator.
///
/// # Errors
/// A fault of the database.
pub fn first_run(app: &App) -> Result<FirstRun> {
    let has_operator = app.store.read(|db| Ok(!rows::list(db)?.is_empty()))?;
    Ok(
        match (has_operator, app.door.setup.is_open(app.clock.now())) {
            (true, _) => FirstRun::Over,
            (false, true) => FirstRun::Open,
            (false, false) => FirstRun::Closed,
        },
    )
}

/// Where a new appliance is on its way to its first operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FirstRun {
    /// The set-up token makes the first operator.
    Open,
    /// There is no operator, and no token either: a start makes a new one.
    Closed,
    /// There is an operator.
    Over,
}

/// A token that signs this operator in once, within [`SETUP_MINUTES`]; it replaces the one before.
///
/// # Errors
/// A fault of the system's randomness.
pub fn sign_in_token(app: &App, name: &str) -> Result<String> {
    let ticket = &app.door.link;
    ticket.issue(LINK_PREFIX, name.to_owned(), app.clock.now())
}

/// Signs in with the token of a link. It works once.
///
/// # Errors
/// [`Error::InvalidCredentials`] for a token that is wrong, used or too old, or whose operator is gone.
pub fn sign_in_by_link(app: &App, token: &str) -> Result<SignedIn> {
    let name = app.door.link.take(token, app.clock.now());
    let name = name.ok_or_else(no_link)?;
    let found = app.store.read(|db| rows::credentials(db, &name))?;
    let (id, name, hash) = found.ok_or_else(no_link)?;
    Ok(SignedIn {
        token: new_session(app, id, hash)?,
        name,
    })
}

fn no_link() -> Error {
    let text = "The sign-in link is wrong, used or too old; sign in with name and password.";
    Error::InvalidCredentials(text.into())
}

/// Makes the first operator and signs them in. The token works once.
///
/// # Errors
/// [`Error::InvalidCredentials`] for a token that is wrong, used or too old.
pub fn set_up(app: &App, token: &str, name: &str, password: &str) -> Result<SignedIn> {
    let now = app.clock.now();
    // The token first: hashing for just anyone would keep the processor busy.
    if !app.door.setup.is_good(token, now) {
        return Err(no_setup());
    }
    check_name(name)?;
    let hash = new_password(password)?;
    app.door.setup.take(token, now).ok_or_else(no_setup)?;
    let (new, kept) = (name.to_owned(), hash.clone());
    let id = app.store.write(move |tx| {
        // The command line may have added one since the token was made.
        match rows::list(tx)?.is_empty() {
            true => rows::insert(tx, &new, &kept, now),
            false => Err(no_setup()),
        }
    })?;
    Ok(SignedIn {
        token: new_session(app, id, hash)?,
        name: name.to_owned(),
    })
}

fn no_setup() -> Error {
    let text = "The set-up token is wrong, used or too old; start the server again for a new one.";
    Error::InvalidCredentials(text.into())
}

/// A session for the operator whose password has this hash; none if it was changed while it was being checked.
fn new_session(app: &App, id: OperatorId, password: String) -> Result<String> {
    let token = secret::mint(SESSION_PREFIX)?;
    let (hash, now) = (secret::hash(&token), app.clock.now());
    let expires = now
        .checked_add(SignedDuration::from_hours(SESSION_HOURS))
        .map_err(Error::internal)?;
    app.store
        .write(move |tx| rows::insert_session(tx, &hash, id, &password, expires, now))?;
    Ok(token)
}

impl Door {
    fn may_try(&self, key: &(String, String), now: Timestamp) -> Result<()> {
        let tries = lock(&self.tries);
        let Some(tried) = tries.get(key).filter(|t| t.wrong >= WRONG_TRIES_MAX) else {
            return Ok(());
        };
        let left = WRONG_TRIES_WAIT_SECS - now.duration_since(tried.since).as_secs();
        match u32::try_from(left) {
            Ok(left) if left > 0 => Err(Error::CannotAccess {
                retry_after_secs: left,
                details: "Too many wrong passwords; wait before you try again.".into(),
            }),
            _ => Ok(()),
        }
    }

    fn note_wrong(&self, key: (String, String), now: Timestamp) {
        let mut tries = lock(&self.tries);
        tries.retain(|_, t| now.duration_since(t.since).as_secs() < WRONG_TRIES_WAIT_SECS);
        if tries.len() >= TRIES_KEPT_MAX && !tries.contains_key(&key) {
            let oldest = tries.iter().min_by_key(|(_, t)| t.since);
            if let Some(oldest) = oldest.map(|(key, _)| key.clone()) {
                tries.remove(&oldest);
            }
        }
        let tried = tries.entry(key).or_insert(Tries {
            wrong: 0,
            since: now,
        });
        tried.wrong += 1;
        tried.since = now;
    }

    fn forget(&self, key: &(String, String)) {
        lock(&self.tries).remove(key);
    }

    fn begin_check(&self) -> Result<Checking<'_>> {
        let checking = Checking(&self.checking);
        match self.checking.fetch_add(1, Ordering::AcqRel) < CHECKS_MAX {
            true => Ok(checking),
            false => Err(Error::TooManyRequests {
                retry_after_secs: 1,
                details: "Too many people are signing in at once.".into(),
            }),
        }
    }
}

impl<T: Clone> Ticket<T> {
    /// A new token; the one before is good no longer.
    fn issue(&self, prefix: &str, what: T, now: Timestamp) -> Result<String> {
        let token = secret::mint(prefix)?;
        let lasts = SignedDuration::from_mins(SETUP_MINUTES);
        let expires = now.checked_add(lasts).map_err(Error::internal)?;
        *lock(&self.0) = Some((secret::hash(&token), expires, what));
        Ok(token)
    }

    fn is_open(&self, now: Timestamp) -> bool {
        lock(&self.0)
            .as_ref()
            .is_some_and(|(_, expires, _)| now < *expires)
    }

    fn is_good(&self, token: &str, now: Timestamp) -> bool {
        self.is_open(now)
            && lock(&self.0)
                .as_ref()
                .is_some_and(|(kept, ..)| secret::matches(token, kept))
    }

    /// Of two with the same token at once, the second one comes too late.
    fn take(&self, token: &str, now: Timestamp) -> Option<T> {
        let mut kept = lock(&self.0);
        let (hash, expires, _) = kept.as_ref()?;
        match now < *expires && secret::matches(token, hash) {
            true => kept.take().map(|(.., what)| what),
            false => None,
        }
    }
}

/// A password being checked.
struct Checking<'a>(&'a AtomicUsize);

impl Drop for Checking<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_names_makes_the_door_forget_the_oldest_and_no_other() {
        let door = Door::default();
        let at = |secs| Timestamp::from_second(secs).unwrap();
        let key = |n: i64| (format!("name{n}"), String::new());
        let full = 0..TRIES_KEPT_MAX as i64;
        lock(&door.tries).extend(full.map(|n| {
            let since = at(n / 100);
            (key(n), Tries { wrong: 1, since })
        }));
        let (oldest, locked) = (key(-1), key(-2));
        let tries = [(oldest.clone(), 0), (locked.clone(), WRONG_TRIES_MAX)];
        lock(&door.tries).remove(&key(0));
        lock(&door.tries).remove(&key(1));
        for ((key, wrong), since) in tries.into_iter().zip([at(-1), at(200)]) {
            lock(&door.tries).insert(key, Tries { wrong, since });
        }
        door.note_wrong(("another".into(), String::new()), at(201));
        assert_eq!(lock(&door.tries).len(), TRIES_KEPT_MAX);
        assert!(!lock(&door.tries).contains_key(&oldest));
        assert!(door.may_try(&locked, at(201)).is_err());
    }
}
