//! What a person sets on the running appliance, with the defaults of a new one.

use crate::domain::address::{Mailbox, no_controls};
use crate::domain::ids::TypeId;
use crate::domain::language::Language;
use crate::error::{Error, Result};

/// The longest application name, in characters.
pub const APP_NAME_CHARS_MAX: usize = 100;
/// The longest application address, in bytes.
pub const APP_URL_BYTES_MAX: usize = 500;
/// The shortest key for action links, in bytes: as long as HS256's hash (RFC 7518, section 3.2).
pub const LINK_SECRET_BYTES_MIN: usize = 32;
/// The longest key for action links, in bytes.
pub const LINK_SECRET_BYTES_MAX: usize = 256;

/// How long the log is kept unless a person says otherwise, in days.
pub const RETENTION_DAYS: u32 = 90;
/// The longest that can be asked for, in days.
pub const RETENTION_DAYS_MAX: u32 = 36_500;
/// The largest database that can be asked for, in MiB.
pub const RETENTION_MEGABYTES_MAX: u32 = 16 * 1024 * 1024;

/// The settings as they are in force.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `app.name` in templates; also the subject of a custom mail without one.
    pub app_name: String,
    /// `app.url` in templates and link patterns; none means this appliance's own address.
    pub app_url: Option<String>,
    /// The language of users without one, and the third choice of templates.
    pub default_language: Language,
    /// The sender mailbox where neither the template nor the provider names one.
    pub default_sender: String,
    /// The pattern behind the placeholder `loginUrl`.
    pub login_url: String,
    /// The pattern behind the placeholder `resetUrl`.
    pub reset_url: String,
    /// The key that signs the tokens in action links. Never shown.
    pub link_secret: Vec<u8>,
    /// How many days the log and what was captured are kept; 0 means for ever.
    pub retention_days: u32,
    /// How large the database may become, in MiB, before the oldest is let go; 0 means as large as the disk allows.
    pub retention_megabytes: u32,
    /// The type behind each word of the send API's `messageType`.
    pub words: [(MessageWord, TypeId); 3],
}

/// The three words of the send API's `messageType`. (Send Message, "messageType")
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageWord {
    /// `welcome`
    Welcome,
    /// `logininfo`
    LoginInfo,
    /// `forgottenpassword`
    ForgottenPassword,
}

impl MessageWord {
    /// The words with their enumeration and the built-in type behind them.
    pub const ALL: [(Self, &'static str, TypeId); 3] = [
        (Self::Welcome, "welcome", TypeId(1)),
        (Self::LoginInfo, "logininfo", TypeId(2)),
        (Self::ForgottenPassword, "forgottenpassword", TypeId(3)),
    ];

    /// The word's meaning, if it is one of the three. Case matters: the document's spelling is binding.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|(_, w, _)| *w == word)
            .map(|(this, _, _)| this)
    }
}

impl Settings {
    /// A new appliance's settings.
    #[must_use]
    pub fn new(link_secret: Vec<u8>) -> Self {
        Self {
            app_name: "Herald".into(),
            app_url: None,
            default_language: Language::parse("en").expect("`en` is in the language table"),
            default_sender: "Herald <herald@localhost>".into(),
            login_url: "{{ app.url }}/login?user={{ user.guid }}&token={{ token }}".into(),
            reset_url: "{{ app.url }}/reset-password?user={{ user.guid }}&token={{ token }}".into(),
            link_secret,
            retention_days: RETENTION_DAYS,
            retention_megabytes: 0,
            words: MessageWord::ALL.map(|(word, _, type_id)| (word, type_id)),
        }
    }

    /// The type behind a word of the send API.
    #[must_use]
    pub fn type_behind(&self, word: MessageWord) -> TypeId {
        self.words
            .into_iter()
            .find(|(w, _)| *w == word)
            .map_or(TypeId(-1), |(_, type_id)| type_id)
    }
}

