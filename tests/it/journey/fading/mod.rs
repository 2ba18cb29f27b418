//! Secrets fade: a hundred sensitive messages to each end that a message can have, and not a trace of their links in the
//! database, its log of changes, a backup or the log; neither while they wait nor afterwards. (delivery.md, promise 5)
//!
//! Everything is looked at as soon as the last message has ended, which is earlier than the promise says, and once more
//! when the housekeeper has had a minute by a clock that the test moves.

mod trial;

use crate::support::app::until;
use crate::support::outside::{SmtpFaults as _, faults_left};
use crate::support::traces::{Traces, bytes_of};
use herald::app::Server;
use herald::clock::Clock;
use herald::config::Config;
use herald::simulate::fault::{Fault, Place, Stage};
use herald::simulate::orders::{Order, Times};
use herald::store::waiting;
use jiff::{SignedDuration, Timestamp};
use rusqlite::Connection;
use serde_json::json;
use std::time::Duration;
use trial::{DONE, Kind, LOGS, Trial, expect_nothing, user};

/// What is kept of an answer that repeats the mail.
const REPEATED: &str = "*** The provider repeated the content, which is not kept.";

/// What is not sensitive and stands wherever the others could.
const OPEN: &str = "This is not sensitive and everybody may read it.";

impl Trial {
    fn capture(&self) {
        self.ask("captured", Kind::Login, json!({ "Formats": [0] }));
        self.until_all("captured", &[("sent", self.count)]);
        let port = self.smtp.port();
        let url = format!("smtp://localhost:{port}?tls=none&connections=1");
        let provider = json!({ "Channel": "email", "Url": url });
        self.post("/api/admin/v1/providers", &provider);
    }

    /// Has all others accepted while nothing is sent, and orders what is to become of them.
    fn accept(&self) {
        let pause = json!({ "Reason": "A test." });
        self.post("/api/admin/v1/outbox/pause", &pause);
        let (mail, sms) = (json!({ "Formats": [0] }), json!({ "Formats": [2] }));
        // With a connection and one lane they are refused in the order in which they came.
        for link in self.ask("failed", Kind::Login, mail.clone()) {
            let repeats = format!("554 5.7.1 Spam: {link}");
            self.smtp.fault(Stage::Dot, Fault::reply(&repeats));
            // What Herald put into the next one is not known here.
            self.smtp.fault(Stage::Dot, Fault::reply("554 5.7.1 Spam"));
        }
        self.ask("sent", Kind::Login, mail.clone());
        for _ in ["sent", "in doubt"] {
            self.ask("texted", Kind::Reset, sms.clone());
        }
        let doubt = Order {
            place: Place::Kept(None),
            times: Times::Next(u32::try_from(self.count).unwrap()),
            fault: Fault::Reset,
        };
        self.gateway.orders().add(vec![doubt]).unwrap();
        self.ask("cancelled", Kind::Code, mail.clone());
        let off = json!({ "NotificationType": Kind::Code.id(), "IsOff": true });
        let preferences = "/api/admin/v1/messages/preferences";
        self.post(&format!("{preferences}/{}", user("suppressed")), &off);
        self.ask("suppressed", Kind::Code, json!({}));
        let later = Timestamp::now() + SignedDuration::from_hours(1);
        let later = json!({ "Formats": [0], "SendAt": later.to_string() });
        self.ask("scheduled", Kind::Code, later);
        self.ask("expired", Kind::Flash, mail);
        let open = json!({
            "UserId": user("public"), "MessageType": 0, "Formats": [0], "Placeholders": { "text": OPEN },
        });
        self.post("/api/admin/v1/messages/send", &open);
    }

    /// Half of what was captured goes to a colleague; then nothing is left of it.
    fn release(&self) {
        let list = self.api.get("/api/admin/v1/captured?pageSize=500").json();
        let list = list["Data"].as_array().unwrap();
        assert_eq!(list.len(), self.count);
        for (number, caught) in list.iter().enumerate() {
            let path = format!("/api/admin/v1/captured/{}", caught["ID"]);
            if number.is_multiple_of(2) {
                let to = json!({ "Recipient": "colleague@example.net" });
                self.post(&format!("{path}/release"), &to);
            }
            self.api.delete(&path).expect(200, DONE);
        }
    }

