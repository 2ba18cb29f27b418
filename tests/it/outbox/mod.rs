//! What the outbox does with messages and providers. (delivery.md, "Engine" and "Retry policy")

mod causes;
mod crowds;
mod failover;
mod faults;
mod lanes;
mod matrix;
mod pace;
mod paused;
mod policy;
mod privacy;

use crate::support::app::{NOW, TestApp};
use herald::app::App;
use herald::channel::{Class, Failure, Provider, Receipt, Session};
use herald::clock::Clock;
use herald::config::Config;
use herald::domain::format::{Channel, Format};
use herald::domain::ids::{MessageId, TypeId, UserId};
use herald::domain::language::Language;
use herald::domain::message::{LogEntry, NewMessage, Outgoing, Status};
use herald::domain::user::UserDraft;
use herald::outbox::policy::Policy;
use herald::outbox::{Bells, Carrier, Outbox};
use herald::store::claims::{Claim, Claimed, Takes};
use herald::store::{self, Access};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// The user of every message here.
const USER: UserId = UserId(1);

fn now() -> Timestamp {
    NOW.parse().unwrap()
}

fn after(secs: i64) -> Timestamp {
    now() + SignedDuration::from_secs(secs)
}

/// A message due now that lives for four days.
fn message(format: Format) -> NewMessage {
    let recipient = match format.channel() {
        Channel::Email => "bo@example.net",
        Channel::Sms => "+4520000001",
        Channel::Push => "device-1",
    };
    NewMessage {
        guid: Uuid::new_v4(),
        user_id: Some(USER),
        type_id: TypeId(0),
        template_id: None,
        format,
        status: Status::Queued,
        is_system: false,
        is_released: false,
        recipient: recipient.into(),
        recipient_name: None,
        sender: None,
        subject: Some("Hello".into()),
        body: Some("Hello, Bo.".into()),
        html_body: None,
        is_sensitive: false,
        created: now(),
        created_by: "tests".into(),
        due: now(),
        expires: after(4 * 24 * 3600),
        by_the_minute: false,
        error: None,
        cause: None,
        trace: Vec::new(),
    }
}

fn mail() -> NewMessage {
    message(Format::SimpleTextEmail)
}

fn sms() -> NewMessage {
    message(Format::Sms)
}

fn push() -> NewMessage {
    message(Format::Push)
}

/// Commits a message without waking anybody.
fn insert(app: &App, message: NewMessage) -> MessageId {
    app.store
        .write(move |tx| store::messages::insert(tx, &message))
        .unwrap()
}

/// Commits a message and wakes its senders.
fn put(app: &App, message: NewMessage) -> MessageId {
    let channel = message.format.channel();
    let id = insert(app, message);
    app.bells.ring(channel);
    id
}

fn entry(app: &App, id: MessageId) -> LogEntry {
    app.store.read(|db| store::messages::entry(db, id)).unwrap()
}

/// Takes what is due of a channel, as a sender would.
fn claim(
    tx: &store::Tx<'_>,
    channel: Channel,
    takes: Takes,
    limit: usize,
    provider: &str,
    default_sender: &str,
    now: Timestamp,
) -> herald::error::Result<Vec<Claimed>> {
    let claim = Claim {
        channel,
        takes,
        limit,
        provider: provider.into(),
        default_sender: default_sender.into(),
        now,
    };
    store::claims::claim(tx, &claim, |_| None)
}

/// Status, attempts and error: what a list shows of how it went.
fn line(app: &App, id: MessageId) -> (Status, u32, Option<String>) {
    let line = entry(app, id).line;
    (line.status, line.attempts, line.error)
}

/// Waits until a message has had this many attempts and rests between them or for good.
#[track_caller]
fn tried(app: &TestApp, id: MessageId, attempts: u32) -> LogEntry {
    let app_inside = &app.server().app;
    app.until("the attempt is over", || {
        let (status, tried, _) = line(app_inside, id);
        tried >= attempts && status != Status::Sending
    });
    entry(app_inside, id)
}

type Play = dyn Fn(&Outgoing) -> Result<Receipt, Failure> + Send + Sync;

