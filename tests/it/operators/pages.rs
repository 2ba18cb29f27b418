//! What a page loads first, one-time links, and what another site's page may not do. (api.md, section 2, "Auth")

use super::{PASSWORD, add, log_on, post, session, with_anna};
use crate::support::app::{Reply, TestApp};
use herald::domain::format::Channel;
use herald::domain::ids::ClientId;
use herald::operators::{self, SETUP_MINUTES};
use herald::store::clients as client_rows;
use std::time::Duration;

const SESSION: &str = "/api/admin/v1/session";
const SIGNIN: &str = "/api/admin/v1/user/signin";
const SETUP: &str = "/api/admin/v1/user/setup";
const FORGED: &str = r#"{"Result":"ERR","Message":"err_Forbidden","Details":"A session begins, ends and changes things only from this appliance's own pages."}"#;
const NO_LINK: &str = r#"{"Result":"ERR","Message":"invalid_credentials","Details":"The sign-in link is wrong, used or too old; sign in with name and password."}"#;

fn first_look(app: &TestApp, headers: &[(&str, &str)]) -> Reply {
    let mut all = headers.to_vec();
    if !headers.iter().any(|(name, _)| *name == "authorization") {
        all.push(("authorization", ""));
    }
    app.call("GET", SESSION, &all, b"")
}

/// What is told to whoever is not signed in: nothing but how to begin.
fn stranger(state: &str) -> String {
    format!(
        r#"{{"Result":"OK","Data":{{"State":"{state}","Name":null,"MustChangePassword":null,"Version":null,"AppName":null,"BaseUrl":null,"DefaultLanguage":null,"Captured":null,"Paused":null,"PauseReason":null}}}}"#
    )
}

fn signed_in(app: &TestApp, name: &str, paused: &str) -> String {
    let (version, url) = (env!("CARGO_PKG_VERSION"), app.url());
    format!(
        r#"{{"Result":"OK","Data":{{"State":"signedIn","Name":"{name}","MustChangePassword":false,"Version":"{version}","AppName":"Herald","BaseUrl":"{url}","DefaultLanguage":"en","Captured":["email","sms","push"],"Paused":{paused}}}}}"#
    )
}

