//! Operators signing in and out, and the quota of a client: what a case file cannot try, because its appliance has a
//! client and no operator. (api.md, section 2, "Auth"; section 3, "Token")

use crate::support::app::{NOW, Reply, TestApp};
use herald::{operators, store};
use std::time::Duration;

const LOGON: &str = "/api/admin/v1/user/logon";
const LOGOFF: &str = "/api/admin/v1/user/logoff";
const PASSWORD: &str = "/api/admin/v1/user/password";
const SETUP: &str = "/api/admin/v1/user/setup";
const USERS: &str = "/api/admin/v1/users/list";

const GOOD: &str = r#"{"username":"olga","password":"correct horse"}"#;
const WRONG: &str = r#"{"username":"olga","password":"wrong horse"}"#;
const REFUSED: &str = r#"{"Result":"ERR","Message":"invalid_credentials","Details":"The user name or the password is wrong."}"#;
const ENDED: &str = r#"{"Result":"ERR","Message":"err_Unauthorized","Details":"This key or token is unknown, revoked or expired."}"#;
const DONE: &str = r#"{"Result":"OK"}"#;

/// An appliance with the operator olga.
fn with_olga() -> TestApp {
    let app = TestApp::start();
    let hash = operators::new_password("correct horse").unwrap();
    let add =
        move |tx: &store::Tx<'_>| store::operators::insert(tx, "olga", &hash, NOW.parse().unwrap());
    app.server().app.store.write(add).unwrap();
    app
}

