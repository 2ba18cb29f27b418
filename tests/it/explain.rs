//! Explaining is sending without the sending: for a thousand random set-ups both give the same trace, and it begins
//! with the channels that the rule asks for. (api.md, POST `/v1/messages/send` and `/v1/messages/explain`)

use crate::support::app::{NOW, TestApp};
use herald::accept::{self, Choice, Order, What};
use herald::domain::device::DeviceDraft;
use herald::domain::format::{Channel, Format};
use herald::domain::ids::{MessageId, TypeId, UserId};
use herald::domain::language::Language;
use herald::domain::message::{Decision, Status};
use herald::domain::message_type::{MessageType, Slug};
use herald::domain::placeholder::Values;
use herald::domain::preference::{Channels, Wish};
use herald::domain::template::Draft;
use herald::domain::user::UserDraft;
use herald::error::Result;
use herald::render;
use herald::store::{
    self, Tx, devices, messages, preferences, settings, system_preferences, templates, types, users,
};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::sync::Arc;
use uuid::Uuid;

/// Each set-up is made from its number alone: a failure names the number, and the number is the whole recipe.
const SETUPS: u64 = 1_000;
/// One in so many goes through HTTP, the others straight through `accept`.
const THROUGH_HTTP_EVERY: u64 = 20;

const LANGUAGES: [&str; 6] = ["en", "en-GB", "en-US", "da-DK", "de-DE", "de-AT"];

/// SplitMix64: deterministic, and good enough to pick set-ups.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn percent(&mut self, chance: u64) -> bool {
        self.next() % 100 < chance
    }

    fn pick<T: Copy>(&mut self, all: &[T]) -> T {
        all[(self.next() % all.len() as u64) as usize]
    }

    fn some_of<T: Copy>(&mut self, all: &[T]) -> Vec<T> {
        all.iter().copied().filter(|_| self.percent(50)).collect()
    }
}

/// Everything a decision can depend on.
#[derive(Debug)]
struct Setup {
    number: u64,
    default_language: &'static str,
    is_system: bool,
    is_notification: bool,
    default_channels: Vec<Channel>,
    /// Format, language, and whether it was deleted again.
    templates: Vec<(Format, &'static str, bool)>,
    language: &'static str,
    has_email: bool,
    has_mobile: bool,
    is_disabled: bool,
    devices: usize,
    system_preference: Option<Format>,
    /// No channel means switched off.
    preference: Option<Vec<Channel>>,
    /// What the request names.
    formats: Option<Vec<Format>>,
    send_at: Option<Timestamp>,
}

impl Setup {
    fn new(number: u64) -> Self {
        let random = &mut Random(number);
        let (is_system, is_notification) =
            random.pick(&[(true, false), (false, true), (true, true)]);
        let mut default_channels = random.some_of(&Channel::ALL);
        if default_channels.is_empty() {
            default_channels.push(random.pick(&Channel::ALL));
        }
        let mut templates = Vec::new();
        for format in Format::ALL {
            for language in LANGUAGES {
                if random.percent(25) {
                    templates.push((format, language, random.percent(20)));
                }
            }
        }
        let now: Timestamp = NOW.parse().unwrap();
        Self {
            number,
            default_language: random.pick(&LANGUAGES),
            is_system,
            is_notification,
            default_channels,
            templates,
            language: random.pick(&LANGUAGES),
            has_email: random.percent(80),
            has_mobile: random.percent(80),
            is_disabled: random.percent(10),
            devices: random.pick(&[0, 0, 1, 2, 3]),
            system_preference: (is_system && random.percent(40)).then(|| random.pick(&Format::ALL)),
            preference: (is_notification && random.percent(60))
                .then(|| random.some_of(&Channel::ALL)),
            formats: Some(random.some_of(&Format::ALL))
                .filter(|formats| !formats.is_empty() && random.percent(40)),
            // Most wait for later, so that the test is not about the outbox.
            send_at: random
                .percent(90)
                .then(|| now + SignedDuration::from_secs(1 + (random.next() % 100_000) as i64)),
        }
    }

    /// What the rule asks for, written down a second time: the channel of each message, or none at all.
    fn channels(&self) -> Option<Vec<Channel>> {
        if self.is_disabled {
            return None;
        }
        let wanted = if let Some(formats) = &self.formats {
            formats.iter().map(|format| format.channel()).collect()
        } else if let Some(format) = self.system_preference {
            vec![format.channel()]
        } else if let Some(preferred) = &self.preference {
            preferred.clone()
        } else {
            self.default_channels.clone()
        };
        let each = |channel: Channel| match channel {
            Channel::Push => vec![channel; self.devices.max(1)],
            _ => vec![channel],
        };
        (!wanted.is_empty()).then(|| wanted.into_iter().flat_map(each).collect())
    }

