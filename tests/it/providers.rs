//! Providers that change while messages flow, that are checked, and that take what was captured.
//! (api.md, `/v1/providers` and `/v1/captured`)

mod secrets;

use crate::support::app::{Reply, TestApp};
use crate::support::outside::{
    HttpFaults as _, SmtpFaults as _, account, gateway, mail_server, mails_begun, sms_url,
};
use herald::domain::format::Channel;
use herald::simulate::fault::{Fault, Stage};
use herald::simulate::gateway::Gateway;
use herald::simulate::http::Request;
use herald::simulate::smtp::{MailServer, Options};
use herald::simulate::twilio::ACCOUNT;

const PROVIDERS: &str = "/api/admin/v1/providers";
const ANNA: &str =
    r#"{"UserName":"anna","Name":"Anna","Email":"anna@example.com","Mobile":"+4712345678"}"#;

fn smtp(server: &MailServer) -> String {
    format!("smtp://127.0.0.1:{}?tls=none", server.port())
}

fn twilio(gateway: &Gateway, token: &str) -> String {
    sms_url(gateway).replace(TOKEN, token)
}

/// The right token, as a URL has it.
const TOKEN: &str = "t0ken%2Fwith%2Bsigns";

fn add(app: &TestApp, channel: &str, url: &str) -> i64 {
    let reply = app.post(
        PROVIDERS,
        &format!(r#"{{"Channel":"{channel}","Url":"{url}"}}"#),
    );
    assert_eq!(reply.status, 200, "{}", reply.body);
    reply.json()["Data"]["ID"].as_i64().unwrap()
}

fn remove(app: &TestApp, id: i64) {
    app.delete(&format!("{PROVIDERS}/{id}"))
        .expect(200, r#"{"Result":"OK"}"#);
}

/// An appliance with Anna, and the address for messages to her.
fn with_anna(app: &TestApp) -> String {
    let reply = app.post("/api/admin/v1/users", ANNA);
    let guid = reply.json()["Data"]["Guid"].as_str().unwrap().to_owned();
    format!("/api/v1.3/communication/messages/{guid}/send")
}

fn mail(app: &TestApp, to: &str, subject: &str) {
    let body = format!(
        r#"{{"deliveryMethod":"email","messageBody":{{"email":{{"subject":"{subject}","body":"Hello"}}}}}}"#
    );
    assert_eq!(app.post(to, &body).status, 202);
}

/// The subjects of the mails a server has.
fn subjects(server: &MailServer) -> Vec<String> {
    let subject = |data: &[u8]| {
        let mail = mailparse::parse_mail(data).unwrap();
        let header = mail.headers.iter().find(|h| h.get_key() == "Subject");
        header.unwrap().get_value()
    };
    let received = server.received();
    received.iter().map(|mail| subject(&mail.content)).collect()
}

fn captured(app: &TestApp) -> Vec<String> {
    let page = app.get("/api/admin/v1/captured?pageSize=500").json();
    let rows = page["Data"].as_array().unwrap().iter();
    rows.map(|row| row["Subject"].as_str().unwrap_or_default().to_owned())
        .collect()
}

fn checked(reply: &Reply) -> (bool, String) {
    assert_eq!(reply.status, 200, "{}", reply.body);
    let data = &reply.json()["Data"];
    let detail = data["Detail"].as_str().unwrap().to_owned();
    (data["Ok"].as_bool().unwrap(), detail)
}

#[test]
fn messages_that_flow_while_providers_change_are_each_delivered_once() {
    let servers = [(); 2].map(|()| mail_server(Options::default()));
    let app = TestApp::start();
    let to = with_anna(&app);
    let mut expected = Vec::new();
    let mut stored = None;
    for round in 0..6 {
        let before = stored.replace(add(&app, "email", &smtp(&servers[round % 2])));
        for number in 0..10 {
            let subject = format!("mail-{round}-{number}");
            mail(&app, &to, &subject);
            expected.push(subject);
            if number == 5
                && let Some(before) = before
            {
                remove(&app, before);
            }
        }
        if round % 3 == 2 {
            // For a moment without any: what comes now is captured.
            remove(&app, stored.take().unwrap());
            mail(&app, &to, &format!("captured-{round}"));
            expected.push(format!("captured-{round}"));
            app.settled();
        }
    }
    app.settled();
    let mut delivered = captured(&app);
    assert!(
        delivered.contains(&"captured-2".to_owned()),
        "{delivered:?}"
    );
    for server in &servers {
        let subjects = subjects(server);
        assert!(subjects.len() > 5, "{subjects:?}");
        delivered.extend(subjects);
    }
    delivered.sort();
    expected.sort();
    assert_eq!(delivered, expected);
}

#[test]
fn an_attempt_under_way_ends_with_the_provider_it_began_with() {
    let (old, new) = (
        mail_server(Options::default()),
        mail_server(Options::default()),
    );
    let app = TestApp::start();
    let to = with_anna(&app);
    let id = add(&app, "email", &smtp(&old));
    old.fault(Stage::Kept, Fault::Hold);
    mail(&app, &to, "under way");
    app.until("the mail is under way", || old.received().len() == 1);
    add(&app, "email", &smtp(&new));
    remove(&app, id);
    mail(&app, &to, "after");
    app.until("the new provider has its mail", || {
        new.received().len() == 1
    });
    old.orders().lift();
    app.settled();
    assert_eq!(subjects(&old), ["under way"]);
    assert_eq!(subjects(&new), ["after"]);
    let log = app.get("/api/admin/v1/messages/logs").json();
    let rows = log["Data"].as_array().unwrap().iter();
    let rows: Vec<_> = rows
        .map(|r| (r["Status"].clone(), r["Attempts"].clone()))
        .collect();
    assert_eq!(rows, [("sent".into(), 1.into()), ("sent".into(), 1.into())]);
}

#[test]
fn a_provider_that_stays_keeps_its_breaker() {
    let (gone, next) = (
        mail_server(Options::default()),
        mail_server(Options::default()),
    );
    let app = TestApp::start();
    let to = with_anna(&app);
    add(&app, "email", &smtp(&gone));
    let second = add(&app, "email", &smtp(&next));
    gone.fault(Stage::Greeting, Fault::reply("554 5.7.1 Not you"));
    mail(&app, &to, "first");
    app.settled();
    remove(&app, second);
    add(&app, "email", &smtp(&next));
    mail(&app, &to, "second");
    app.settled();
    // Its breaker is open for a minute of a clock that stands still: it was not asked again.
    assert_eq!((gone.commands().len(), next.received().len()), (1, 2));
}

#[test]
fn a_check_signs_in_at_a_mail_server_and_sends_nothing() {
    let server = mail_server(Options {
        account: account("shop", "s3cret"),
        ..Options::default()
    });
    let app = TestApp::start();
    let url = |password: &str| {
        format!(
            "smtp://shop:{password}@127.0.0.1:{}?tls=none&helo=me.example",
            server.port()
        )
    };
    let id = add(&app, "email", &url("s3cret"));
    let stored = app.post(&format!("{PROVIDERS}/{id}/check"), "");
    assert_eq!(checked(&stored), (true, "235 2.7.0 Welcome".into()));
    let commands: Vec<_> = server.commands().concat();
    assert_eq!(
        commands,
        ["EHLO me.example", "AUTH PLAIN AHNob3AAczNjcmV0", "QUIT"]
    );
    let try_out = |url: &str| {
        let body = format!(r#"{{"Channel":"email","Url":"{url}"}}"#);
        checked(&app.post(&format!("{PROVIDERS}/check"), &body))
    };
    let refused = (false, "535 5.7.8 Wrong user or password".into());
    assert_eq!(try_out(&url("wr0ng")), refused);
    // What a client got shown means the provider behind it.
    assert_eq!(try_out(&url("***")), (true, "235 2.7.0 Welcome".into()));
    let closed = mail_server(Options::default()).port();
    let (ok, detail) = try_out(&format!("smtp://127.0.0.1:{closed}?tls=none"));
    assert!(!ok && detail.contains("cannot be reached"), "{detail}");
    assert_eq!(mails_begun(&server), 0);
}

#[test]
fn a_check_reads_the_account_at_twilio_and_sends_nothing() {
    let gateway = gateway();
    let app = TestApp::start();
    let id = add(&app, "sms", &twilio(&gateway, TOKEN));
    let check = || checked(&app.post(&format!("{PROVIDERS}/{id}/check"), ""));
    assert_eq!(check(), (true, "Simulated active".into()));
    let account = |status: &str| {
        let body = format!(r#"{{"sid":"{ACCOUNT}","friendly_name":"Shop","status":"{status}"}}"#);
        Fault::http(200, &[], &body)
    };
    gateway.next(account("suspended"));
    assert_eq!(check(), (false, "Shop suspended".into()));
    gateway.next(Fault::http(200, &[], "{}"));
    assert_eq!(check(), (false, "The answer is not the account: {}".into()));
    let wrong = twilio(&gateway, "wr0ng");
    let body = format!(r#"{{"Channel":"sms","Url":"{wrong}"}}"#);
    let reply = app.post(&format!("{PROVIDERS}/check"), &body);
    assert_eq!(checked(&reply), (false, "20003 Authenticate".into()));
    let lines: Vec<_> = gateway.asked().iter().map(Request::line).collect();
    let expected = format!("GET /2010-04-01/Accounts/{ACCOUNT}.json");
    assert_eq!(lines, [(); 4].map(|()| expected.clone()));
}

#[test]
fn what_was_captured_is_released_through_a_provider_that_sends_even_behind_capture() {
    let server = mail_server(Options::default());
    let app = TestApp::start_with(|config| {
        let urls = vec!["capture:".into(), smtp(&server)];
        config.with_providers(Channel::Email, urls)
    });
    let to = with_anna(&app);
    mail(&app, &to, "caught");
    app.settled();
    assert_eq!(
        (captured(&app), server.received().len()),
        (vec!["caught".into()], 0)
    );
    let release = "/api/admin/v1/captured/1/release";
    let reply = app.post(release, r#"{"Recipient":"bo@example.net"}"#);
    assert_eq!(reply.status, 200, "{}", reply.body);
    let entry = reply.header("location").to_owned();
    app.settled();
    assert_eq!(server.received()[0].to, ["bo@example.net"]);
    assert_eq!(
        (subjects(&server), captured(&app)),
        (vec!["caught".into()], vec!["caught".into()])
    );
    let entry = app.get(&entry).json()["Data"].clone();
    assert_eq!(entry["Guid"], reply.json()["Data"]["Guid"]);
    assert_eq!(
        (&entry["Status"], &entry["Recipient"]),
        (&"sent".into(), &"bo@example.net".into())
    );
    let reason = "Released from captured 1 by tests.";
    assert_eq!(entry["Trace"][0]["Reason"], reason, "{entry}");
}

#[test]
fn what_was_released_waits_for_its_provider_and_never_falls_back_to_capture() {
    let server = mail_server(Options::default());
    let app = TestApp::start();
    let to = with_anna(&app);
    mail(&app, &to, "caught");
    app.settled();
    let id = add(&app, "email", &smtp(&server));
    add(&app, "email", "capture:");
    server.fault(Stage::Greeting, Fault::reply("554 5.7.1 Not you"));
    let release = "/api/admin/v1/captured/1/release";
    let reply = app.post(release, r#"{"Recipient":"bo@example.net"}"#);
    let entry = reply.header("location").to_owned();
    let entry = || app.get(&entry).json()["Data"].clone();
    app.until("the release was tried", || {
        entry()["Status"] == "queued" && entry()["SendingAttemptResult"] == false
    });
    mail(&app, &to, "captured meanwhile");
    app.until("the other mail is captured", || captured(&app).len() == 2);
    assert_eq!(entry()["Attempts"], 1);
    // With its only way gone it ends where a person can see it.
    remove(&app, id);
    app.settled();
    let (status, error) = (entry()["Status"].clone(), entry()["Error"].clone());
    let expected = "The channel has no provider any more that sends.";
    assert_eq!((status, error), ("failed".into(), expected.into()));
}

#[test]
fn urls_are_sealed_in_the_database_and_survive_a_restart() {
    let (gateway, directory) = (gateway(), tempfile::tempdir().unwrap());
    let data = directory.path().join("data");
    let start = || {
        TestApp::start_with(|mut config| {
            config.data_dir = data.clone();
            config
        })
    };
    let app = start();
    let id = add(&app, "sms", &twilio(&gateway, TOKEN));
    let check = |app: &TestApp| checked(&app.post(&format!("{PROVIDERS}/{id}/check"), ""));
    for entry in std::fs::read_dir(&data).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        let holds = |word: &str| bytes.windows(word.len()).any(|w| w == word.as_bytes());
        assert!(!holds(TOKEN) && !holds("t0ken/with+signs"));
    }
    drop(app);
    let app = start();
    assert_eq!(check(&app), (true, "Simulated active".into()));
    drop(app);
    std::fs::remove_file(data.join("secret.key")).unwrap();
    let app = start();
    let (ok, detail) = check(&app);
    assert!(
        !ok && detail.starts_with("The stored URL cannot be read"),
        "{detail}"
    );
    // It is not taken for a channel without providers: nothing is captured in its place.
    let release = app.post(
        "/api/admin/v1/captured/1/release",
        r#"{"Recipient":"+4712345678"}"#,
    );
    assert_eq!(release.status, 404);
    let to = with_anna(&app);
    let body = r#"{"deliveryMethod":"sms","messageBody":{"sms":{"body":"Hello"}}}"#;
    assert_eq!(app.post(&to, body).status, 202);
    app.until("it was tried", || {
        app.get("/api/admin/v1/messages/logs").json()["Data"][0]["SendingAttemptResult"] == false
    });
    // Writing the URL out again mends it.
    let url = twilio(&gateway, TOKEN);
    let edit = format!(r#"{{"ID":{id},"Channel":"sms","Url":"{url}"}}"#);
    assert_eq!(app.post(PROVIDERS, &edit).status, 200);
    app.advance(std::time::Duration::from_secs(61));
    app.settled();
    assert_eq!(captured(&app), [""; 0]);
}

#[test]
fn providers_given_by_flag_come_first_and_are_locked() {
    let server = mail_server(Options::default());
    let url = format!("smtp://shop:s3cret@127.0.0.1:{}", server.port());
    let app = TestApp::start_with(|config| {
        config.with_providers(
            Channel::Email,
            vec![smtp(&server), format!("{url}?tls=none")],
        )
    });
    add(&app, "email", "capture:");
    let first = format!(
        r#"{{"Channel":"email","Url":"{}","Position":1}}"#,
        "smtp://127.0.0.1:9?tls=none"
    );
    assert_eq!(app.post(PROVIDERS, &first).status, 200);
    let page = app.get(PROVIDERS).json();
    let rows = page["Data"].as_array().unwrap().iter().map(|row| {
        let known = ["Guid", "CreatedDate", "LastUpdated"].map(|name| !row[name].is_null());
        let word = |name: &str| row[name].to_string();
        let row = ["ID", "Position", "Url", "IsLocked"].map(word).join(" ");
        (row, known)
    });
    let masked = url.replace("s3cret", "***");
    let expected = [
        (format!(r#"null 1 "{}" true"#, smtp(&server)), [false; 3]),
        (format!(r#"null 2 "{masked}?tls=none" true"#), [false; 3]),
        (
            r#"2 3 "smtp://127.0.0.1:9?tls=none" false"#.into(),
            [true; 3],
        ),
        (r#"1 4 "capture:" false"#.into(), [true; 3]),
    ];
    assert_eq!(rows.collect::<Vec<_>>(), expected);
    let again = format!(r#"{{"Channel":"email","Url":"{url}?tls=none"}}"#);
    assert_eq!(app.post(PROVIDERS, &again).status, 409);
}
