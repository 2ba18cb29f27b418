//! `herald simulate` as an operator meets it: a rehearsal of the real program against it.

use crate::support::app::{Caller, until};
use crate::support::binary::{Running, done, herald};
use crate::support::holes::holed;
use herald::simulate::language;
use rustix::process::Signal;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::copy;
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, OnceLock};

const FREE: [&str; 5] = ["simulate", "--smtp", "127.0.0.1:0", "--http", "127.0.0.1:0"];

/// A running simulator.
struct World {
    running: Running,
    control: Caller,
    urls: BTreeMap<String, String>,
}

impl World {
    fn start(words: &[&str]) -> Self {
        let running = Running::start(&[&FREE, words].concat(), &[]);
        running.until_it_prints("/simulate/faults");
        let lines = running.printed();
        let lines = lines.lines().map(serde_json::from_str::<Value>);
        let urls = lines.map_while(|line| {
            let line = line.ok()?;
            let text = |name: &str| line[name].as_str().map(str::to_owned);
            Some((text("Service")?, text("Url")?))
        });
        let urls: BTreeMap<_, _> = urls.collect();
        let base = urls
            .get("faults")
            .map_or("", |url| url.strip_suffix("/simulate/faults").unwrap());
        Self {
            control: Caller::new(base, ""),
            urls,
            running,
        }
    }

    fn order(&self, faults: &str) {
        let reply = self
            .control
            .call("POST", "/simulate/faults", &[], faults.as_bytes());
        assert_eq!(reply.status, 201, "{}", reply.body);
    }

