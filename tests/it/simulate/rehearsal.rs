//! A rehearsal: the real appliance against the real simulator, each in a process of its own.

use super::world::World;
use crate::support::app::{Caller, until};
use crate::support::binary::{Running, done};
use serde_json::{Value, json};
use std::io::copy;
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, OnceLock};

/// A proxy in front of a server that is not there yet; its address is the public one.
struct Proxy {
    url: String,
    behind: Arc<OnceLock<String>>,
}

impl Proxy {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let behind = Arc::new(OnceLock::<String>::new());
        let shared = behind.clone();
        // Both end with the process: a listener cannot be told to.
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Some(server) = shared.get().and_then(|at| TcpStream::connect(at).ok()) else {
                    continue;
                };
                let (mut from, mut to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                std::thread::spawn(move || copy(&mut from, &mut to));
                std::thread::spawn(move || {
                    let (mut from, mut to) = (server, client);
                    copy(&mut from, &mut to)
                });
            }
        });
        Self { url, behind }
    }
}

/// An appliance that sends through the simulator, behind a proxy.
struct Site {
    world: World,
    server: Running,
    api: Caller,
    user: String,
    _directory: tempfile::TempDir,
}

impl Site {
    fn new() -> Self {
        Self::through("twilio")
    }

    /// Whose SMS go through this service.
    fn through(service: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name).display().to_string();
        let authority = path("authority.pem");
        let world = World::start(&["--json", "--authority", &authority, "--log-level", "warn"]);
        let words = [
            "client",
            "create",
            "--json",
            "--label",
            "app",
            "--scope",
            "relesys.api",
        ];
        let client = done(&words, &[("HERALD_DATA_DIR", &path("data"))]);
        let client: Value = serde_json::from_str(&client).unwrap();
        let proxy = Proxy::start();
        let env = [
            ("SSL_CERT_FILE", authority.as_str()),
            ("HERALD_EMAIL", &world.urls["smtp"]),
            ("HERALD_SMS", &world.urls[service]),
            // What fails is tried again within a second, and no provider is given up.
            ("HERALD_RETRY_BASE_SECS", "1"),
            ("HERALD_RETRY_CAP_SECS", "1"),
            ("HERALD_BREAKER_FAULTS", "1000"),
            // A test asks more often than an application does.
            ("HERALD_REQUESTS_PER_MINUTE", "0"),
        ];
        let server = Running::serve(&path("data"), &["--base-url", &proxy.url], &env);
        let address = server.addresses()[0].replace("http://", "");
        proxy.behind.set(address).unwrap();
        let api = server.caller(client["key"].as_str().unwrap());
        let bo = json!({ "UserName": "bo", "Email": "bo@example.net", "Mobile": "+4790000001" });
        let user = api.post("/api/admin/v1/users", &bo.to_string()).json();
        Self {
            user: user["Data"]["Guid"].as_str().unwrap().to_owned(),
            world,
            server,
            api,
            _directory: directory,
        }
    }

    /// Sends the user a welcome, by e-mail and SMS, so many times; nothing is refused.
    fn send(&self, count: usize, method: &str) {
        let path = format!("/api/v1.3/communication/messages/{}/send", self.user);
        let order = json!({ "deliveryMethod": method, "messageType": "welcome" }).to_string();
        for _ in 0..count {
            self.api.post(&path, &order).expect(202, "");
        }
    }

    fn count(&self, filter: &str) -> u64 {
        let path = format!("/api/admin/v1/messages/logs?pageSize=1&{filter}");
        self.api.get(&path).json()["Paging"]["TotalRecords"]
            .as_u64()
            .unwrap()
    }

    /// Waits until so many mails are sent and so many SMS delivered, and nothing else is there.
    #[track_caller]
    fn until_arrived(&self, mails: u64, delivered: u64) {
        let state = || (self.count("Status=sent"), self.count("Status=delivered"));
        until(&format!("{mails} and {delivered} have arrived"), || {
            state() == (mails, delivered)
        });
    }

    /// The log, the oldest message first.
    fn entries(&self) -> Vec<Value> {
        let log = self.api.get("/api/admin/v1/messages/logs?sort=ID").json();
        let ids = log["Data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|line| line["ID"].clone());
        let entry = |id: Value| {
            let path = format!("/api/admin/v1/messages/logs/entries/{id}");
            self.api.get(&path).json()["Data"].take()
        };
        ids.map(entry).collect()
    }
}