/// Signs in and gives the token; the whole reply is as promised.
#[track_caller]
fn logged_on(reply: &Reply) -> String {
    let token = reply.json()["Data"]["Token"].as_str().unwrap().to_owned();
    let rest =
        r#","Name":"olga","Roles":["Administrator"],"Language":"en","MustChangePassword":false}}"#;
    reply.expect(
        200,
        &format!(r#"{{"Result":"OK","Data":{{"Token":"{token}"{rest}"#),
    );
    assert!(token.starts_with("hrldo_"), "{token}");
    token
}

/// A GET that carries only this header.
fn get(app: &TestApp, name: &str, value: &str) -> Reply {
    app.call("GET", USERS, &[("authorization", ""), (name, value)], b"")
}

/// A POST with this session as its bearer token.
fn post(app: &TestApp, path: &str, token: &str, body: &str) -> Reply {
    let bearer = format!("Bearer {token}");
    let headers = [
        ("authorization", bearer.as_str()),
        ("content-type", "application/json"),
    ];
    app.call("POST", path, &headers, body.as_bytes())
}

/// "`POST /v1/user/logon` (`{username, password}` -> `Data: {Token, Name, Roles, Language, MustChangePassword}`"
#[test]
fn logon_gives_a_session_that_ends_at_logoff() {
    let app = with_olga();
    let reply = app.post(LOGON, GOOD);
    let token = logged_on(&reply);
    assert_eq!(
        reply.header("set-cookie"),
        format!("herald_session={token}; Path=/; HttpOnly; SameSite=Strict; Max-Age=43200")
    );
    assert_eq!(reply.header("cache-control"), "no-store");
    assert_eq!(
        get(&app, "cookie", &format!("herald_session={token}")).status,
        200
    );
    let reply = post(&app, LOGOFF, &token, "");
    reply.expect(200, DONE);
    assert_eq!(
        reply.header("set-cookie"),
        "herald_session=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0"
    );
    get(&app, "authorization", &format!("Bearer {token}")).expect(401, ENDED);
    get(&app, "cookie", &format!("herald_session={token}")).expect(401, ENDED);
}

/// Outside this machine a session goes over TLS only.
#[test]
fn the_cookie_of_another_host_is_secure() {
    let app = with_olga();
    let headers = [
        ("host", "herald.example.com"),
        ("content-type", "application/json"),
    ];
    let reply = app.call("POST", LOGON, &headers, GOOD.as_bytes());
    let token = logged_on(&reply);
    assert_eq!(
        reply.header("set-cookie"),
        format!("herald_session={token}; Path=/; HttpOnly; SameSite=Strict; Max-Age=43200; Secure")
    );
}

/// A session lasts 12 hours.
#[test]
fn a_session_ends_after_twelve_hours() {
    let app = with_olga();
    let token = logged_on(&app.post(LOGON, GOOD));
    let bearer = format!("Bearer {token}");
    app.advance(Duration::from_secs(12 * 3600 - 1));
    assert_eq!(get(&app, "authorization", &bearer).status, 200);
    app.advance(Duration::from_secs(1));
    get(&app, "authorization", &bearer).expect(401, ENDED);
}

/// "`invalid_credentials`, `cannot_access` (site)"
#[test]
fn five_wrong_tries_and_the_door_is_shut_for_a_while() {
    let app = with_olga();
    app.post(LOGON, r#"{"username":"nobody","password":"correct horse"}"#)
        .expect(401, REFUSED);
    app.post(LOGON, "{}").expect(401, REFUSED);
    for _ in 0..5 {
        app.post(LOGON, WRONG).expect(401, REFUSED);
    }
    // The right password does not open it either.
    let shut = app.post(LOGON, GOOD);
    shut.expect(429, r#"{"Result":"ERR","Message":"cannot_access","Details":"Too many wrong passwords; wait before you try again."}"#);
    assert_eq!(shut.header("retry-after"), "900");
    app.advance(Duration::from_secs(899));
    assert_eq!(app.post(LOGON, GOOD).header("retry-after"), "1");
    app.advance(Duration::from_secs(1));
    logged_on(&app.post(LOGON, GOOD));
}

/// "Changes an operator's password; every session of theirs ends"
#[test]
fn a_new_password_ends_every_session() {
    let app = with_olga();
    let one = logged_on(&app.post(LOGON, GOOD));
    let two = logged_on(&app.post(LOGON, GOOD));
    let change = |old: &str, new: &str| {
        let body = format!(r#"{{"OldPassword":"{old}","NewPassword":"{new}"}}"#);
        post(&app, PASSWORD, &one, &body)
    };
    change("wrong horse", "battery staple").expect(401, REFUSED);
    change("correct horse", "too short").expect(400, r#"{"Result":"ERR","Message":"err_InvalidElement","Details":"A password must be at least 10 characters and at most 1024 bytes."}"#);
    post(&app, PASSWORD, &one, "{}").expect(
        400,
        r#"{"Result":"ERR","Message":"err_InvalidElement","Details":"OldPassword is missing."}"#,
    );
    change("correct horse", "battery staple").expect(200, DONE);
    for token in [one, two] {
        get(&app, "authorization", &format!("Bearer {token}")).expect(401, ENDED);
    }
    app.post(LOGON, GOOD).expect(401, REFUSED);
    logged_on(&app.post(LOGON, r#"{"username":"olga","password":"battery staple"}"#));
}

/// Logoff and the password belong to operators: a client's key is not enough.
#[test]
fn a_client_is_no_operator() {
    let app = TestApp::start();
    for path in [LOGOFF, PASSWORD] {
        app.post(path, "{}").expect(403, r#"{"Result":"ERR","Message":"err_Forbidden","Details":"One of these scopes is needed: an operator's session."}"#);
    }
}

/// The first operator is made once, with the token of the first start.
#[test]
fn the_first_operator_is_set_up_once() {
    let app = TestApp::start();
    let herald = &app.server().app;
    assert_eq!(operators::setup_token(herald).unwrap(), None);
    app.delete("/api/admin/v1/clients/1").expect(200, DONE);
    let token = operators::setup_token(herald).unwrap().unwrap();
    let body = |token: &str, name: &str, password: &str| {
        format!(r#"{{"token":"{token}","username":"{name}","password":"{password}"}}"#)
    };
    let wrong = r#"{"Result":"ERR","Message":"invalid_credentials","Details":"The set-up token is wrong, used or too old; start the server again for a new one."}"#;
    app.post(SETUP, &body("hrldu_wrong", "olga", "correct horse"))
        .expect(401, wrong);
    app.post(SETUP, &body(&token, " ", "correct horse")).expect(400, r#"{"Result":"ERR","Message":"err_InvalidElement","Details":"username must be 1 to 128 characters."}"#);
    app.post(SETUP, &body(&token, "olga", "too short")).expect(400, r#"{"Result":"ERR","Message":"err_InvalidElement","Details":"A password must be at least 10 characters and at most 1024 bytes."}"#);
    logged_on(&app.post(SETUP, &body(&token, "olga", "correct horse")));
    app.post(SETUP, &body(&token, "otto", "correct horse"))
        .expect(401, wrong);
    logged_on(&app.post(LOGON, GOOD));
}

/// The token of the first start is good for 30 minutes.
#[test]
fn the_setup_token_ends_after_half_an_hour() {
    let app = TestApp::start();
    app.delete("/api/admin/v1/clients/1").expect(200, DONE);
    let token = operators::setup_token(&app.server().app).unwrap().unwrap();
    app.advance(Duration::from_secs(30 * 60));
    let body = format!(r#"{{"token":"{token}","username":"olga","password":"correct horse"}}"#);
    app.post(SETUP, &body).expect(401, r#"{"Result":"ERR","Message":"invalid_credentials","Details":"The set-up token is wrong, used or too old; start the server again for a new one."}"#);
}

/// Section 3, rule 6: "429 has `Retry-After` and the site's wording of the limit".
#[test]
fn a_client_past_its_quota_is_told_when_to_come_back() {
    let app = TestApp::start_with(|mut config| {
        config.limits.requests_per_minute = 2;
        config
    });
    for _ in 0..2 {
        assert_eq!(app.get(USERS).status, 200);
    }
    let admin = app.get(USERS);
    admin.expect(429, r#"{"Result":"ERR","Message":"err_TooManyRequests","Details":"Request quota exceeded. A maximum of 2 requests are allowed per minute"}"#);
    assert_eq!(admin.header("retry-after"), "30");
    let send = app.post("/api/v1.3/communication/notifications", "{}");
    send.expect(429, r#"{"errorCode":"429","message":"Request quota exceeded. A maximum of 2 requests are allowed per minute"}"#);
    assert_eq!(send.header("retry-after"), "30");
    app.advance(Duration::from_secs(30));
    assert_eq!(app.get(USERS).status, 200);
    app.get(USERS);
    assert_eq!(app.get(USERS).status, 429);
}
