//! The log as it changes: server-sent events. (`GET /api/admin/v1/messages/logs/events`)

use crate::support::app::{NOW, TestApp};
use herald::domain::format::Format;
use herald::domain::ids::TypeId;
use herald::domain::message::{NewMessage, Status};
use herald::http::admin::events::TOLD_MAX;
use herald::operators;
use herald::store::{self, operators as operator_rows};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};
use uuid::Uuid;

const EVENTS: &str = "/api/admin/v1/messages/logs/events";
const LOGS: &str = "/api/admin/v1/messages/logs";

/// How long something may take that must happen: longer than a heartbeat.
const PATIENCE: Duration = Duration::from_secs(20);

/// A browser's end of the stream.
struct Reader {
    input: BufReader<TcpStream>,
    /// What has come of the stream and was not read yet.
    text: String,
    /// The id of the last event that had one.
    last_id: String,
    is_over: bool,
}

/// An event, its data as JSON.
#[derive(Debug, PartialEq)]
struct Event {
    name: String,
    data: Value,
}

impl Reader {
    fn open(app: &TestApp, headers: &[(&str, &str)]) -> Self {
        let address = app.url().strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut head = format!("GET {EVENTS} HTTP/1.1\r\nHost: {address}\r\n");
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        stream.write_all(format!("{head}\r\n").as_bytes()).unwrap();
        let mut input = BufReader::new(stream);
        let mut said = String::new();
        while !said.ends_with("\r\n\r\n") {
            assert!(input.read_line(&mut said).unwrap() > 0, "{said}");
        }
        let expected = "HTTP/1.1 200 OK\r\nServer: Herald\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\
            Content-Type: text/event-stream\r\nCache-Control: no-store\r\nX-Accel-Buffering: no\r\n\r\n";
        assert_eq!(said, expected);
        let mut reader = Self {
            input,
            text: String::new(),
            last_id: String::new(),
            is_over: false,
        };
        assert_eq!(reader.block(), Some("retry: 1000".into()));
        reader
    }

    /// With the key that may everything.
    fn with_key(app: &TestApp, headers: &[(&str, &str)]) -> Self {
        let key = format!("Bearer {}", app.key);
        Self::open(app, &[headers, &[("Authorization", &key)]].concat())
    }

    /// What stands before the next empty line; none at the end of a stream that is whole.
    fn block(&mut self) -> Option<String> {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.text = rest;
                return Some(block);
            }
            if self.is_over {
                assert_eq!(self.text, "", "it broke off");
                return None;
            }
            let mut size = String::new();
            self.input.read_line(&mut size).unwrap();
            let size = usize::from_str_radix(size.trim(), 16).unwrap();
            let mut chunk = vec![0; size + 2];
            self.input.read_exact(&mut chunk).unwrap();
            assert!(chunk.ends_with(b"\r\n"));
            self.is_over = size == 0;
            self.text
                .push_str(std::str::from_utf8(&chunk[..size]).unwrap());
        }
    }

    /// The next event, comments left out.
    fn event(&mut self) -> Option<Event> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            assert!(Instant::now() < deadline, "nothing but comments");
            let block = self.block()?;
            let mut event = Event {
                name: String::new(),
                data: Value::Null,
            };
            for line in block.lines() {
                match line.split_once(": ") {
                    Some(("id", id)) => self.last_id = id.to_owned(),
                    Some(("event", name)) => event.name = name.to_owned(),
                    Some(("data", data)) => event.data = serde_json::from_str(data).unwrap(),
                    _ => assert_eq!(line, ":"),
                }
            }
            if !event.name.is_empty() {
                return Some(event);
            }
        }
    }

    /// Reads until a message is told to be in this state; all that was told of it.
    fn until_told(&mut self, id: i64, status: &str) -> Value {
        loop {
            let event = self.event().unwrap();
            assert_eq!(event.name, "entry", "{event:?}");
            if event.data["ID"] == id && event.data["Status"] == status {
                return event.data;
            }
        }
    }
}

fn user(app: &TestApp) {
    let body = r#"{"UserName":"anna","Mobile":"+4790000001"}"#;
    assert_eq!(app.post("/api/admin/v1/users", body).status, 200);
}

fn send(app: &TestApp) -> i64 {
    let body = r#"{"UserId":1,"MessageType":0,"Placeholders":{"text":"Hello"},"Formats":[2]}"#;
    let reply = app.post("/api/admin/v1/messages/send", body);
    reply.json()["Data"][0]["ID"].as_i64().unwrap()
}

fn pause(app: &TestApp) {
    assert_eq!(app.post("/api/admin/v1/outbox/pause", "{}").status, 200);
}

#[test]
fn a_message_is_told_when_it_comes_and_when_it_changes_as_the_log_shows_it() {
    let app = TestApp::start();
    user(&app);
    pause(&app);
    let mut reader = Reader::with_key(&app, &[]);
    let id = send(&app);
    let shown = || app.get(LOGS).json()["Data"][0].take();
    assert_eq!(reader.until_told(id, "queued"), shown());
    app.post("/api/admin/v1/outbox/resume", "");
    let told = reader.until_told(id, "sent");
    app.settled();
    assert_eq!(told, shown());
}

