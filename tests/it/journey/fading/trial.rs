//! A real appliance between a real mail server and a real gateway, and sensitive messages for it.

use crate::support::app::{Caller, until};
use crate::support::binary::{Running, done};
use crate::support::outside::{gateway, mail_server, sms_url};
use crate::support::traces::{Traces, bytes_of};
use herald::simulate::gateway::Gateway;
use herald::simulate::smtp::{MailServer, Options};
use serde_json::{Value, json};
use std::cell::RefCell;
use std::collections::BTreeMap;
use tempfile::TempDir;
use uuid::Uuid;

pub(super) const LOGS: &str = "/api/admin/v1/messages/logs";
pub(super) const DONE: &str = r#"{"Result":"OK"}"#;

/// The header of every token that Herald makes itself.
const TOKEN: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9";

/// The users, named after what becomes of their messages; the first has the ID 1.
const USERS: [&str; 9] = [
    "captured",
    "failed",
    "sent",
    "texted",
    "cancelled",
    "expired",
    "suppressed",
    "scheduled",
    "public",
];

pub(super) fn user(name: &str) -> usize {
    USERS.iter().position(|known| *known == name).unwrap() + 1
}

/// Types of messages that are sensitive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Login,
    Reset,
    /// A type of the operator's own that lives for a second.
    Flash,
    /// One that lives for an hour.
    Code,
}

impl Kind {
    pub(super) fn id(self) -> i64 {
        match self {
            Self::Login => 2,
            Self::Reset => 3,
            Self::Flash => 100,
            Self::Code => 101,
        }
    }

    /// The word for its link, and whether Herald makes one when none is given.
    fn word(self) -> (&'static str, bool) {
        match self {
            Self::Login => ("loginUrl", true),
            Self::Reset => ("resetUrl", true),
            Self::Flash | Self::Code => ("link", false),
        }
    }
}

pub(super) struct Trial {
    pub(super) directory: TempDir,
    pub(super) smtp: MailServer,
    pub(super) gateway: Gateway,
    pub(super) server: Running,
    pub(super) api: Caller,
    /// Of each kind.
    pub(super) count: usize,
    secrets: RefCell<Vec<String>>,
}