    /// Writes it down in one transaction.
    fn store(&self, app: &TestApp) -> (UserId, TypeId) {
        let plan = Self::new(self.number);
        let store = &app.server().app.store;
        store.write(move |tx| plan.insert(tx)).unwrap()
    }

    fn insert(&self, tx: &Tx<'_>) -> Result<(UserId, TypeId)> {
        let now = NOW.parse().unwrap();
        let mut settings = Arc::unwrap_or_clone(settings::load(tx)?);
        settings.default_language = Language::parse(self.default_language)?;
        settings::save(tx, &settings)?;
        let mut message_type = self.message_type()?;
        message_type.id = types::insert(tx, &message_type, now)?;
        for (format, language, is_deleted) in &self.templates {
            let draft = Draft {
                type_id: message_type.id.0,
                format: format.number(),
                language: (*language).into(),
                sender: Some("a@example.com".into()),
                subject: Some("Subject".into()),
                body: Some("{{ user.name }} in {{ user.language }}".into()),
                html_body: None,
            };
            let template = draft.check(Some(&message_type), render::inspect)?;
            let id = templates::insert(tx, &template, "tests", now)?;
            if *is_deleted {
                templates::delete(tx, id, "tests", now)?;
            }
        }
        if let Some(format) = self.system_preference {
            system_preferences::insert(tx, message_type.id, format, "tests", now)?;
        }
        let user = self.insert_user(tx, now)?;
        if let Some(channels) = &self.preference {
            let has = |channel| channels.contains(&channel);
            let set = Channels {
                email: has(Channel::Email),
                sms: has(Channel::Sms),
                push: has(Channel::Push),
            };
            let wish = Wish::new(set, channels.is_empty())?;
            preferences::insert(tx, user, message_type.id, wish, "tests", now)?;
        }
        Ok((user, message_type.id))
    }

    fn message_type(&self) -> Result<MessageType> {
        Ok(MessageType {
            id: TypeId(0),
            guid: Uuid::new_v4(),
            slug: Slug::parse(&format!("type-{}", self.number))?,
            name: format!("Type {}", self.number),
            is_system: self.is_system,
            is_notification: self.is_notification,
            words: Vec::new(),
            default_formats: self.default_channels.clone(),
            expiry_secs: 3_600,
            sensitive: false,
        })
    }

