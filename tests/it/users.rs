//! Users. (api.md, `/v1/users`)

use crate::support::app::{Reply, TestApp};
use herald::import::LINES_MAX;
use herald::store::check::check;
use herald::store::copies::Watch;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::sync::Arc;

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

/// They are counted as they come, change and go; `herald check` counts them one by one.
#[test]
fn who_speaks_which_language_is_right_after_each_change() {
    let app = TestApp::start();
    let spoken = || {
        let coverage = app.get("/api/admin/v1/messages/templates/coverage");
        let languages = coverage.json()["Data"]["Languages"].take();
        let lines = languages
            .as_array()
            .unwrap()
            .iter()
            .filter(|l| l["Users"] != 0)
            .map(|l| {
                let numbers = ["Users", "WithEmail", "WithMobile"].map(|word| l[word].to_string());
                format!("{} {}", l["Language"].as_str().unwrap(), numbers.join(" "))
            });
        lines.collect::<Vec<_>>().join(", ")
    };
    #[rustfmt::skip] // A table: one change a line.
    let steps = [
        (r#"{"UserName":"anna","Language":"nb"}"#, "nb 1 0 0"),
        (r#"{"UserName":"bo","Language":"nb","Email":"bo@example.com","IsDisabled":true}"#, "nb 1 0 0"),
        (r#"{"ID":2,"UserName":"bo","Language":"nb","Email":"bo@example.com"}"#, "nb 2 1 0"),
        (r#"{"ID":1,"UserName":"anna","Language":"nb","Email":"a@example.com","Mobile":"+4790000001"}"#, "nb 2 2 1"),
        (r#"{"ID":1,"UserName":"anna","Language":"de","Email":"a@example.com","Mobile":"+4790000001"}"#, "de 1 1 1, nb 1 1 0"),
        (r#"{"ID":1,"UserName":"anna","Language":"de","Mobile":"+4790000001"}"#, "de 1 0 1, nb 1 1 0"),
        (r#"{"ID":2,"UserName":"bo","Language":"nb","Email":"bo@example.com","IsDisabled":true}"#, "de 1 0 1"),
        (r#"{"ID":2,"UserName":"bo","Language":"de","IsDisabled":true}"#, "de 1 0 1"),
    ];
    for (user, expected) in steps {
        assert_eq!(app.post("/api/admin/v1/users", user).status, 200, "{user}");
        assert_eq!(spoken(), expected, "{user}");
    }
    let list = "UserName,Language,Email\nanna,fr,\nbo,fr,b@example.com\ncarl,fr,c@example.com\n";
    assert_eq!(counts(&import(&app, "", list)), [1, 2, 0, 0]);
    assert_eq!(spoken(), "fr 2 1 1");
    for id in [2, 3] {
        app.delete(&format!("/api/admin/v1/users/{id}"));
    }
    assert_eq!(spoken(), "fr 1 0 1");
    let nobody = Watch {
        enter: &|_| (),
        stop: Arc::default(),
    };
    let checked = check(&app.database(), &nobody).unwrap();
    assert_eq!(checked.findings.len(), 0, "{:?}", checked.findings);
}
