//! What one look at the database may cost, and what a search in the log finds within that.

use crate::support::app::{Reply, TestApp};
use crate::support::outside::{HttpFaults as _, gateway, sms_url};
use herald::domain::format::Channel;
use herald::simulate::fault::Fault;
use herald::store::look::Limits;
use serde_json::{Value, json};
use std::time::Duration;

const LOGS: &str = "/api/admin/v1/messages/logs";

/// A limit that no test comes to.
const AGES: Duration = Duration::from_secs(600);

fn with_limits(limits: Limits) -> TestApp {
    TestApp::start_with(|mut config| {
        config.limits.looks = limits;
        config
    })
}

/// Writes this many messages that were sent a second after one another, the first of them to `first@example.com`.
fn fill(app: &TestApp, messages: u32) {
    let rows = format!(
        "insert into message (guid, type_id, format, channel, status, lane, recipient, has_content, is_sensitive,
            created_at, created_by, due_at, expires_at)
        with recursive n(i) as (select 1 union all select i + 1 from n where i < {messages})
        select randomblob(16), 0, 0, 'email', 'sent', 1, iif(i = 1, 'first', 'user') || '@example.com', 1, 0,
            1000 * i, '', 0, 0 from n;
        insert into content (message_id, subject, body, trace)
        select id, 'Number ' || id, '', '' from message where id not in (select message_id from content)"
    );
    rusqlite::Connection::open(app.database())
        .unwrap()
        .execute_batch(&rows)
        .unwrap();
}

/// The ids that a search found, the cursor that looks further back, and the time it came to.
fn found(reply: &Reply) -> (Vec<i64>, Option<String>, Option<String>) {
    let reply = reply.json();
    let paging = &reply["Paging"];
    let rows = reply["Data"].as_array().unwrap();
    let ids: Vec<_> = rows.iter().map(|row| row["ID"].as_i64().unwrap()).collect();
    assert_eq!(paging["TotalRecords"], ids.len());
    assert_eq!(paging["TotalCapped"], paging["Next"].is_string());
    let text = |value: &Value| value.as_str().map(str::to_owned);
    (ids, text(&paging["Next"]), text(&paging["SearchedTo"]))
}

fn search(app: &TestApp, words: &str) -> (Vec<i64>, Option<String>, Option<String>) {
    found(&app.get(&format!("{LOGS}?search={words}")))
}

/// A whole log that holds nothing more.
fn whole(ids: &[i64]) -> (Vec<i64>, Option<String>, Option<String>) {
    (ids.to_vec(), None, None)
}

#[test]
fn a_message_is_found_by_each_of_its_texts_but_never_by_sensitive_content() {
    let gateway = gateway();
    let app =
        TestApp::start_with(|config| config.with_providers(Channel::Sms, vec![sms_url(&gateway)]));
    for user in [
        r#"{"UserName":"anna","Name":"Anna Berg","Email":"anna@example.com","Mobile":"+4712345678"}"#,
        r#"{"UserName":"bo","Name":"Bo","Mobile":"+4787654321"}"#,
    ] {
        app.post("/api/admin/v1/users", user);
    }
    let send = |user: i64, message_type: i64, format: i64| {
        let words = match message_type {
            0 => json!({"title": "Quarterly", "text": "SECRET"}),
            _ => json!({"resetUrl": "https://example.com/SECRET"}),
        };
        let body = json!({"UserId": user, "MessageType": message_type, "Formats": [format], "Placeholders": words});
        let reply = app.post("/api/admin/v1/messages/send", &body.to_string());
        assert_eq!(reply.status, 200, "{}", reply.body);
    };
    let refusal = r#"{"code":21211,"message":"Not a landline here","status":400}"#;
    gateway.next(Fault::http(400, &[], refusal));
    send(1, 0, 2);
    app.settled();
    send(2, 0, 2);
    app.settled();
    send(1, 0, 0);
    app.settled();
    // Its subject is "Choose a new password for Herald": sealed while it waits, and wiped when it was sent.
    app.post("/api/admin/v1/outbox/pause", "{}");
    send(1, 3, 0);
    assert_eq!(search(&app, "new%20password"), whole(&[]));
    // An old database may hold it as it was written.
    let unsealed = "update content set subject = 'A tulip' where message_id in (select id from message where is_sensitive); update captured set body = 'A tulip' where is_sensitive";
    let database = rusqlite::Connection::open(app.database()).unwrap();
    database.execute_batch(unsealed).unwrap();
    assert_eq!(search(&app, "tulip"), whole(&[]));
    app.post("/api/admin/v1/outbox/resume", "");
    app.settled();
    database.execute_batch(unsealed).unwrap();
    let captured = app.get("/api/admin/v1/captured?search=tulip");
    assert_eq!(found(&captured), whole(&[]));
    let entry = app.get(&format!("{LOGS}/entries/2")).json();
    let their_id = entry["Data"]["History"][0]["ProviderMessageID"].clone();
    let their_id = their_id.as_str().unwrap();
    for (words, ids) in [
        ("%2B471234", &[1][..]),
        ("anna%40EXAMPLE", &[4, 3]),
        ("berg", &[4, 3, 1]),
        ("quarterly", &[3]),
        ("landline", &[1]),
        ("permanent%20400", &[1]),
        (&their_id[4..], &[2]),
        ("captured%20as", &[4, 3]),
        ("new%20password", &[]),
        ("SECRET", &[]),
        ("bo", &[2]),
        ("elephant", &[]),
    ] {
        assert_eq!(search(&app, words), whole(ids), "{words}");
    }
}

