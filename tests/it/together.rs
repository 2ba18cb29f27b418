//! Equal inserts at the same moment: one wins, everyone else is told so. (Core - Messages, "err_DuplicateElement")

use crate::support::app::{Caller, TestApp};
use std::sync::Barrier;

/// Callers at once.
const CALLERS: usize = 20;

/// Posts the same body from every caller at once, and counts who wins; all the others get exactly this sentence.
#[track_caller]
fn exactly_one_wins(app: &TestApp, path: &str, body: &str, refusal: &str) {
    let start = Barrier::new(CALLERS);
    let replies: Vec<_> = std::thread::scope(|scope| {
        let calls: Vec<_> = (0..CALLERS)
            .map(|_| {
                scope.spawn(|| {
                    let caller = Caller::new(app.url(), &app.key);
                    start.wait();
                    caller.post(path, body)
                })
            })
            .collect();
        calls.into_iter().map(|call| call.join().unwrap()).collect()
    });
    let refused =
        format!(r#"{{"Result":"ERR","Message":"err_DuplicateElement","Details":"{refusal}"}}"#);
    let (won, lost): (Vec<_>, Vec<_>) = replies.iter().partition(|reply| reply.status == 200);
    assert_eq!(won.len(), 1, "{replies:?}");
    for reply in lost {
        reply.expect(409, &refused);
    }
}

/// How many rows a list has.
fn total(app: &TestApp, path: &str) -> i64 {
    app.get(path).json()["Paging"]["TotalRecords"]
        .as_i64()
        .unwrap()
}

#[test]
fn of_equal_templates_at_once_one_wins() {
    let app = TestApp::start();
    exactly_one_wins(
        &app,
        "/api/admin/v1/messages/templates",
        r#"{"Type":1,"Format":2,"Language":"de-DE","Body":"Hallo"}"#,
        "Another template has this Type, Format and Language already; edit that one or delete it first.",
    );
    let list = "/api/admin/v1/messages/templates/list?Language=de-DE";
    assert_eq!(total(&app, list), 1);
}

#[test]
fn of_equal_users_at_once_one_wins() {
    let app = TestApp::start();
    exactly_one_wins(
        &app,
        "/api/admin/v1/users",
        r#"{"UserName":"anna"}"#,
        "A user has the name anna already.",
    );
    assert_eq!(total(&app, "/api/admin/v1/users/list"), 1);
}

#[test]
fn of_equal_notification_preferences_at_once_one_wins() {
    let app = TestApp::start();
    app.post("/api/admin/v1/users", r#"{"UserName":"anna"}"#);
    let path = "/api/admin/v1/messages/preferences/1";
    exactly_one_wins(
        &app,
        path,
        r#"{"NotificationType":0,"IsEmail":true}"#,
        "The user has a preference for this NotificationType already; edit that one.",
    );
    assert_eq!(total(&app, path), 1);
}

#[test]
fn of_equal_system_message_preferences_at_once_one_wins() {
    let app = TestApp::start();
    let path = "/api/admin/v1/messages/system-message-preferences";
    exactly_one_wins(
        &app,
        path,
        r#"{"MessageType":1,"MessageFormat":2}"#,
        "This MessageType has a preference already; edit that one.",
    );
    assert_eq!(total(&app, path), 1);
}
