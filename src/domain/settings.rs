//! What a person sets on the running appliance, with the defaults of a new one.

use crate::domain::ids::TypeId;
use crate::domain::language::Language;

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