impl Trial {
    /// There is no provider for mails yet: they are captured.
    pub(super) fn start(log_format: &str, count: usize) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let data_dir = directory.path().join("data").display().to_string();
        let (smtp, gateway) = (mail_server(Options::default()), gateway());
        let words = ["client", "create", "--json", "--label", "app", "--scope"];
        let words = [&words[..], &["relesys.api", "--data-dir", &data_dir]].concat();
        let client: Value = serde_json::from_str(&done(&words, &[])).unwrap();
        let log = ["--log-level", "trace", "--log-format", log_format];
        let env = [
            ("HERALD_SMS", sms_url(&gateway)),
            ("HERALD_REQUESTS_PER_MINUTE", "0".into()),
        ];
        let env = env.each_ref().map(|(name, value)| (*name, value.as_str()));
        let server = Running::serve(&data_dir, &log, &env);
        let trial = Self {
            directory,
            smtp,
            gateway,
            api: server.caller(client["key"].as_str().unwrap()),
            server,
            count,
            secrets: RefCell::default(),
        };
        for (name, id) in USERS.iter().zip(1..) {
            let user = json!({ "UserName": name, "Email": format!("{name}@example.net"), "Mobile": "+4790000001" });
            let added = trial.post(super::super::USERS, &user);
            assert_eq!(added["Data"]["ID"], id);
        }
        trial.add_type("flash", 1, Kind::Flash);
        trial.add_type("code", 3600, Kind::Code);
        trial
    }

    fn add_type(&self, slug: &str, life_secs: u32, kind: Kind) {
        let word = json!({ "Name": "link", "Required": true, "Sample": "https://a.example" });
        let made = json!({
            "Slug": slug, "Name": slug, "IsNotification": true, "IsSensitive": true, "ExpirySeconds": life_secs,
            "DefaultFormats": ["email"], "Placeholders": [word],
        });
        let made = self.post("/api/admin/v1/messages/types", &made);
        assert_eq!(made["Data"]["ID"], kind.id());
        let template = json!({
            "Type": kind.id(), "Format": 0, "Language": "en", "Sender": "app@example.com", "Subject": "{{ link }}",
            "Body": "Go to {{ link }}", "HTMLBody": "<a href=\"{{ link }}\">here</a>",
        });
        self.post("/api/admin/v1/messages/templates", &template);
    }

    pub(super) fn data_dir(&self) -> String {
        self.directory.path().join("data").display().to_string()
    }

    #[track_caller]
    pub(super) fn post(&self, path: &str, body: &Value) -> Value {
        let reply = self.api.post(path, &body.to_string());
        assert_eq!(reply.status, 200, "{path} {}", reply.body);
        reply.json()
    }

    /// A link that nobody can guess and every encoding changes.
    fn link(&self) -> String {
        let secret = format!("{}/é&={}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
        self.secrets.borrow_mut().push(secret.clone());
        format!("https://app.example/in?t={secret}")
    }

    /// So many messages as the order says; the links that were given. Where Herald can make links it makes every second.
    pub(super) fn ask(&self, name: &str, kind: Kind, mut order: Value) -> Vec<String> {
        let (word, makes_links) = kind.word();
        order["UserId"] = user(name).into();
        order["MessageType"] = kind.id().into();
        let ask = |number: usize| {
            let mut order = order.clone();
            let is_given = !makes_links || number.is_multiple_of(2);
            let link = is_given.then(|| self.link());
            if let Some(link) = &link {
                order["Placeholders"] = json!({ word: link });
            }
            self.post("/api/admin/v1/messages/send", &order);
            link
        };
        (0..self.count).filter_map(ask).collect()
    }

    pub(super) fn lines(&self, name: &str) -> Vec<Value> {
        let list = format!("{LOGS}/{}?pageSize=500&sort=ID", user(name));
        self.api.get(&list).json()["Data"]
            .as_array()
            .unwrap()
            .clone()
    }

    /// Waits until a user's messages are in these states.
    #[track_caller]
    pub(super) fn until_all(&self, name: &str, states: &[(&str, usize)]) {
        let wished: BTreeMap<_, _> = states.iter().map(|(s, n)| ((*s).to_owned(), *n)).collect();
        until(&format!("{name} has {states:?}"), || {
            let mut found = BTreeMap::new();
            for line in self.lines(name) {
                let state = line["Status"].as_str().unwrap().to_owned();
                *found.entry(state).or_default() += 1;
            }
            found == wished
        });
    }

    /// All links that were given so far, and those that Herald made.
    pub(super) fn traces(&self) -> Traces {
        let mut secrets = self.secrets.borrow().clone();
        secrets.push(TOKEN.into());
        Traces::of(&secrets)
    }

    /// Looks into every file, a backup and the log.
    #[track_caller]
    pub(super) fn expect_no_trace(&self, traces: &Traces, when: &str) {
        let live = bytes_of(&self.data_dir());
        expect_nothing(traces, &live, &format!("in the data directory {when}"));
        let copy = self.directory.path().join("copy.db").display().to_string();
        let words = ["backup", "--force", "--data-dir", &self.data_dir(), &copy];
        done(&words, &[]);
        let copy = std::fs::read(&copy).unwrap();
        expect_nothing(traces, &copy, &format!("in a backup {when}"));
        let log = self.server.log();
        expect_nothing(traces, log.as_bytes(), &format!("in the log {when}"));
    }

    /// No entry shows what it was about.
    #[track_caller]
    pub(super) fn expect_blank_entries(&self, traces: &Traces, name: &str) {
        for line in self.lines(name) {
            let entry = self.api.get(&format!("{LOGS}/entries/{}", line["ID"]));
            assert_eq!(traces.found_in(entry.body.as_bytes()), None);
            let entry = &entry.json()["Data"];
            for part in ["Subject", "Body", "HTMLBody"] {
                assert_eq!(entry[part], Value::Null, "{entry:#}");
            }
        }
    }
}

#[track_caller]
pub(super) fn expect_nothing(traces: &Traces, bytes: &[u8], place: &str) {
    assert!(bytes.len() > 1000, "there is nothing {place}");
    assert_eq!(traces.found_in(bytes), None, "{place}");
}
