//! The real program between a real mail server, a real gateway and an application: from an empty directory to the log.

mod backups;
mod beside;
mod crash;
mod fading;
mod restored;
mod stop;
mod whole;

use crate::support::app::{Caller, until};
use crate::support::binary::{Running, done};
use crate::support::outside::{account, faults_left, mail_server};
use herald::simulate::smtp::{MailServer, Options};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use tempfile::TempDir;

/// The account at the mail server; the password needs percent-encoding in a URL.
const ACCOUNT: (&str, &str) = ("anna", "p@ss w0rd");
const USERS: &str = "/api/admin/v1/users";

/// An appliance's directory and its mail server, which outlive the processes.
struct Site {
    directory: TempDir,
    smtp: MailServer,
    key: String,
    /// Further parameters of the mail server's URL.
    params: &'static str,
}

impl Site {
    /// A client is made on the empty directory, before any server.
    fn new(params: &'static str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let smtp = mail_server(Options {
            starttls: true,
            account: account(ACCOUNT.0, ACCOUNT.1),
            ..Options::default()
        });
        std::fs::write(
            directory.path().join("authority.pem"),
            &smtp.authority().pem,
        )
        .unwrap();
        let mut site = Self {
            directory,
            smtp,
            key: String::new(),
            params,
        };
        site.key = site.client()["key"].as_str().unwrap().to_owned();
        site
    }

    fn path(&self, name: &str) -> String {
        self.directory.path().join(name).display().to_string()
    }

    fn data_dir(&self) -> String {
        self.path("data")
    }

    /// `herald client create --json`
    fn client(&self) -> Value {
        let words = [
            "client",
            "create",
            "--json",
            "--label",
            "app",
            "--scope",
            "relesys.api",
        ];
        let printed = done(&words, &[("HERALD_DATA_DIR", &self.data_dir())]);
        serde_json::from_str(&printed).unwrap()
    }

    fn email_url(&self) -> String {
        let port = self.smtp.port();
        format!(
            "smtp://anna:p%40ss%20w0rd@localhost:{port}?tls=required{}",
            self.params
        )
    }

    fn serve(&self) -> Running {
        self.serve_through(&self.email_url())
    }

    /// Serves with another mail server; what fails is tried again within a second.
    fn serve_through(&self, email: &str) -> Running {
        let env = [
            ("SSL_CERT_FILE", self.path("authority.pem")),
            ("HERALD_EMAIL", email.to_owned()),
            ("HERALD_RETRY_BASE_SECS", "1".into()),
            ("HERALD_RETRY_CAP_SECS", "1".into()),
            // Clients under load ask more often than one that is limited may.
            ("HERALD_REQUESTS_PER_MINUTE", "0".into()),
        ];
        let env = env.each_ref().map(|(name, value)| (*name, value.as_str()));
        Running::serve(
            &self.data_dir(),
            &["--base-url", "http://app.example"],
            &env,
        )
    }

    /// Serves, has so many mails accepted, and waits until every fault that was ordered has struck.
    #[track_caller]
    fn struck(&self, count: usize) -> (Running, Vec<String>) {
        let server = self.serve();
        let api = server.caller(&self.key);
        let sent = accepted(&api, &self.user(&api), count);
        until("the faults have struck", || faults_left(&self.smtp) == 0);
        (server, sent)
    }

    /// Adds a user and gives back the path to send to.
    fn user(&self, api: &Caller) -> String {
        let user = json!({ "UserName": "bo", "Name": "Bo", "Email": "bo@example.net" });
        let guid = api.post(USERS, &user.to_string()).json()["Data"]["Guid"]
            .as_str()
            .unwrap()
            .to_owned();
        send_path(&guid)
    }

    /// Message-IDs of the mails that the server has kept, with how often each came.
    fn received(&self) -> BTreeMap<String, usize> {
        let mut times = BTreeMap::new();
        for mail in self.smtp.received() {
            *times.entry(guid_of(&mail.content)).or_default() += 1;
        }
        times
    }
}

fn send_path(user: &str) -> String {
    format!("/api/v1.3/communication/messages/{user}/send")
}

/// The part of the Message-ID that names the message.
fn guid_of(mail: &[u8]) -> String {
    use mailparse::MailHeaderMap as _;
    let parsed = mailparse::parse_mail(mail).unwrap();
    let id = parsed.headers.get_first_value("Message-ID").unwrap();
    id[1..].split('@').next().unwrap().to_owned()
}

/// Sends so many mails, each of which must be accepted, and gives back their GUIDs.
#[track_caller]
fn accepted(api: &Caller, path: &str, count: usize) -> Vec<String> {
    let send = |number| {
        let body = json!({ "deliveryMethod": "email", "messageBody": { "email": { "body": format!("Number {number}") } } });
        let reply = api.post(path, &body.to_string());
        reply.expect(202, "").header("x-message-id").to_owned()
    };
    (0..count).map(send).collect()
}

/// The log's entries, the first message first.
fn entries(api: &Caller) -> Vec<Value> {
    let lines = api.get("/api/admin/v1/messages/logs/1").json();
    let ids = lines["Data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| line["ID"].as_i64().unwrap());
    let entry = |id| {
        api.get(&format!("/api/admin/v1/messages/logs/entries/{id}"))
            .json()["Data"]
            .take()
    };
    ids.rev().map(entry).collect()
}

/// What became of each message: its GUID, its status, and the results of its attempts in their order.
fn outcomes(api: &Caller) -> Vec<(String, String, Vec<Option<bool>>)> {
    let outcome = |entry: Value| {
        let text = |name: &str| entry[name].as_str().unwrap().to_owned();
        let history = entry["History"].as_array().unwrap();
        let results = history
            .iter()
            .map(|attempt| attempt["Result"].as_bool())
            .collect();
        (text("Guid"), text("Status"), results)
    };
    entries(api).into_iter().map(outcome).collect()
}

/// Waits until so many messages have been sent.
#[track_caller]
fn until_sent(api: &Caller, count: usize) {
    let path = "/api/admin/v1/messages/logs/1?Status=sent&pageSize=1";
    until(&format!("{count} messages are sent"), || {
        api.get(path).json()["Paging"]["TotalRecords"] == json!(count)
    });
}
