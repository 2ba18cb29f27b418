//! What a hostile caller tries, with a good key or without any, and what comes of it.

use crate::support::app::{Reply, TestApp};
use herald::http::response::Response;
use std::time::Duration;

const CLIENTS: &str = "/api/admin/v1/clients";
const USERS: &str = "/api/admin/v1/users";

fn create(app: &TestApp, key: &str, body: &str) -> Reply {
    let bearer = format!("Bearer {key}");
    app.call(
        "POST",
        CLIENTS,
        &[("authorization", &bearer)],
        body.as_bytes(),
    )
}

fn key_of(reply: &Reply) -> String {
    assert_eq!(reply.status, 200, "{}", reply.body);
    reply.json()["Data"]["Key"].as_str().unwrap().to_owned()
}

fn refused(slug: &str, details: &str) -> String {
    format!(r#"{{"Result":"ERR","Message":"{slug}","Details":"{details}"}}"#)
}

#[test]
fn a_client_makes_none_that_outlives_it() {
    let app = TestApp::start();
    let ends = r#","ExpiryDate":"2026-11-22T13:00:00Z"}"#;
    let body = |end: &str| format!(r#"{{"Label":"x","Scopes":["relesys.api.settings"]{end}"#);
    let key = key_of(&create(&app, &app.key, &body(ends)));
    let text =
        "A client cannot outlive its maker: ExpiryDate must be at most 2026-11-22T13:00:00Z.";
    for end in [
        "}",
        r#","ExpiryDate":null}"#,
        r#","ExpiryDate":"2026-11-22T13:00:01Z"}"#,
    ] {
        create(&app, &key, &body(end)).expect(403, &refused("err_Forbidden", text));
    }
    let child = key_of(&create(&app, &key, &body(ends)));
    app.advance(Duration::from_secs(3600));
    assert_eq!(create(&app, &child, &body(ends)).status, 401);
}

/// The hour of a token is not the end of its client: what a client may do with its key it may do with a token.
#[test]
fn a_token_makes_clients_that_live_as_long_as_its_own_client() {
    let app = TestApp::start();
    let body = r#"{"Label":"x","Scopes":["relesys.api"],"ExpiryDate":"2026-11-23T12:00:00Z"}"#;
    let made = create(&app, &app.key, body).json();
    let form = format!(
        "grant_type=client_credentials&client_id={}&client_secret={}",
        made["Data"]["Guid"].as_str().unwrap(),
        made["Data"]["ClientSecret"].as_str().unwrap()
    );
    let token = ask_for_token(&app, &form).json()["access_token"]
        .as_str()
        .unwrap()
        .to_owned();
    key_of(&create(&app, &token, body));
    assert_eq!(
        create(&app, &token, r#"{"Label":"x","Scopes":["relesys.api"]}"#).status,
        403
    );
}

fn ask_for_token(app: &TestApp, form: &str) -> Reply {
    let form_type = ("content-type", "application/x-www-form-urlencoded");
    app.call(
        "POST",
        "/oauth/token",
        &[form_type, ("authorization", "")],
        form.as_bytes(),
    )
}

#[test]
fn a_refusal_names_every_scope_that_is_missing_and_no_other() {
    let app = TestApp::start();
    let narrow = r#"{"Label":"x","Scopes":["relesys.api.settings","relesys.api.users:read"]}"#;
    let key = key_of(&create(&app, &app.key, narrow));
    let wide = r#"{"Label":"x","Scopes":["relesys.api.settings:read","relesys.api.users","relesys.api.logs:read"]}"#;
    let text = "Nobody can give away more than they hold; missing here: relesys.api.users relesys.api.logs:read.";
    create(&app, &key, wide).expect(403, &refused("err_Forbidden", text));
}

#[test]
fn a_scope_written_a_thousand_times_is_kept_once() {
    let app = TestApp::start();
    let many = vec!["relesys.api.users:read relesys.api"; 1000].join(" ");
    key_of(&create(
        &app,
        &app.key,
        &format!(r#"{{"Label":"x","Scopes":["{many}"]}}"#),
    ));
    let list = app.get("/api/admin/v1/clients?sort=-ID&pageSize=1").json();
    let expected = serde_json::json!(["relesys.api.users:read", "relesys.api"]);
    assert_eq!(list["Data"][0]["Scopes"], expected);
}

#[test]
fn tokens_count_against_the_rate_of_their_client() {
    let app = TestApp::start_with(|mut config| {
        config.limits.requests_per_minute = 2;
        config
    });
    let made = create(&app, &app.key, r#"{"Label":"x","Scopes":["relesys.api"]}"#).json();
    let form = format!(
        "grant_type=client_credentials&client_id={}&client_secret={}",
        made["Data"]["Guid"].as_str().unwrap(),
        made["Data"]["ClientSecret"].as_str().unwrap()
    );
    for status in [200, 200, 429, 429] {
        assert_eq!(ask_for_token(&app, &form).status, status);
    }
    assert_eq!(ask_for_token(&app, &form).header("retry-after"), "30");
}

#[test]
fn a_list_is_asked_for_one_thing_once() {
    let app = TestApp::start();
    let get = |query: &str| app.get(&format!("{USERS}?{query}"));
    let wrong = |text: &str| refused("err_InvalidElement", text);
    get(&format!("sort={}", vec!["Name"; 2500].join(",")))
        .expect(400, &wrong("sort names Name twice."));
    get("sort=Name,-Name").expect(400, &wrong("sort names Name twice."));
    get(&vec!["ID=1"; 3000].join("&")).expect(400, &wrong("ID is there twice."));
    get("page=1&page=2").expect(400, &wrong("page is there twice."));
    get(&format!("search={}", "a".repeat(201)))
        .expect(400, &wrong("search must be at most 200 characters."));
    assert_eq!(get(&format!("search={}", "%C3%A5".repeat(200))).status, 200);
}

#[test]
fn a_number_has_no_plus_sign() {
    let app = TestApp::start();
    for (path, text) in [
        (
            "/api/admin/v1/users/+1",
            "The id in the address must be a whole number.",
        ),
        (
            "/api/admin/v1/users/%2B1",
            "The id in the address must be a whole number.",
        ),
        (
            "/api/admin/v1/users/1%00",
            "The id in the address must be a whole number.",
        ),
        (
            "/api/admin/v1/users/1%2Fdevices",
            "The id in the address must be a whole number.",
        ),
        (
            "/api/admin/v1/users?page=%2B1",
            "page must be a whole number from 1 to 4294967295.",
        ),
        (
            "/api/admin/v1/users?ID=%2B1",
            "ID is compared with a whole number.",
        ),
        (
            "/api/admin/v1/messages/logs?after=%2B1",
            "after must be the Next of a page.",
        ),
        (
            "/api/admin/v1/messages/placeholders?Type=%2B1",
            "Type must be a whole number.",
        ),
    ] {
        app.get(path)
            .expect(400, &refused("err_InvalidElement", text));
    }
    assert_eq!(
        app.get("/api/v1.3/communication/templates?limit=%2B1")
            .status,
        400
    );
    assert_eq!(
        app.get("/api/v1.3/communication/templates?offset=%2B1")
            .status,
        400
    );
}

#[test]
fn a_header_that_would_split_the_reply_is_left_out() {
    let printed = |value: &str| {
        let response = Response::empty(200).header("Location", value);
        String::from_utf8(response.print(false, false, false)).unwrap()
    };
    assert!(printed("/ok").contains("\r\nLocation: /ok\r\n"));
    for value in [
        "/x\r\nSet-Cookie: a=b",
        "/x\nSet-Cookie: a=b",
        "/x\rSet-Cookie",
        "/x\0",
    ] {
        let printed = printed(value);
        assert!(
            !printed.contains("Location") && !printed.contains("Set-Cookie"),
            "{printed:?}"
        );
    }
}

/// Times at the ends of what can be written, where a sum or a difference would not fit.
#[test]
fn a_time_at_the_end_of_time_is_a_time() {
    let app = TestApp::start();
    app.post(USERS, r#"{"UserName":"anna","Email":"anna@example.org"}"#);
    for at in ["9999-12-30T22:00:00.999999999Z", "-009999-01-02T01:59:59Z"] {
        let send = format!(
            r#"{{"UserId":1,"MessageType":0,"Placeholders":{{"text":"x"}},"SendAt":"{at}"}}"#
        );
        assert_eq!(
            app.post("/api/admin/v1/messages/send", &send).status,
            400,
            "{at}"
        );
        for word in ["from", "to", "CreatedDate"] {
            assert_eq!(
                app.get(&format!("/api/admin/v1/messages/logs?{word}={at}"))
                    .status,
                200,
                "{word}={at}"
            );
        }
    }
    let last =
        r#"{"Label":"x","Scopes":["relesys.api"],"ExpiryDate":"9999-12-30T22:00:00.999999999Z"}"#;
    let key = key_of(&create(&app, &app.key, last));
    let bearer = format!("Bearer {key}");
    assert_eq!(
        app.call("GET", CLIENTS, &[("authorization", &bearer)], b"")
            .status,
        200
    );
}