#[test]
fn a_search_looks_at_so_many_messages_and_says_how_far_back_it_came() {
    let app = with_limits(Limits {
        search_rows: 1000,
        search: AGES,
        ..Limits::default()
    });
    fill(&app, 1000);
    assert_eq!(search(&app, "first").0, [1], "the last one is looked at");
    fill(&app, 1);
    let (ids, next, searched_to) = search(&app, "first");
    // The newest is one of the two first ones now; the other one is just beyond.
    assert_eq!(ids, [1001]);
    assert_eq!(next.as_deref(), Some("2"));
    assert_eq!(searched_to.as_deref(), Some("1970-01-01T00:00:02Z"));
    assert_eq!(search(&app, "first&after=2"), whole(&[1]));
    // What no filter lets through is looked at all the same.
    assert_eq!(
        search(&app, "first&Status=delivered").1.as_deref(),
        Some("2")
    );
    // A full page ends a search too.
    let (ids, next, searched_to) = search(&app, "number%2099&pageSize=2");
    assert_eq!((ids, next.as_deref()), (vec![999, 998], Some("998")));
    assert_eq!(searched_to.as_deref(), Some("1970-01-01T00:16:38Z"));
    // A user's messages are found by their index: nobody else's are looked at.
    assert_eq!(search(&app, "first&UserId=1"), whole(&[]));
    // So is what few messages are.
    assert_eq!(search(&app, "first&NotificationType=1"), whole(&[]));
    assert_eq!(search(&app, "first&Status=failed"), whole(&[]));
}

#[test]
fn a_search_takes_so_long_and_says_how_far_back_it_came() {
    let limited = |search| {
        let app = with_limits(Limits {
            search_rows: u64::MAX,
            search,
            ..Limits::default()
        });
        fill(&app, 100_000);
        app
    };
    assert_eq!(search(&limited(AGES), "first"), whole(&[1]));

    let app = limited(Duration::from_millis(1));
    let mut cursor = String::from("100001");
    let mut looks = 0;
    loop {
        looks += 1;
        let (ids, next, searched_to) = search(&app, &format!("first&after={cursor}"));
        let Some(next) = next else {
            assert_eq!(ids, [1]);
            break;
        };
        let at: i64 = next.parse().unwrap();
        assert!(at < cursor.parse().unwrap(), "it goes on");
        let at = jiff::Timestamp::from_second(at).unwrap();
        let at = at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        assert_eq!((ids, searched_to), (vec![], Some(at)));
        cursor = next;
    }
    assert!(looks > 1, "100,000 messages in a millisecond");
}

#[test]
fn a_look_that_takes_too_long_is_stopped_and_its_reader_is_free_again() {
    const TOO_LONG: &str = r#"{"Result":"ERR","Message":"err_Unavailable","Details":"Looking this up took too long and was stopped, so that others can read too. Ask for less: leave out sort or a filter, or name the UserId."}"#;
    let limited = |read| {
        let app = with_limits(Limits {
            read,
            ..Limits::default()
        });
        fill(&app, 200_000);
        app
    };
    let slow = format!("{LOGS}?sort=-LastSendingAttempt,CreatedDate&pageSize=1");
    let app = limited(Duration::from_millis(1));
    // More often than there are readers: none is lost.
    for _ in 0..10 {
        let reply = app.get(&slow);
        reply.expect(503, TOO_LONG);
        assert_eq!(reply.header("retry-after"), "60");
    }
    // No index knows these.
    let nothing_fits = app.get(&format!("{LOGS}?Status=delivered"));
    nothing_fits.expect(503, TOO_LONG);
    assert_eq!(app.get(&format!("{LOGS}/entries/1")).status, 200);

    let app = limited(AGES);
    let reply = app.get(&slow).json();
    assert_eq!(reply["Data"][0]["ID"], 1);
    let nothing_fits = app.get(&format!("{LOGS}?Status=delivered")).json();
    assert_eq!(nothing_fits["Data"], json!([]));
}