/// A provider in this process, for what no real server can be told to do; writes down what it is given.
struct Puppet {
    name: &'static str,
    connections: usize,
    play: Arc<Play>,
    given: Arc<Mutex<Vec<Uuid>>>,
}

impl Puppet {
    fn new(
        name: &'static str,
        play: impl Fn(&Outgoing) -> Result<Receipt, Failure> + Send + Sync + 'static,
    ) -> Self {
        Self {
            name,
            connections: 1,
            play: Arc::new(play),
            given: Arc::default(),
        }
    }

    fn given(&self) -> Arc<Mutex<Vec<Uuid>>> {
        Arc::clone(&self.given)
    }
}

impl Provider for Puppet {
    fn name(&self) -> &str {
        self.name
    }

    fn connections(&self) -> usize {
        self.connections
    }

    fn recognises_repeats(&self) -> bool {
        true
    }

    fn session(&self) -> Box<dyn Session> {
        Box::new(Strings(self.play.clone(), self.given.clone()))
    }

    fn check(&self) -> Result<String, Failure> {
        Ok(self.name.into())
    }
}

struct Strings(Arc<Play>, Arc<Mutex<Vec<Uuid>>>);

impl Session for Strings {
    fn send(&mut self, message: &Outgoing) -> Result<Receipt, Failure> {
        self.1.lock().unwrap().push(message.guid);
        (self.0)(message)
    }

    fn rest(&mut self) {}
}

fn failure(class: Class) -> Failure {
    Failure {
        class,
        code: None,
        answer: "No.".into(),
        retry_after: None,
    }
}

/// The outbox without a server, over providers of the test's own.
struct Bench {
    app: Arc<App>,
    directory: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        Self::over(tempfile::tempdir().unwrap())
    }

    /// Over a directory that another one had.
    fn over(directory: tempfile::TempDir) -> Self {
        let config = Config::capturing(Vec::new(), directory.path().join("data")).unwrap();
        let app = App::open(&config, Access::Shared, Clock::fixed(now())).unwrap();
        Self {
            app: Arc::new(app),
            directory,
        }
    }

    fn data_dir(&self) -> std::path::PathBuf {
        self.directory.path().join("data")
    }

    /// Starts senders that the application's own bells wake.
    fn start(&self, providers: Vec<(Channel, Puppet)>) -> Outbox {
        self.start_with(&self.app.bells, providers)
    }

    fn start_with(&self, bells: &Bells, providers: Vec<(Channel, Puppet)>) -> Outbox {
        let mut by_channel: BTreeMap<Channel, Vec<Carrier>> = BTreeMap::new();
        for (channel, puppet) in providers {
            by_channel
                .entry(channel)
                .or_default()
                .push(Carrier::from(Arc::new(puppet) as Arc<dyn Provider>));
        }
        let App { store, clock, .. } = self.app.as_ref();
        Outbox::start(store, clock, bells, &Policy::default(), by_channel).unwrap()
    }

    /// Adds a recipient; the first has the ID 1.
    fn add_user(&self, user_name: &str) -> UserId {
        let draft = UserDraft {
            user_name: user_name.into(),
            name: None,
            email: Some("bo@example.net".into()),
            mobile: None,
            language: None,
            is_disabled: false,
            attributes: "{}".into(),
        };
        let profile = draft.check(Language::parse("en").unwrap()).unwrap();
        self.app
            .store
            .write(move |tx| store::users::insert(tx, &profile, Uuid::new_v4(), now()))
            .unwrap()
    }

    #[track_caller]
    fn until(&self, what: &str, condition: impl Fn() -> bool) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while !condition() {
            assert!(Instant::now() < deadline, "gave up waiting until {what}");
            std::thread::park_timeout(Duration::from_millis(2));
        }
    }

    #[track_caller]
    fn settled(&self) {
        self.until("every message has reached a final state", || {
            self.app.store.read(store::waiting::pending).unwrap() == 0
        });
    }
}

fn stop(outbox: Outbox) {
    assert!(
        outbox.stop(Duration::from_secs(10)),
        "the outbox did not stop"
    );
}