#[test]
fn an_outage_is_rehearsed_and_its_end_brings_every_message_and_every_report() {
    let site = Site::new();
    site.send(5, "both");
    site.until_arrived(5, 5);

    site.world
        .order("smtp.connect = refuse\nhttp.twilio = 503 Retry-After: 1 | Down\n");
    site.send(5, "both");
    until("each has been tried in vain", || {
        site.count("SendingAttemptResult=false") == 10
    });
    let arrived = (site.count("Status=sent"), site.count("Status=delivered"));
    assert_eq!(arrived, (5, 5));
    site.world.lift();
    site.until_arrived(10, 10);

    // Each is there once, under the name that the log has for it.
    let (entries, taken) = (site.entries(), site.world.messages());
    assert_eq!((entries.len(), taken.len()), (20, 20));
    for entry in &entries {
        expect_once(entry, &taken);
    }
    // An outage has left its trace in the log.
    let tried = |class: &str| {
        let attempts = entries
            .iter()
            .flat_map(|entry| entry["History"].as_array().unwrap());
        attempts.filter(|attempt| attempt["Class"] == class).count()
    };
    assert!(tried("provider") >= 5 && tried("temporary") >= 5);
    // A line for each message and for each report, beside those of the addresses.
    until("all is printed", || {
        let (services, reports) = (
            site.world.printed("Service"),
            site.world.printed("Reported"),
        );
        (services.len(), reports.len()) == (site.world.urls.len() + 20, 20)
    });

    let (log, world) = (site.server.stop().err, site.world.running);
    assert!(log.contains(" POST /hooks/twilio/*** 204 "), "{log}");
    let paths = log.lines().filter(|line| line.contains("/hooks/"));
    assert!(
        paths
            .clone()
            .all(|line| line.contains("/hooks/twilio/*** ")),
        "{log}"
    );
    assert_eq!(paths.count(), 20);
    let said = world.stop();
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""));
}

/// Of all that was taken, one is what the log has, with what was reported of it.
#[track_caller]
fn expect_once(entry: &Value, taken: &[Value]) {
    let last = entry["History"].as_array().unwrap().last().unwrap();
    let (guid, sid) = (entry["Guid"].as_str().unwrap(), &last["ProviderMessageID"]);
    let is_it = |message: &&Value| match message["Service"].as_str() {
        Some("smtp") => message["Content"]
            .as_str()
            .unwrap()
            .contains(&format!("Message-ID: <{guid}@")),
        _ => message["Id"] == *sid,
    };
    let [message] = taken.iter().filter(is_it).collect::<Vec<_>>()[..] else {
        panic!("{entry} is not there once");
    };
    let told = json!([{"Reported":"sent","Answer":204},{"Reported":"delivered","Answer":204}]);
    match message["Service"].as_str() {
        Some("smtp") => assert_eq!(
            (&message["Encrypted"], &message["User"]),
            (&true.into(), &"herald".into())
        ),
        _ => assert_eq!(
            (&message["Reports"], &last["Report"]),
            (&told, &"delivered".into())
        ),
    }
}

#[test]
fn reports_that_come_twice_late_early_or_in_disorder_are_each_understood() {
    let site = Site::new();
    let told = |statuses: &[&str]| {
        let told = statuses
            .iter()
            .map(|status| json!({ "Reported": status, "Answer": 204 }));
        Value::from(told.collect::<Vec<_>>())
    };
    let sent = "sent";
    #[rustfmt::skip] // A table: one case a line.
    let cases = [
        ("lost", "sent", &[][..]),
        ("twice", "delivered", &[sent, sent, "delivered", "delivered"][..]),
        ("reversed", "delivered", &["delivered", sent]),
        ("late 100ms", "delivered", &[sent, "delivered"]),
        ("early", "delivered", &[sent, "delivered"]),
        ("ends undelivered 30003", "undelivered", &[sent, "undelivered"]),
        ("ends failed", "undelivered", &[sent, "failed"]),
    ];
    for (number, (twist, status, statuses)) in cases.into_iter().enumerate() {
        site.world
            .order(&format!("http.twilio.report next 1 = {twist}"));
        site.send(1, "sms");
        until(twist, || {
            let reports = &site.world.messages()[number..];
            reports
                .first()
                .is_some_and(|message| message["Reports"] == told(statuses))
        });
        until(twist, || site.entries()[number]["Status"] == status);
    }
    // What is lost does not come later either: the reports of a simulator come in the order in which they are due.
    for (message, (_, _, statuses)) in site.world.messages().iter().zip(cases) {
        assert_eq!(message["Reports"], told(statuses));
    }
    // All together, of a message whose answer was lost.
    site.world.order("http.kept next 1 = reset\nhttp.report next 1 = twice\nhttp.report next 1 = reversed\nhttp.report next 1 = late 50ms");
    site.send(1, "sms");
    until("the doubt has an end", || {
        site.entries()[cases.len()]["Status"] == "delivered"
    });
}

#[test]
fn each_part_of_a_long_message_is_reported_and_all_of_them_are_delivered() {
    let site = Site::through("vonage");
    let path = format!("/api/v1.3/communication/messages/{}/send", site.user);
    let order =
        json!({ "deliveryMethod": "sms", "messageBody": { "sms": { "body": "x".repeat(400) } } });
    site.api.post(&path, &order.to_string()).expect(202, "");
    site.until_arrived(0, 1);
    let statuses = [
        "buffered",
        "buffered",
        "buffered",
        "delivered",
        "delivered",
        "delivered",
    ];
    let reports = statuses.map(|status| json!({ "Reported": status, "Answer": 204 }));
    until("all is reported", || {
        site.world.messages()[0]["Reports"]
            .as_array()
            .unwrap()
            .len()
            == reports.len()
    });
    let (entry, message) = (&site.entries()[0], &site.world.messages()[0]);
    assert_eq!(message["Reports"], Value::from(reports.to_vec()));
    let last = &entry["History"][0];
    assert_eq!(
        (&message["Id"], &message["Reference"]),
        (&last["ProviderMessageID"], &entry["Guid"])
    );
}