/// Settings as typed: what is absent stays as it is.
#[derive(Debug, Clone, Default)]
pub struct SettingsDraft {
    /// See [`Settings::app_name`].
    pub app_name: Option<String>,
    /// See [`Settings::app_url`]; empty means this appliance's own address.
    pub app_url: Option<String>,
    /// See [`Settings::default_language`].
    pub default_language: Option<String>,
    /// See [`Settings::default_sender`].
    pub default_sender: Option<String>,
    /// See [`Settings::login_url`].
    pub login_url: Option<String>,
    /// See [`Settings::reset_url`].
    pub reset_url: Option<String>,
    /// See [`Settings::link_secret`].
    pub link_secret: Option<String>,
    /// See [`Settings::retention_days`].
    pub retention_days: Option<u32>,
    /// See [`Settings::retention_megabytes`].
    pub retention_megabytes: Option<u32>,
    /// See [`Settings::words`].
    pub words: [Option<TypeId>; 3],
}

impl SettingsDraft {
    /// The settings with these changes; `check_link` knows what a link pattern may hold.
    ///
    /// # Errors
    /// [`Error::Invalid`] with a sentence that names the field.
    pub fn apply(self, to: Settings, check_link: impl Fn(&str) -> Result<()>) -> Result<Settings> {
        let mut settings = to;
        if let Some(name) = self.app_name {
            no_controls("AppName", &name, false)?;
            if name.trim().is_empty() || name.chars().count() > APP_NAME_CHARS_MAX {
                return Err(Error::Invalid(format!(
                    "AppName must be 1 to {APP_NAME_CHARS_MAX} characters."
                )));
            }
            settings.app_name = name;
        }
        if let Some(url) = self.app_url {
            settings.app_url = app_url(url)?;
        }
        if let Some(tag) = self.default_language {
            settings.default_language = Language::parse(&tag)?;
        }
        if let Some(sender) = self.default_sender {
            settings.default_sender = Mailbox::parse(&sender)?.as_str().to_owned();
        }
        for (field, given, pattern) in [
            ("LoginUrl", self.login_url, &mut settings.login_url),
            ("ResetUrl", self.reset_url, &mut settings.reset_url),
        ] {
            if let Some(given) = given {
                check_link(&given)
                    .map_err(|fault| Error::Invalid(format!("{field}: {}", fault.details())))?;
                *pattern = given;
            }
        }
        if let Some(secret) = self.link_secret {
            if !(LINK_SECRET_BYTES_MIN..=LINK_SECRET_BYTES_MAX).contains(&secret.len()) {
                return Err(Error::Invalid(format!(
                    "LinkSecret must be {LINK_SECRET_BYTES_MIN} to {LINK_SECRET_BYTES_MAX} bytes."
                )));
            }
            settings.link_secret = secret.into_bytes();
        }
        for (field, given, most, kept) in [
            (
                "RetentionDays",
                self.retention_days,
                RETENTION_DAYS_MAX,
                &mut settings.retention_days,
            ),
            (
                "RetentionMegabytes",
                self.retention_megabytes,
                RETENTION_MEGABYTES_MAX,
                &mut settings.retention_megabytes,
            ),
        ] {
            *kept = given.unwrap_or(*kept);
            if *kept > most {
                return Err(Error::Invalid(format!(
                    "{field} must be 0 to {most}; 0 means no limit."
                )));
            }
        }
        for (given, (_, type_id)) in self.words.into_iter().zip(&mut settings.words) {
            *type_id = given.unwrap_or(*type_id);
        }
        Ok(settings)
    }
}

fn app_url(url: String) -> Result<Option<String>> {
    let url = url.trim().trim_end_matches('/').to_owned();
    if url.is_empty() {
        return Ok(None);
    }
    let has_host = ["http://", "https://"].iter().any(|scheme| {
        url.strip_prefix(scheme)
            .is_some_and(|rest| rest.starts_with(|c: char| c.is_alphanumeric() || c == '['))
    });
    let has_gap = url.chars().any(|c| c.is_whitespace() || c.is_control());
    if !has_host || has_gap || url.len() > APP_URL_BYTES_MAX {
        return Err(Error::Invalid(format!(
            "AppUrl must be an address such as https://app.example.com, at most {APP_URL_BYTES_MAX} bytes."
        )));
    }
    Ok(Some(url))
}