    fn cancel(&self) {
        for line in self.lines("cancelled") {
            let path = format!("{LOGS}/entries/{}/cancel", line["ID"]);
            self.api.post(&path, "{}").expect(200, DONE);
        }
    }

    /// Lets the outbox go, and waits until everything has come to the end that it was to have.
    fn until_ended(&self) {
        self.post("/api/admin/v1/outbox/resume", &json!({}));
        let count = self.count;
        self.until_all("captured", &[("sent", count + count / 2)]);
        self.until_all("failed", &[("failed", count)]);
        self.until_all("sent", &[("sent", count)]);
        self.until_all("texted", &[("failed", count), ("sent", count)]);
        self.until_all("cancelled", &[("cancelled", count)]);
        self.until_all("expired", &[("expired", count)]);
        self.until_all("suppressed", &[("suppressed", count)]);
        self.until_all("scheduled", &[("scheduled", count)]);
        self.until_all("public", &[("sent", 1)]);
        let mails = self.smtp.received().len();
        assert_eq!(mails, count + count / 2 + 1, "sent, released and public");
        assert_eq!(faults_left(&self.smtp), 0);
    }
}

#[test]
fn sensitive_messages_leave_no_trace_whatever_becomes_of_them() {
    for (log_format, count) in [("text", 100), ("json", 20)] {
        let trial = Trial::start(log_format, count);
        trial.capture();
        trial.accept();
        let all_alive = Timestamp::now() + SignedDuration::from_secs(1);
        let (traces, open) = (trial.traces(), Traces::of(&[OPEN]));
        trial.expect_no_trace(&traces, "while they wait");
        assert!(open.found_in(&bytes_of(&trial.data_dir())).is_some());

        trial.release();
        trial.cancel();
        until("some lives are over", || Timestamp::now() > all_alive);
        trial.until_ended();
        let said = trial.lines("failed").into_iter();
        let repeats = said.filter(|line| line["Error"] == REPEATED);
        assert_eq!(repeats.count(), count / 2, "whose link it was");
        for name in ["captured", "failed", "sent", "texted", "cancelled"] {
            trial.expect_blank_entries(&traces, name);
        }
        trial.expect_no_trace(&traces, "when they have ended");
        end(trial, &traces);
    }
}

/// Stops the appliance, gives its housekeeper a minute after the last lives have ended, and looks again.
fn end(trial: Trial, traces: &Traces) {
    let data_dir = trial.data_dir();
    let Trial {
        directory,
        server,
        smtp,
        count,
        ..
    } = trial;
    let mails = smtp.received();
    let mails: Vec<_> = mails.into_iter().flat_map(|mail| mail.content).collect();
    assert!(traces.found_in(&mails).is_some(), "they did arrive");
    let said = server.stop();
    assert_eq!(said.code, Some(0));
    assert!(said.err.matches("accepted by").count() > 2 * count);
    expect_nothing(traces, said.err.as_bytes(), "in the whole log");

    let listen = vec!["127.0.0.1:0".parse().unwrap()];
    let config = Config::capturing(listen, directory.path().join("data")).unwrap();
    let later = Timestamp::now() + SignedDuration::from_hours(2);
    let server = Server::start(&config, Clock::fixed(later)).unwrap();
    server.app.clock.advance(Duration::from_secs(60));
    server.app.alarm.ring();
    until("the last lives have ended", || {
        server.app.store.read(waiting::pending).unwrap() == 0
    });
    assert!(server.stop());
    expect_nothing(traces, &bytes_of(&data_dir), "in the data directory");
    let database = Connection::open(directory.path().join("data/herald.db")).unwrap();
    let number = |sql: &str| -> i64 { database.query_row(sql, [], |row| row.get(0)).unwrap() };
    let all = i64::try_from(9 * count + count / 2).unwrap();
    let sensitive = "select count(*) from message where is_sensitive";
    assert_eq!(number(sensitive), all);
    // Not even sealed.
    let kept = "
        select count(*) from message join content on message_id = id
        where is_sensitive and (has_content or coalesce(subject, body, html_body) is not null)";
    assert_eq!(number(kept), 0);
    assert_eq!(number("select count(*) from captured"), 0);
}
