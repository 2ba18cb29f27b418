//! Users. (api.md, `/v1/users`)

use crate::support::app::{Reply, TestApp};
use herald::import::LINES_MAX;
use serde_json::{Value, json};
use std::fmt::Write as _;

const IMPORT: &str = "/api/admin/v1/users/import";

#[test]
fn a_user_name_is_unique_whatever_its_case() {
    let app = TestApp::start();
    let reply = app.post("/api/admin/v1/users", r#"{"UserName":"anna"}"#);
    assert_eq!(
        (reply.status, reply.header("location")),
        (200, "/api/admin/v1/users/1")
    );
    app.post("/api/admin/v1/users", r#"{"UserName":"ANNA"}"#).expect(
        409,
        r#"{"Result":"ERR","Message":"err_DuplicateElement","Details":"A user has the name ANNA already."}"#,
    );
}

fn import(app: &TestApp, query: &str, list: &str) -> Reply {
    let headers = [("content-type", "text/csv")];
    app.call(
        "POST",
        &format!("{IMPORT}{query}"),
        &headers,
        list.as_bytes(),
    )
}

/// Added, changed, unchanged, refused.
fn counts(reply: &Reply) -> [u64; 4] {
    let data = reply.json()["Data"].take();
    ["Added", "Changed", "Unchanged", "Refused"].map(|word| data[word].as_u64().unwrap())
}

fn total(app: &TestApp) -> Value {
    app.get("/api/admin/v1/users?pageSize=1").json()["Paging"]["TotalRecords"].take()
}

#[test]
fn of_a_thousand_lines_with_seven_bad_ones_the_others_are_taken_in_parts_and_again() {
    let app = TestApp::start();
    let bad = [3, 150, 201, 202, 777, 999, 1000];
    let line = |number: u64| match bad.contains(&number) {
        true => format!("user{number},nowhere,\n"),
        false => format!("user{number},user{number}@example.com,+479{number:07}\n"),
    };
    let list = |numbers: std::ops::RangeInclusive<u64>| {
        numbers.fold(String::from("UserName,Email,Mobile\n"), |list, number| {
            list + &line(number)
        })
    };
    let refused: Vec<_> = bad
        .iter()
        .map(|number| {
            let reason = "'nowhere' is not an e-mail address: it has no @; the form is 'anna@example.com'.";
            json!({
                "Line": number + 1, "Result": "refused", "UserName": format!("user{number}"), "Guid": null, "ID": null,
                "Errors": [{"Field": "Email", "Reason": reason}],
            })
        })
        .collect();
    for (query, added, stored) in [("?DryRun=true", 993, 0), ("", 993, 993)] {
        let reply = import(&app, query, &list(1..=1000));
        assert_eq!(counts(&reply), [added, 0, 0, 7]);
        let mut report = reply.json()["Data"]["Report"].take();
        let report = report.as_array_mut().unwrap();
        assert_eq!(report.len(), 1000);
        report.retain(|line| line["Result"] == "refused");
        assert_eq!(*report, refused);
        assert_eq!(total(&app), stored);
    }
    for (part, unchanged) in [(1..=500, 496), (501..=1000, 497)] {
        assert_eq!(counts(&import(&app, "", &list(part)))[2], unchanged);
    }
    assert_eq!(total(&app), 993);
}

#[test]
fn a_list_has_at_most_ten_thousand_lines() {
    let app = TestApp::start();
    let list = |lines: usize| {
        let mut list = String::from("UserName\n");
        (0..lines).for_each(|number| writeln!(list, "user{number}").unwrap());
        list
    };
    let reply = import(&app, "?DryRun=true", &list(LINES_MAX));
    assert_eq!(counts(&reply), [LINES_MAX as u64, 0, 0, 0]);
    import(&app, "", &list(LINES_MAX + 1)).expect(400, r#"{"Result":"ERR","Message":"err_InvalidElement","Details":"The list has more than 10000 lines; send it in parts, each with the header line."}"#);
    assert_eq!(total(&app), 0);
}
