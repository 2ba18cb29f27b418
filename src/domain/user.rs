//! Recipients: who they are and how they can be reached. (api.md, `/v1/users`)

use crate::domain::address::{EmailAddress, PhoneNumber, no_controls};
use crate::domain::ids::UserId;
use crate::domain::language::Language;
use crate::error::{Error, Result};
use jiff::Timestamp;
use uuid::Uuid;

/// The longest user name, in characters.
pub const USER_NAME_CHARS_MAX: usize = 128;
/// The longest full name, in characters.
pub const NAME_CHARS_MAX: usize = 128;
/// The largest attributes object, in bytes of JSON.
pub const ATTRIBUTES_BYTES_MAX: usize = 16 * 1024;

/// A recipient as typed by a caller.
#[derive(Debug, Clone)]
pub struct UserDraft {
    /// Unique whatever the case.
    pub user_name: String,
    /// The full name; empty means the user name.
    pub name: Option<String>,
    /// E-mail address; empty means none.
    pub email: Option<String>,
    /// Mobile number in E.164; empty means none.
    pub mobile: Option<String>,
    /// A language tag; none means the settings' default.
    pub language: Option<String>,
    /// A disabled user is sent nothing.
    pub is_disabled: bool,
    /// A JSON object, opaque to the rules.
    pub attributes: String,
}

/// What may be relied on: a recipient that passed [`UserDraft::check`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserProfile {
    /// Unique whatever the case.
    pub user_name: String,
    /// The full name.
    pub name: String,
    /// Where mail goes.
    pub email: Option<EmailAddress>,
    /// Where SMS go.
    pub mobile: Option<PhoneNumber>,
    /// Which templates are preferred.
    pub language: Language,
    /// A disabled user is sent nothing.
    pub is_disabled: bool,
    /// A JSON object, opaque to the rules.
    pub attributes: String,
}

/// A stored recipient.
#[derive(Debug, Clone)]
pub struct User {
    /// The admin API's id.
    pub id: UserId,
    /// The send API's id.
    pub guid: Uuid,
    /// Everything a caller may set.
    pub profile: UserProfile,
    /// When it was added.
    pub created: Timestamp,
    /// When it was last changed.
    pub updated: Timestamp,
}

impl User {
    /// Whether anything may be sent to them.
    ///
    /// # Errors
    /// [`Error::Conflict`] for a disabled user.
    pub fn refuse_disabled(&self) -> Result<()> {
        match self.profile.is_disabled {
            false => Ok(()),
            true => Err(self.disabled()),
        }
    }

    /// What is said of a disabled user.
    #[must_use]
    pub fn disabled(&self) -> Error {
        Error::Conflict(format!(
            "The user {} is disabled; nothing is sent.",
            self.profile.user_name
        ))
    }
}

/// What is wrong with one field.
#[derive(Debug)]
pub struct Fault {
    /// Its name in the API.
    pub field: &'static str,
    /// [`Error::Invalid`] with a sentence that names it.
    pub error: Error,
}

impl UserDraft {
    /// Checks every field.
    ///
    /// # Errors
    /// [`Error::Invalid`] with a sentence that names the first field that is wrong.
    pub fn check(self, default_language: Language) -> Result<UserProfile> {
        self.check_all(default_language).map_err(|faults| {
            let first = faults.into_iter().next();
            first.map_or_else(|| Error::internal("no fault"), |fault| fault.error)
        })
    }

    /// Checks every field, and goes on when one is wrong.
    ///
    /// # Errors
    /// What is wrong, in the order of the fields; never empty.
    pub fn check_all(
        self,
        default_language: Language,
    ) -> std::result::Result<UserProfile, Vec<Fault>> {
        let mut faults = Vec::new();
        let user_name = self.user_name.trim().to_owned();
        let name = filled(self.name).unwrap_or_else(|| user_name.clone());
        let mut note = |field, checked: Result<()>| {
            faults.extend(checked.err().map(|error| Fault { field, error }));
        };
        note("UserName", check_user_name(&user_name));
        note("Name", bounded("Name", &name, NAME_CHARS_MAX));
        note("Attributes", check_attributes(&self.attributes));
        let email = filled(self.email).map(|text| EmailAddress::parse(&text));
        let email = email.transpose().unwrap_or_else(|error| {
            note("Email", Err(error));
            None
        });
        let mobile = filled(self.mobile).map(|text| PhoneNumber::parse(&text));
        let mobile = mobile.transpose().unwrap_or_else(|error| {
            note("Mobile", Err(error));
            None
        });
        let language = filled(self.language).map(|tag| Language::parse(&tag));
        let language = language.unwrap_or(Ok(default_language));
        match language {
            Ok(language) if faults.is_empty() => Ok(UserProfile {
                user_name,
                name,
                email,
                mobile,
                language,
                is_disabled: self.is_disabled,
                attributes: self.attributes,
            }),
            language => {
                let field = "Language";
                faults.extend(language.err().map(|error| Fault { field, error }));
                Err(faults)
            }
        }
    }
}

fn check_user_name(user_name: &str) -> Result<()> {
    bounded("UserName", user_name, USER_NAME_CHARS_MAX)?;
    match user_name.is_empty() {
        true => Err(Error::invalid("UserName must not be empty.")),
        false => Ok(()),
    }
}

fn check_attributes(attributes: &str) -> Result<()> {
    match attributes.len() > ATTRIBUTES_BYTES_MAX {
        true => Err(Error::Invalid(format!(
            "Attributes must be at most {ATTRIBUTES_BYTES_MAX} bytes of JSON."
        ))),
        false => Ok(()),
    }
}

fn filled(text: Option<String>) -> Option<String> {
    text.filter(|t| !t.trim().is_empty())
}

fn bounded(field: &str, text: &str, chars_max: usize) -> Result<()> {
    no_controls(field, text, false)?;
    if text.chars().count() > chars_max {
        return Err(Error::Invalid(format!(
            "{field} must be at most {chars_max} characters."
        )));
    }
    Ok(())
}