    fn insert_user(&self, tx: &Tx<'_>, now: Timestamp) -> Result<UserId> {
        let number = self.number;
        let draft = UserDraft {
            user_name: format!("user-{number}"),
            name: None,
            email: self.has_email.then(|| format!("user-{number}@example.com")),
            mobile: self.has_mobile.then(|| format!("+4512{number:06}")),
            language: Some(self.language.into()),
            is_disabled: self.is_disabled,
            attributes: "{}".into(),
        };
        let profile = draft.check(Language::parse("en")?)?;
        let user = users::insert(tx, &profile, Uuid::new_v4(), now)?;
        for device in 0..self.devices {
            let draft = DeviceDraft::check(None, Some(format!("device-{number}-{device}")))?;
            devices::insert(tx, user, &draft, Uuid::new_v4(), now)?;
        }
        Ok(user)
    }
}

/// What is said about one message, whoever says it.
#[derive(Debug, PartialEq)]
struct Told {
    format: i64,
    /// Only what is final at once: what is queued may have been sent meanwhile.
    status: Option<String>,
    recipient: String,
    template: Option<i64>,
    error: Option<String>,
    trace: Vec<(String, String, String)>,
}

impl Told {
    fn channel(&self) -> Channel {
        Format::from_number(self.format).unwrap().channel()
    }
}

/// Only what ended before it was queued stays as it is.
fn settled(status: &str) -> Option<String> {
    ["failed", "suppressed"]
        .contains(&status)
        .then(|| status.to_owned())
}

fn steps(trace: &[Decision]) -> Vec<(String, String, String)> {
    let step = |d: &Decision| (d.about.clone(), d.choice.clone(), d.reason.clone());
    trace.iter().map(step).collect()
}

/// From an `explain` or from a log entry: both name these fields alike.
fn from_json(data: &Value) -> Told {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let step = |d: &Value| {
        (
            text(&d["About"]).unwrap(),
            text(&d["Choice"]).unwrap(),
            text(&d["Reason"]).unwrap(),
        )
    };
    Told {
        format: data["MessageFormat"].as_i64().unwrap(),
        status: settled(data["Status"].as_str().unwrap()),
        recipient: text(&data["Recipient"]).unwrap(),
        template: data["TemplateID"].as_i64(),
        error: text(&data["Error"]),
        trace: data["Trace"].as_array().unwrap().iter().map(step).collect(),
    }
}

/// Explains and sends through HTTP; what was sent is none where the API refused.
fn through_http(app: &TestApp, setup: &Setup, ids: (UserId, TypeId)) -> (Vec<Told>, Vec<Told>) {
    let mut body = json!({"UserId": ids.0.0, "MessageType": ids.1.0});
    if let Some(formats) = &setup.formats {
        body["Formats"] = formats.iter().map(|format| format.number()).collect();
    }
    if let Some(at) = setup.send_at {
        body["SendAt"] = at.to_string().into();
    }
    let body = body.to_string();
    let explained = app.post("/api/admin/v1/messages/explain", &body).json();
    let explained: Vec<_> = explained["Data"]
        .as_array()
        .unwrap()
        .iter()
        .map(from_json)
        .collect();
    let reply = app.post("/api/admin/v1/messages/send", &body);
    if reply.status == 400 {
        return (explained, Vec::new());
    }
    let (entries, first) = reply.header("location").rsplit_once('/').unwrap();
    let first: usize = first.parse().unwrap();
    let entry = |at| from_json(&app.get(&format!("{entries}/{}", first + at)).json()["Data"]);
    let sent = (0..explained.len()).map(entry).collect();
    (explained, sent)
}

/// The same without HTTP, and what was sent as the log has it.
fn through_accept(app: &TestApp, setup: &Setup, ids: (UserId, TypeId)) -> (Vec<Told>, Vec<Told>) {
    let herald = &app.server().app;
    let order = || {
        let (user, message_type) = herald
            .store
            .read(|db| Ok((users::get(db, ids.0)?, types::get(db, ids.1)?)))
            .unwrap();
        Order {
            user,
            what: What::Typed(message_type, Values::new()),
            choice: match setup.formats.clone() {
                Some(formats) => Choice::Formats(formats),
                None => Choice::Preference,
            },
            send_at: setup.send_at,
            by: "tests".into(),
        }
    };
    let prepare = |db: &store::Db| accept::prepare(herald, db, order());
    let prepared = herald.store.read(prepare).unwrap();
    let explained: Vec<_> = prepared
        .messages()
        .iter()
        .map(|message| Told {
            format: message.format.number(),
            status: settled(message.status.word()),
            recipient: message.recipient.clone(),
            template: message.template_id.map(|t| t.0),
            error: message.error.clone(),
            trace: steps(&message.trace),
        })
        .collect();
    let Ok(prepared) = herald.store.read(prepare).unwrap().require_a_way() else {
        return (explained, Vec::new());
    };
    let accepted = accept::commit(herald, prepared, None).unwrap();
    let sent = accepted.iter().map(|m| logged(herald, m.id)).collect();
    (explained, sent)
}

fn logged(herald: &herald::app::App, id: MessageId) -> Told {
    let entry = herald.store.read(|db| messages::entry(db, id)).unwrap();
    Told {
        format: entry.line.format.number(),
        status: settled(entry.line.status.word()),
        recipient: entry.line.recipient,
        template: entry.line.template_id.map(|t| t.0),
        error: entry.line.error,
        trace: steps(&entry.trace),
    }
}

#[test]
fn what_is_explained_is_what_happens() {
    let app = TestApp::start().may_end_waiting();
    let mut seen = [0_u32; 3];
    for number in 0..SETUPS {
        let setup = Setup::new(number);
        let ids = setup.store(&app);
        let (explained, sent) = match number % THROUGH_HTTP_EVERY {
            0 => through_http(&app, &setup, ids),
            _ => through_accept(&app, &setup, ids),
        };
        let channels: Vec<_> = explained.iter().map(Told::channel).collect();
        let is = |told: &Told, status: Status| told.status.as_deref() == Some(status.word());
        match setup.channels() {
            Some(expected) => assert_eq!(channels, expected, "{setup:?}"),
            None => assert!(is(&explained[0], Status::Suppressed), "{setup:?}"),
        }
        // Where every way is closed nothing is sent; in every other case it is what was explained.
        if explained.iter().all(|told| is(told, Status::Failed)) {
            assert_eq!(sent, [], "{setup:?}");
            seen[0] += 1;
        } else {
            assert_eq!(explained, sent, "{setup:?}");
            seen[usize::from(setup.channels().is_some()) + 1] += 1;
        }
    }
    // A generator that forgets a kind of set-up proves nothing about it.
    assert!(seen.iter().all(|count| *count > 50), "{seen:?}");
    let log = app
        .server()
        .app
        .store
        .read(store::waiting::pending)
        .unwrap();
    assert!(log > 500, "{log}");
}