#[test]
fn the_first_look_tells_a_stranger_only_how_to_begin() {
    let app = TestApp::start();
    let herald = &app.server().app;
    herald
        .store
        .write(|tx| client_rows::delete(tx, ClientId(1)))
        .unwrap();
    first_look(&app, &[]).expect(200, &stranger("setupOver"));
    let token = operators::setup_token(herald).unwrap().unwrap();
    let reply = first_look(&app, &[]);
    reply.expect(200, &stranger("setup"));
    assert_eq!(reply.header("cache-control"), "no-store");
    app.advance(Duration::from_secs(SETUP_MINUTES as u64 * 60));
    first_look(&app, &[]).expect(200, &stranger("setupOver"));

    let token = operators::setup_token(herald).unwrap().unwrap_or(token);
    let body = serde_json::json!({"token": token, "username": "anna", "password": PASSWORD});
    let reply = post(&app, SETUP, &[], &body.to_string());
    let cookie = reply.header("set-cookie").split(';').next().unwrap();
    first_look(&app, &[("cookie", cookie)])
        .expect(200, &signed_in(&app, "anna", r#"false,"PauseReason":null"#));
    for stale in [
        vec![],
        vec![("cookie", "herald_session=hrldo_wrong")],
        vec![("authorization", "Bearer hrldo_wrong")],
        vec![("authorization", "Basic YTpi")],
    ] {
        first_look(&app, &stale).expect(200, &stranger("signedOut"));
    }
}

#[test]
fn the_first_look_tells_an_operator_what_every_page_shows() {
    let app = with_anna();
    let cookie = format!("herald_session={}", session(&app));
    app.post(
        "/api/admin/v1/outbox/pause",
        r#"{"Reason":"Moving house."}"#,
    );
    let paused = r#"true,"PauseReason":"Moving house.""#;
    first_look(&app, &[("cookie", &cookie)]).expect(200, &signed_in(&app, "anna", paused));
    // A client is nobody's session.
    let key = format!("Bearer {}", app.key);
    first_look(&app, &[("authorization", &key)]).expect(200, &stranger("signedOut"));
}

#[test]
fn a_channel_with_a_provider_that_sends_is_not_captured() {
    let app = TestApp::start_with(|config| {
        config
            .with_providers(Channel::Sms, vec!["capture:".into()])
            .with_providers(Channel::Email, vec!["smtp://127.0.0.1:1".into()])
    });
    add(&app.server().app, "anna");
    let cookie = format!("herald_session={}", session(&app));
    let reply = first_look(&app, &[("cookie", &cookie)]).json();
    assert_eq!(
        reply["Data"]["Captured"],
        serde_json::json!(["sms", "push"])
    );
}

#[test]
fn a_sign_in_link_works_once_and_not_for_ever() {
    let app = with_anna();
    let herald = &app.server().app;
    let sign_in = |token: &str| {
        let body = serde_json::json!({ "token": token });
        post(&app, SIGNIN, &[], &body.to_string())
    };
    sign_in("").expect(401, NO_LINK);
    let token = operators::sign_in_token(herald, "anna").unwrap();
    sign_in("hrldl_wrong").expect(401, NO_LINK);
    let reply = sign_in(&token);
    assert_eq!(
        (reply.status, &reply.json()["Data"]["Name"]),
        (200, &"anna".into())
    );
    let cookie = reply.header("set-cookie").split(';').next().unwrap();
    assert_eq!(
        first_look(&app, &[("cookie", cookie)]).json()["Data"]["Name"],
        "anna"
    );
    sign_in(&token).expect(401, NO_LINK);

    let token = operators::sign_in_token(herald, "anna").unwrap();
    app.advance(Duration::from_secs(SETUP_MINUTES as u64 * 60));
    sign_in(&token).expect(401, NO_LINK);
    // Nor for an operator who is gone.
    let token = operators::sign_in_token(herald, "nobody").unwrap();
    sign_in(&token).expect(401, NO_LINK);
}

#[test]
fn another_sites_page_neither_uses_a_session_nor_begins_one() {
    let app = with_anna();
    let cookie = format!("herald_session={}", session(&app));
    let own = app.url();
    let elsewhere: [&[(&str, &str)]; 5] = [
        &[("origin", "http://evil.example")],
        &[("origin", "null")],
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site"), ("origin", own)],
        &[("sec-fetch-site", "none")],
    ];
    let token = operators::sign_in_token(&app.server().app, "anna").unwrap();
    let link = serde_json::json!({ "token": token }).to_string();
    let password = serde_json::json!({"username": "anna", "password": PASSWORD}).to_string();
    for from in elsewhere {
        let mut with_cookie = vec![("cookie", cookie.as_str())];
        with_cookie.extend(from);
        post(
            &app,
            "/api/admin/v1/settings",
            &with_cookie,
            r#"{"AppName":"Evil"}"#,
        )
        .expect(403, FORGED);
        post(&app, "/api/admin/v1/user/logoff", &with_cookie, "").expect(403, FORGED);
        post(&app, "/api/admin/v1/user/logon", from, &password).expect(403, FORGED);
        post(&app, SIGNIN, from, &link).expect(403, FORGED);
        post(&app, SETUP, from, &link).expect(403, FORGED);
        assert_eq!(
            app.call(
                "DELETE",
                "/api/admin/v1/clients/1",
                &with_cookie_alone(&with_cookie),
                b""
            )
            .status,
            403
        );
    }
    // A cookie without a word of where the request comes from is no browser's, and is not believed.
    post(
        &app,
        "/api/admin/v1/settings",
        &[("cookie", &cookie)],
        r#"{"AppName":"Evil"}"#,
    )
    .expect(403, FORGED);
    assert_eq!(
        app.get("/api/admin/v1/settings").json()["Data"]["AppName"],
        "Herald"
    );
    let mine = [("cookie", cookie.as_str()), ("origin", own)];
    post(
        &app,
        "/api/admin/v1/settings",
        &mine,
        r#"{"AppName":"Ours"}"#,
    )
    .expect(200, r#"{"Result":"OK"}"#);
    assert_eq!(
        post(&app, SIGNIN, &[("sec-fetch-site", "same-origin")], &link).status,
        200
    );
    assert_eq!(log_on(&app, "anna", PASSWORD).status, 200);
}

fn with_cookie_alone<'a>(headers: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut all = headers.to_vec();
    all.push(("authorization", ""));
    all
}