    fn lift(&self) {
        self.control
            .delete("/simulate/faults")
            .expect(200, r#"{"Faults":[]}"#);
    }

    fn messages(&self) -> Vec<Value> {
        let answer = self.control.get("/simulate/messages").json();
        answer["Messages"].as_array().unwrap().clone()
    }

    /// What was printed after the addresses, by what is in it.
    fn printed(&self, field: &str) -> Vec<Value> {
        let lines = self.running.printed();
        let lines = lines
            .lines()
            .map(|line| serde_json::from_str(line).unwrap());
        lines
            .filter(|line: &Value| !line[field].is_null())
            .collect()
    }
}

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
            ("HERALD_SMS", &world.urls["twilio"]),
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
    // An outage has left its trace in the log.
    let tried = |class: &str| {
        let attempts = entries
            .iter()
            .flat_map(|entry| entry["History"].as_array().unwrap());
        attempts.filter(|attempt| attempt["Class"] == class).count()
    };
    assert!(tried("provider") >= 5 && tried("temporary") >= 5);
    // A line for each message and for each report, as they came.
    let lines = (
        site.world.printed("Service").len() - 3,
        site.world.printed("Reported").len(),
    );
    assert_eq!(lines, (20, 20));

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
fn orders_are_carried_out_or_refused_with_a_sentence() {
    let world = World::start(&[
        "--json",
        "--fault",
        "smtp.rcpt next 2 = 451 Later",
        "--seed",
        "7",
    ]);
    let from_start = r#"{"Number":1,"Fault":"smtp.rcpt next 2 = 451 Later","Struck":0}"#;
    let call = |method: &str, path: &str, body: &str| {
        world.control.call(method, path, &[], body.as_bytes())
    };
    let list = |faults: &str| format!(r#"{{"Faults":[{faults}]}}"#);
    call("GET", "/simulate/faults", "").expect(200, &list(from_start));
    let both = format!(r#"{from_start},{{"Number":2,"Fault":"http 50% = close","Struck":0}}"#);
    call("POST", "/simulate/faults", "\n http 50% = close \r\n\n").expect(201, &list(&both));
    let why = "\"http = slam\" is no fault: what is \"slam\"? Write a reply such as 451 Try again, or close, reset, silence, hold, refuse, garbage, raw, flood, late 30s, slow, huge, truncated or torn.";
    let help = language::help();
    call("POST", "/simulate/faults", "http = close\nhttp = slam")
        .expect(400, &format!("{why}\n\n{help}\n"));
    call("POST", "/simulate/faults", "\n\n")
        .expect(400, &format!("Send faults, one a line.\n\n{help}\n"));
    call("GET", "/simulate/faults", "").expect(200, &list(&both));
    let page = [("origin", "https://evil.example")];
    world
        .control
        .call("DELETE", "/simulate/faults", &page, b"")
        .expect(403, "A web page gives no orders here.\n");
    call("PUT", "/simulate/faults", "").expect(405, "GET, POST or DELETE faults.\n");
    call("POST", "/simulate/messages", "").expect(405, "GET or DELETE messages.\n");
    call("GET", "/simulate/", "")
        .expect(404, "There are /simulate/faults and /simulate/messages.\n");
    call("GET", "/simulate/messages?after=x", "")
        .expect(400, "after takes the number of a message, not \"x\".\n");
    call("GET", "/simulate/messages?before=1", "")
        .expect(400, "Messages are asked for with after=NUMBER, or all.\n");
    // Faults of the services do not strike the orders.
    world.order("http = close");
    world.lift();
    call("GET", "/nowhere", "").expect(
        404,
        "No service that is simulated here has GET /nowhere. There are: twilio.\n",
    );
}

#[test]
fn messages_are_listed_from_a_number_on_and_forgotten_on_demand() {
    let world = World::start(&["--json"]);
    let send = |text: &str| {
        let url = world.urls["twilio"].clone();
        let (account, rest) = url
            .strip_prefix("twilio+http://")
            .unwrap()
            .split_once(':')
            .unwrap();
        let (token, _) = rest.split_once('@').unwrap();
        let token = percent_encoding::percent_decode_str(token)
            .decode_utf8()
            .unwrap();
        let proof = base64::Engine::encode(
            &base64::engine::general_purpose::STANDARD,
            format!("{account}:{token}"),
        );
        let headers = [("authorization", format!("Basic {proof}"))];
        let headers = headers
            .each_ref()
            .map(|(name, value)| (*name, value.as_str()));
        let path = format!("/2010-04-01/Accounts/{account}/Messages.json");
        let form = format!("From=Shop&To=%2B4790000001&Body={text}");
        let reply = world.control.call("POST", &path, &headers, form.as_bytes());
        assert_eq!(reply.status, 201, "{}", reply.body);
    };
    send("one");
    send("two");
    let list = |query: &str| {
        holed(
            &world
                .control
                .get(&format!("/simulate/messages{query}"))
                .body,
        )
    };
    let two = r#"{"Number":2,"Service":"twilio","Id":"<sid>","Connection":0,"Encrypted":false,"User":"AC0123","From":"Shop","To":["+4790000001"],"Subject":null,"Content":"two","Reports":[]}"#;
    assert_eq!(
        list("?after=1"),
        format!(r#"{{"Taken":2,"Messages":[{two}]}}"#)
    );
    assert_eq!(list("?after=2"), r#"{"Taken":2,"Messages":[]}"#);
    world
        .control
        .delete("/simulate/messages")
        .expect(200, r#"{"Taken":2,"Messages":[]}"#);
    send("three");
    let messages = world.messages();
    assert_eq!((messages.len(), &messages[0]["Number"]), (1, &3.into()));
    assert_eq!(world.printed("Content").len(), 3);
}

#[test]
fn for_people_it_prints_what_to_paste_and_a_line_per_message() {
    let world = World::start(&["--log-level", "warn"]);
    let printed = world.running.printed();
    let expected = "smtp: smtp://herald:rehearsal@127.0.0.1:<port>?tls=none\n\
                    twilio: twilio+http://AC0123:t0ken%2Fwith%2Bsigns@127.0.0.1:<port>?from=%2B15550001111\n\
                    faults: http://127.0.0.1:<port>/simulate/faults\n";
    assert_eq!(holed(&printed), expected);
    let (_, smtp) = printed
        .lines()
        .next()
        .unwrap()
        .split_once("smtp: ")
        .unwrap();
    let directory = tempfile::tempdir().unwrap();
    let data_dir = directory.path().join("data").display().to_string();
    let env = [("HERALD_DATA_DIR", data_dir.as_str())];
    let words = [
        "client",
        "create",
        "--json",
        "--label",
        "app",
        "--scope",
        "relesys.api",
    ];
    let key: Value = serde_json::from_str(&done(&words, &env)).unwrap();
    let server = Running::serve(&data_dir, &[], &[("HERALD_EMAIL", smtp)]);
    let api = server.caller(key["key"].as_str().unwrap());
    let anna = json!({ "UserName": "anna", "Name": "Ånna", "Email": "anna@example.com" });
    let guid = api.post("/api/admin/v1/users", &anna.to_string()).json()["Data"]["Guid"].clone();
    let path = format!(
        "/api/v1.3/communication/messages/{}/send",
        guid.as_str().unwrap()
    );
    let mail = json!({ "deliveryMethod": "email", "messageBody": { "email": { "subject": "Blåbær", "body": "Hei" } } });
    api.post(&path, &mail.to_string()).expect(202, "");
    world.running.until_it_prints("\n1 smtp ");
    let line = world.running.printed().lines().last().unwrap().to_owned();
    assert_eq!(line, "1 smtp herald@localhost -> anna@example.com: Blåbær");
    world.running.signal(Signal::INT);
    assert_eq!(world.running.ended().code, Some(0));
}

#[test]
fn a_port_that_is_taken_is_said_with_what_to_do() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for (smtp, http) in [(address.as_str(), "127.0.0.1:0"), ("127.0.0.1:0", &address)] {
        let said = herald(&["simulate", "--smtp", smtp, "--http", http], &[]);
        let sentence = format!(
            "herald: Cannot listen at {address}: Address already in use (os error 98). Choose another with --smtp or --http.\n"
        );
        assert_eq!((said.code, said.err), (Some(1), sentence));
    }
}
