//! Rules of the API that a case file cannot try: they need a moment in between, another provider or an encoding.

use crate::support::app::{Reply, TestApp};
use crate::support::outside::{HttpFaults as _, gateway, sms_url};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use herald::accept::{self, Choice, Custom, Order, What};
use herald::domain::format::Channel;
use herald::domain::ids::{Owner, TypeId};
use herald::domain::message::NewMessage;
use herald::domain::placeholder::Values;
use herald::simulate::fault::Fault;
use herald::store;
use herald::store::versions::VERSIONS_MAX;
use serde_json::{Value, json};
use uuid::Uuid;

const USERS: &str = "/api/admin/v1/users";

/// Adds anna and gives the path that sends to her.
fn anna(app: &TestApp) -> String {
    let reply = app.post(USERS, r#"{"UserName":"anna","Mobile":"+4712345678"}"#);
    let guid = reply.json()["Data"]["Guid"].as_str().unwrap().to_owned();
    format!("/api/v1.3/communication/messages/{guid}/send")
}

fn send(app: &TestApp, path: &str, headers: &[(&str, &str)]) -> Reply {
    let headers = [headers, &[("content-type", "application/json")]].concat();
    let body = br#"{"deliveryMethod":"sms","messageBody":{"sms":{"body":"Hello"}}}"#;
    app.call("POST", path, &headers, body)
}

/// Send API, rule 5: "the first still running 409".
#[test]
fn a_key_whose_first_request_still_runs_is_a_conflict() {
    let app = TestApp::start();
    let path = anna(&app);
    let running = app.server().app.hold_key(Owner(1), "one").unwrap();
    send(&app, &path, &[("idempotency-key", "one")]).expect(
        409,
        r#"{"errorCode":"409","message":"A request with this Idempotency-Key is still running."}"#,
    );
    drop(running);
    let reply = send(&app, &path, &[("idempotency-key", "one")]);
    assert_eq!(
        (reply.status, reply.header("location")),
        (202, "/api/admin/v1/messages/logs/entries/1")
    );
    app.settled();
}

/// delivery.md, "Engine": a send is one transaction, the idempotency record with the message rows.
#[test]
fn a_message_and_its_key_are_kept_together_or_not_at_all() {
    let app = TestApp::start();
    let path = anna(&app);
    let database = rusqlite::Connection::open(app.database()).unwrap();
    let counts = || {
        let sql =
            "select (select count(*) from message) || ' ' || (select count(*) from idempotency)";
        let counts: String = database.query_row(sql, [], |row| row.get(0)).unwrap();
        counts
    };
    for table in ["idempotency", "message"] {
        let refuse = format!(
            "create trigger refuse before insert on {table} begin select raise(abort, 'refused'); end"
        );
        database.execute_batch(&refuse).unwrap();
        let reply = send(&app, &path, &[("idempotency-key", "one")]);
        assert!(reply.status >= 500, "{table}: {reply:?}");
        assert_eq!(counts(), "0 0", "{table}");
        database.execute_batch("drop trigger refuse").unwrap();
    }
    let ids = [(), ()].map(|()| {
        let reply = send(&app, &path, &[("idempotency-key", "one")]);
        reply.expect(202, "").header("x-message-id").to_owned()
    });
    assert_eq!((ids[0] == ids[1], counts()), (true, "1 1".into()));
    app.settled();
}

/// delivery.md, promise 5: what is kept to know a request again lets nobody who has the database alone try which it was.
#[test]
fn two_appliances_remember_the_same_request_differently() {
    let remembered = || {
        let app = TestApp::start();
        let reply = app.post(USERS, r#"{"UserName":"anna","Mobile":"+4712345678"}"#);
        let database = rusqlite::Connection::open(app.database()).unwrap();
        let guid = "00000000-0000-4000-8000-000000000001";
        let same = "update recipient set guid = x'00000000000040008000000000000001'";
        assert_eq!(
            (reply.status, database.execute(same, []).unwrap()),
            (200, 1)
        );
        let path = format!("/api/v1.3/communication/messages/{guid}/send");
        send(&app, &path, &[("idempotency-key", "one")]).expect(202, "");
        app.settled();
        let sql = "select request_hash from idempotency";
        let hash: Vec<u8> = database.query_row(sql, [], |row| row.get(0)).unwrap();
        hash
    };
    assert_ne!(remembered(), remembered());
}

/// Send API, rule 4: "A disabled user: 409", even one disabled a moment ago.
#[test]
fn a_user_disabled_while_a_send_is_prepared_is_a_conflict() {
    let app = TestApp::start();
    anna(&app);
    let herald = &app.server().app;
    let order = Order {
        user: herald
            .store
            .read(|db| store::users::get_by_name(db, "anna"))
            .unwrap(),
        what: What::Custom(Custom {
            sms: Some("Hello".into()),
            ..Custom::default()
        }),
        choice: Choice::Channels(vec![Channel::Sms]),
        send_at: None,
        by: "tests".into(),
    };
    let prepared = herald
        .store
        .read(|db| accept::prepare(herald, db, order))
        .unwrap();
    app.post(
        USERS,
        r#"{"ID":1,"UserName":"anna","Mobile":"+4712345678","IsDisabled":true}"#,
    );
    let refused = accept::commit(herald, prepared, None).unwrap_err();
    assert_eq!(
        (refused.code(), refused.details().as_str()),
        (
            "err_Conflict",
            "The user anna is disabled; nothing is sent."
        )
    );
    assert_eq!(app.pending(), 0);
}

/// `/v1/users`: "DELETE erases the person: addresses, bodies and attributes go".
#[test]
fn erasing_a_user_erases_the_words_of_providers_too() {
    let gateway = gateway();
    let refusal =
        r#"{"code":21211,"message":"The 'To' number +4712345678 is not valid.","status":400}"#;
    gateway.next(Fault::http(400, &[], refusal));
    let app =
        TestApp::start_with(|config| config.with_providers(Channel::Sms, vec![sms_url(&gateway)]));
    let path = anna(&app);
    send(&app, &path, &[]);
    app.settled();
    let entry = "/api/admin/v1/messages/logs/entries/1";
    let before = app.get(entry).json();
    let error = before["Data"]["Error"].as_str().unwrap();
    assert!(error.contains("+4712345678"), "{error}");
    app.delete("/api/admin/v1/users/1")
        .expect(200, r#"{"Result":"OK"}"#);
    let after = app.get(entry);
    assert!(!after.body.contains("4712345678"), "{}", after.body);
    assert_eq!(after.json()["Data"]["Status"], "failed");
}

/// RFC 6749, section 2.3.1.
#[test]
fn a_client_may_say_who_it_is_in_a_basic_header() {
    let app = TestApp::start();
    let made = app.post(
        "/api/admin/v1/clients",
        r#"{"Label":"app","Scopes":["relesys.api.users"]}"#,
    );
    let made = made.json();
    let word = |name: &str| made["Data"][name].as_str().unwrap().to_owned();
    let (id, secret) = (word("Guid"), word("ClientSecret"));
    let basic = format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")));
    let headers = [
        ("authorization", basic.as_str()),
        ("content-type", "application/x-www-form-urlencoded"),
    ];
    // The id may be in the form as well, the secret may not.
    for (form, status) in [
        ("grant_type=client_credentials".to_owned(), 200),
        (format!("grant_type=client_credentials&client_id={id}"), 200),
        (
            format!("grant_type=client_credentials&client_secret={secret}"),
            400,
        ),
        ("grant_type=client_credentials&client_id=other".into(), 400),
    ] {
        let reply = app.call("POST", "/oauth/token", &headers, form.as_bytes());
        assert_eq!(reply.status, status, "{form}: {}", reply.body);
    }
}

/// "Returns a Json positive response with a true or false depending on whether the message was succesfully delivered or
/// not". A test is tried once, whatever the provider says.
#[test]
fn a_test_that_the_provider_refuses_is_false_and_in_the_log() {
    let gateway = gateway();
    let app =
        TestApp::start_with(|config| config.with_providers(Channel::Sms, vec![sms_url(&gateway)]));
    let refusal = r#"{"code":21211,"message":"The number is not valid.","status":400}"#;
    let busy = r#"{"code":20503,"message":"Busy.","status":503}"#;
    let answers = [(400, refusal, "failed"), (503, busy, "cancelled")];
    for (index, (status, answer, end)) in answers.into_iter().enumerate() {
        gateway.next(Fault::http(status, &[], answer));
        app.post(
            "/api/admin/v1/messages/templates/5/test",
            r#"{"Recipient":"+4798765432"}"#,
        )
        .expect(200, r#"{"Result":"OK","Data":false}"#);
        let entry = format!("/api/admin/v1/messages/logs/entries/{}", index + 1);
        let entry = &app.get(&entry).json()["Data"];
        assert_eq!(
            (
                &entry["Status"],
                &entry["SendingAttemptResult"],
                &entry["Attempts"]
            ),
            (&end.into(), &false.into(), &1.into())
        );
    }
    assert_eq!(gateway.asked().len(), 2);
}

/// A message of a type that its user wants none of: it costs nothing but its row.
fn suppressed(app: &TestApp) -> NewMessage {
    app.post(USERS, r#"{"UserName":"anna","Email":"anna@example.com"}"#);
    app.post(
        "/api/admin/v1/messages/preferences/1",
        r#"{"NotificationType":1,"IsOff":true}"#,
    );
    let herald = &app.server().app;
    let order = herald.store.read(|db| {
        Ok(Order {
            user: store::users::get_by_name(db, "anna")?,
            what: What::Typed(store::types::get(db, TypeId(1))?, Values::new()),
            choice: Choice::Preference,
            send_at: None,
            by: "tests".into(),
        })
    });
    herald
        .store
        .read(|db| accept::prepare(herald, db, order.unwrap()))
        .unwrap()
        .messages()[0]
        .clone()
}

/// "their count stops at 10,000 (`TotalRecords` is then 10000 and `TotalCapped` is true)"
#[test]
fn the_count_of_a_log_stops_at_ten_thousand() {
    let app = TestApp::start();
    let row = suppressed(&app);
    let fill = move |count: u32| {
        let row = row.clone();
        move |tx: &store::Tx<'_>| {
            for _ in 0..count {
                let guid = Uuid::new_v4();
                store::messages::insert(
                    tx,
                    &NewMessage {
                        guid,
                        ..row.clone()
                    },
                )?;
            }
            Ok(())
        }
    };
    // Up to here an index leads to the rows of a type, a format or a state; of more, the newest are looked at.
    let filters = [
        "",
        "NotificationType=1",
        "MessageFormat=0",
        "MessageFormat=0&NotificationType=1",
        "Status=suppressed",
        "UserId=1",
        "UserId=1&Status=suppressed",
        "Status=suppressed&NotificationType=1",
    ];
    let nothing = [
        "MessageFormat=1",
        "NotificationType=2&MessageFormat=0",
        "UserId=2",
        "UserId=1&MessageFormat=2",
        "Status=failed&NotificationType=1",
    ];
    let paging = |filter: &str| {
        app.get(&format!("/api/admin/v1/messages/logs?pageSize=1&{filter}"))
            .json()
    };
    let expect = |paging_of_all: &Value, newest: i64| {
        for filter in filters {
            let reply = paging(filter);
            assert_eq!(&reply["Paging"], paging_of_all, "{filter}");
            assert_eq!(reply["Data"][0]["ID"], newest, "{filter}");
        }
        for filter in nothing {
            assert_eq!(paging(filter)["Paging"]["TotalRecords"], 0, "{filter}");
        }
    };
    let herald = &app.server().app;
    herald.store.write(fill(10_000)).unwrap();
    let exact = json!({"Page":1,"PageSize":1,"TotalRecords":10_000,"TotalPages":10_000,"TotalCapped":false,"Next":"10000"});
    expect(&exact, 10_000);
    herald.store.write(fill(1)).unwrap();
    let capped = json!({"Page":1,"PageSize":1,"TotalRecords":10_000,"TotalPages":10_000,"TotalCapped":true,"Next":"10001"});
    expect(&capped, 10_001);
    // The cursor goes past what was counted.
    let reply = app.get("/api/admin/v1/messages/logs?pageSize=1&after=2");
    assert_eq!(reply.json()["Data"][0]["ID"], 1);
}

/// The last 50 versions of a template are kept.
#[test]
fn a_template_keeps_its_last_fifty_versions() {
    const TEMPLATES: &str = "/api/admin/v1/messages/templates";
    let app = TestApp::start();
    let save = |number: i64| {
        let id = if number == 1 { 0 } else { 13 };
        let body = format!("Hello {number}");
        let template = json!({"ID": id, "Type": 1, "Format": 2, "Language": "nb-NO", "Body": body});
        assert_eq!(app.post(TEMPLATES, &template.to_string()).status, 200);
    };
    let kept = || {
        let versions = app.get(&format!("{TEMPLATES}/13/versions")).json()["Data"].take();
        let numbers = versions.as_array().unwrap().iter();
        numbers
            .map(|v| v["Version"].as_i64().unwrap())
            .collect::<Vec<_>>()
    };
    (1..=VERSIONS_MAX).for_each(save);
    assert_eq!(kept(), (1..=VERSIONS_MAX).rev().collect::<Vec<_>>());
    save(VERSIONS_MAX + 1);
    assert_eq!(kept(), (2..=VERSIONS_MAX + 1).rev().collect::<Vec<_>>());
    let restored = app.post(&format!("{TEMPLATES}/13/versions/1/restore"), "");
    restored.expect(404, r#"{"Result":"ERR","Message":"err_NotFound","Details":"The message template 13 has no version 1 (any more)."}"#);
}