#[test]
fn whoever_comes_back_is_told_what_was_missed_or_that_it_is_not_known() {
    let app = TestApp::start().may_end_waiting();
    user(&app);
    pause(&app);
    let mut reader = Reader::with_key(&app, &[]);
    let first = send(&app);
    reader.until_told(first, "queued");
    let known = reader.last_id.clone();
    drop(reader);
    let missed = [send(&app), send(&app)];
    let mut reader = Reader::with_key(&app, &[("Last-Event-ID", &known)]);
    for id in missed {
        let event = reader.event().unwrap();
        assert_eq!(
            (event.name.as_str(), &event.data["ID"]),
            ("entry", &id.into())
        );
    }
    // Nor is anything told twice.
    drop(reader);
    let last = send(&app);
    let another_process_s = "1-2";
    for unknown in ["nonsense", another_process_s] {
        let mut reader = Reader::with_key(&app, &[("Last-Event-ID", unknown)]);
        let reset = Event {
            name: "reset".into(),
            data: json!({}),
        };
        assert_eq!(reader.event().unwrap(), reset, "{unknown}");
        let known = reader.last_id.clone();
        let mut reader = Reader::with_key(&app, &[("Last-Event-ID", &known)]);
        let id = send(&app);
        assert!(id > last);
        assert_eq!(reader.event().unwrap().data["ID"], id);
    }
}

#[test]
fn of_very_many_changes_at_once_only_the_number_is_told() {
    let app = TestApp::start().may_end_waiting();
    user(&app);
    pause(&app);
    let first = send(&app);
    let touch = |how_many: i64| {
        // One write, so that it is seen at once.
        let copies = move |tx: &store::Tx<'_>| {
            let insert = |_| store::messages::insert(tx, &message()).map(drop);
            (0..how_many).try_for_each(insert)
        };
        app.server().app.store.write(copies).unwrap();
    };
    let mut reader = Reader::with_key(&app, &[]);
    touch(TOLD_MAX as i64);
    for id in 1..=TOLD_MAX as i64 {
        assert_eq!(reader.event().unwrap().data["ID"], first + id);
    }
    touch(TOLD_MAX as i64 + 1);
    let many = Event {
        name: "many".into(),
        data: json!({ "Count": TOLD_MAX + 1 }),
    };
    assert_eq!(reader.event().unwrap(), many);
}

/// A message that waits.
fn message() -> NewMessage {
    let now: Timestamp = NOW.parse().unwrap();
    NewMessage {
        guid: Uuid::new_v4(),
        user_id: None,
        type_id: TypeId(0),
        template_id: None,
        format: Format::Sms,
        status: Status::Queued,
        is_system: false,
        is_released: false,
        recipient: "+4790000001".into(),
        recipient_name: None,
        sender: None,
        subject: None,
        body: Some("Hello".into()),
        html_body: None,
        is_sensitive: false,
        created: now,
        created_by: "tests".into(),
        due: now,
        expires: now.checked_add(SignedDuration::from_hours(1)).unwrap(),
        by_the_minute: false,
        error: None,
        cause: None,
        trace: Vec::new(),
    }
}

#[test]
fn a_stream_ends_with_the_session_or_the_key_that_opened_it() {
    let app = TestApp::start();
    let herald = &app.server().app;
    let (hash, now) = (
        operators::new_password("correct horse").unwrap(),
        herald.clock.now(),
    );
    let add = move |tx: &store::Tx<'_>| operator_rows::insert(tx, "anna", &hash, now);
    herald.store.write(add).unwrap();
    let session = operators::sign_in(herald, "anna", "correct horse", "")
        .unwrap()
        .token;
    let cookie = format!("herald_session={session}");
    let mut by_session = Reader::open(&app, &[("Cookie", &cookie)]);
    let client = r#"{"Label":"one","Scopes":["relesys.api.logs:read"]}"#;
    let made = app.post("/api/admin/v1/clients", client);
    assert_eq!(made.status, 200, "{}", made.body);
    let made = made.json()["Data"].take();
    let key = format!("Bearer {}", made["Key"].as_str().unwrap());
    let mut by_key = Reader::open(&app, &[("Authorization", &key)]);
    operators::sign_out(herald, &session).unwrap();
    assert_eq!(by_session.event(), None);
    let id = made["ID"].as_i64().unwrap();
    assert_eq!(
        app.delete(&format!("/api/admin/v1/clients/{id}")).status,
        200
    );
    assert_eq!(by_key.event(), None);
}

#[test]
fn a_stream_is_for_those_who_may_read_the_log_and_takes_no_words() {
    let app = TestApp::start();
    let nobody = app.call("GET", EVENTS, &[("authorization", "")], b"");
    assert_eq!(nobody.status, 401);
    app.get(&format!("{EVENTS}?Status=sent")).expect(400, r#"{"Result":"ERR","Message":"err_InvalidElement","Details":"\"Status\" is no word of this address."}"#);
    let head = app.call("HEAD", EVENTS, &[], b"");
    assert_eq!(
        (head.status, head.header("content-type")),
        (200, "text/event-stream")
    );
}

#[test]
fn a_stop_does_not_wait_for_readers() {
    let mut app = TestApp::start();
    let mut reader = Reader::with_key(&app, &[]);
    assert!(app.stop());
    let mut rest = Vec::new();
    reader.input.read_to_end(&mut rest).unwrap();
    assert_eq!(rest, b"", "it broke off, and does not look whole");
}
