//! Operators at the door: passwords, sessions, cookies, and the first one of a new appliance. (api.md, section 2, "Auth")

mod first;
mod pages;
mod settings;

use crate::support::app::{Reply, TestApp};
use argon2::password_hash::phc::PasswordHash;
use herald::app::App;
use herald::error::Error;
use herald::operators::{self, SESSION_HOURS, WRONG_TRIES_MAX, WRONG_TRIES_WAIT_SECS};
use herald::secret;
use herald::store::operators as rows;
use std::time::Duration;

const LOGON: &str = "/api/admin/v1/user/logon";
const SETTINGS: &str = "/api/admin/v1/settings";
const PASSWORD: &str = "correct horse";
const WRONG: &str = r#"{"Result":"ERR","Message":"invalid_credentials","Details":"The user name or the password is wrong."}"#;
const HERE: &str = "192.0.2.1";

fn with_anna() -> TestApp {
    let app = TestApp::start();
    add(&app.server().app, "anna");
    app
}

fn add(app: &App, name: &'static str) {
    let (hash, now) = (operators::new_password(PASSWORD).unwrap(), app.clock.now());
    app.store
        .write(move |tx| rows::insert(tx, name, &hash, now))
        .unwrap();
}

fn post(app: &TestApp, path: &str, headers: &[(&str, &str)], body: &str) -> Reply {
    let mut all = vec![("content-type", "application/json")];
    all.extend(headers);
    if !headers.iter().any(|(name, _)| *name == "authorization") {
        all.push(("authorization", ""));
    }
    app.call("POST", path, &all, body.as_bytes())
}

fn log_on(app: &TestApp, name: &str, password: &str) -> Reply {
    let body = serde_json::json!({ "username": name, "password": password });
    post(app, LOGON, &[], &body.to_string())
}

/// The session's token.
fn session(app: &TestApp) -> String {
    let reply = log_on(app, "anna", PASSWORD);
    reply.json()["Data"]["Token"].as_str().unwrap().to_owned()
}

fn status_of(app: &TestApp, session: &str) -> u16 {
    let bearer = format!("Bearer {session}");
    app.call("GET", SETTINGS, &[("authorization", &bearer)], b"")
        .status
}

#[test]
fn a_password_is_kept_as_argon2id_with_the_parameters_of_owasp() {
    let hash = operators::new_password(PASSWORD).unwrap();
    for text in [hash.as_str(), secret::NO_PASSWORD] {
        // The same parameters, so that an unknown name costs what a wrong password costs.
        assert!(
            text.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{text}"
        );
        assert!(PasswordHash::new(text).is_ok(), "{text}");
    }
    assert_ne!(hash, operators::new_password(PASSWORD).unwrap(), "no salt");
    assert!(secret::password_matches(PASSWORD, &hash));
    // It is verified, not refused unread: hashing with its own salt and parameters is what takes the time.
    for guess in ["", PASSWORD, "\0"] {
        assert!(!secret::password_matches(guess, secret::NO_PASSWORD));
    }
}

#[test]
fn a_wrong_name_and_a_wrong_password_sound_the_same() {
    let app = with_anna();
    log_on(&app, "anna", "wrong").expect(401, WRONG);
    log_on(&app, "nobody", PASSWORD).expect(401, WRONG);
    log_on(&app, "", "").expect(401, WRONG);
    log_on(&app, "anna", &"x".repeat(5000)).expect(401, WRONG);
    assert_eq!(
        log_on(&app, "ANNA", PASSWORD).json()["Data"]["Name"],
        "anna"
    );
}

/// Signs in from an address, as a proxy's or a network's own would be.
fn try_from(app: &TestApp, name: &str, password: &str, from: &str) -> Result<(), Error> {
    operators::sign_in(&app.server().app, name, password, from).map(|_| ())
}

fn is_wrong(outcome: Result<(), Error>) -> bool {
    matches!(outcome, Err(Error::InvalidCredentials(_)))
}

fn must_wait(outcome: Result<(), Error>) -> bool {
    matches!(outcome, Err(Error::CannotAccess { .. }))
}

#[test]
fn wrong_tries_are_limited_for_a_name_from_an_address() {
    let app = with_anna();
    add(&app.server().app, "berta");
    for _ in 0..WRONG_TRIES_MAX {
        assert!(is_wrong(try_from(&app, "anna", "wrong", HERE)));
    }
    assert!(
        must_wait(try_from(&app, "anna", PASSWORD, HERE)),
        "even the right one"
    );
    assert!(
        must_wait(try_from(&app, "Anna", PASSWORD, HERE)),
        "whatever the case"
    );
    assert!(
        try_from(&app, "anna", PASSWORD, "192.0.2.2").is_ok(),
        "another address"
    );
    assert!(
        try_from(&app, "berta", PASSWORD, HERE).is_ok(),
        "another name"
    );
    app.advance(Duration::from_secs(WRONG_TRIES_WAIT_SECS as u64 - 1));
    assert!(must_wait(try_from(&app, "anna", PASSWORD, HERE)));
    app.advance(Duration::from_secs(1));
    assert!(
        is_wrong(try_from(&app, "anna", "wrong", HERE)),
        "the wait starts the count anew"
    );
    assert!(try_from(&app, "anna", PASSWORD, HERE).is_ok());
}

#[test]
fn one_try_below_the_limit_still_counts_and_a_success_forgets_them() {
    let app = with_anna();
    for _ in 0..2 {
        for _ in 1..WRONG_TRIES_MAX {
            assert!(is_wrong(try_from(&app, "anna", "wrong", HERE)));
        }
        assert!(try_from(&app, "anna", PASSWORD, HERE).is_ok());
    }
}

#[test]
fn the_limit_says_when_to_come_back() {
    let app = with_anna();
    for _ in 0..WRONG_TRIES_MAX {
        log_on(&app, "anna", "wrong").expect(401, WRONG);
    }
    let reply = log_on(&app, "anna", PASSWORD);
    reply.expect(429, r#"{"Result":"ERR","Message":"cannot_access","Details":"Too many wrong passwords; wait before you try again."}"#);
    assert_eq!(reply.header("retry-after"), "900");
}

#[test]
fn a_name_that_no_operator_can_have_is_not_remembered() {
    let app = with_anna();
    for _ in 0..=WRONG_TRIES_MAX {
        assert!(is_wrong(try_from(
            &app,
            &"x".repeat(100_000),
            "wrong",
            HERE
        )));
    }
}

#[test]
fn too_many_checks_at_once_are_refused_and_do_not_wait() {
    let app = with_anna();
    let gate = std::sync::Barrier::new(16);
    let outcomes: Vec<_> = std::thread::scope(|scope| {
        let attempt = |n: usize| {
            let (app, gate) = (&app, &gate);
            scope.spawn(move || {
                gate.wait();
                try_from(app, "anna", "wrong", &format!("192.0.2.{n}"))
            })
        };
        let threads: Vec<_> = (0..16).map(attempt).collect();
        threads.into_iter().map(|t| t.join().unwrap()).collect()
    });
    let busy = outcomes
        .iter()
        .filter(|o| matches!(o, Err(Error::TooManyRequests { .. })))
        .count();
    let wrong = outcomes
        .iter()
        .filter(|o| matches!(o, Err(Error::InvalidCredentials(_))))
        .count();
    assert_eq!(busy + wrong, 16);
    assert!(
        busy > 0 && wrong > 0,
        "{busy} were refused, {wrong} were checked"
    );
    assert!(
        try_from(&app, "anna", PASSWORD, HERE).is_ok(),
        "the places are free again"
    );
}

#[test]
fn a_session_ends_by_itself_by_logging_off_and_with_its_operator() {
    let app = with_anna();
    let (first, second) = (session(&app), session(&app));
    let bearer = format!("Bearer {first}");
    let off = post(
        &app,
        "/api/admin/v1/user/logoff",
        &[("authorization", &bearer)],
        "",
    );
    off.expect(200, r#"{"Result":"OK"}"#);
    assert_eq!(
        off.header("set-cookie"),
        "herald_session=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0"
    );
    assert_eq!(
        (status_of(&app, &first), status_of(&app, &second)),
        (401, 200)
    );
    app.advance(Duration::from_secs(SESSION_HOURS as u64 * 3600 - 1));
    assert_eq!(status_of(&app, &second), 200);
    app.advance(Duration::from_secs(1));
    assert_eq!(status_of(&app, &second), 401);
    let third = session(&app);
    app.server()
        .app
        .store
        .write(|tx| rows::delete(tx, "anna"))
        .unwrap();
    assert_eq!(status_of(&app, &third), 401);
}

#[test]
fn another_password_ends_every_session() {
    let app = with_anna();
    let (first, second) = (session(&app), session(&app));
    let change = |old: &str, new: &str| {
        let body = format!(r#"{{"OldPassword":"{old}","NewPassword":"{new}"}}"#);
        let bearer = format!("Bearer {first}");
        post(
            &app,
            "/api/admin/v1/user/password",
            &[("authorization", &bearer)],
            &body,
        )
    };
    change("wrong", "another password").expect(401, WRONG);
    assert_eq!(change(PASSWORD, "short").status, 400);
    assert_eq!(
        (status_of(&app, &first), status_of(&app, &second)),
        (200, 200)
    );
    change(PASSWORD, "another password").expect(200, r#"{"Result":"OK"}"#);
    assert_eq!(
        (status_of(&app, &first), status_of(&app, &second)),
        (401, 401)
    );
    log_on(&app, "anna", PASSWORD).expect(401, WRONG);
    assert_eq!(log_on(&app, "anna", "another password").status, 200);
}

#[test]
fn a_cookie_is_out_of_reach_of_scripts_other_sites_and_plain_connections() {
    let app = with_anna();
    let credentials = format!(r#"{{"username":"anna","password":"{PASSWORD}"}}"#);
    for (host, is_loopback) in [
        ("localhost", true),
        ("LocalHost:8025", true),
        ("127.0.0.1:8025", true),
        ("127.1.2.3", true),
        ("[::1]", true),
        ("[::1]:8025", true),
        ("localhost.evil.com", false),
        ("evil.com:80", false),
        ("evil-localhost", false),
        ("127.0.0.1.evil.com", false),
        ("127.evil.com", false),
        ("128.0.0.1", false),
        ("[::2]:8025", false),
        ("0.0.0.0", false),
        ("192.168.0.1", false),
    ] {
        let reply = post(&app, LOGON, &[("host", host)], &credentials);
        let token = reply.json()["Data"]["Token"].as_str().unwrap().to_owned();
        let secure = if is_loopback { "" } else { "; Secure" };
        let expected = format!(
            "herald_session={token}; Path=/; HttpOnly; SameSite=Strict; Max-Age=43200{secure}"
        );
        assert_eq!(reply.header("set-cookie"), expected, "{host}");
        assert_eq!(reply.header("cache-control"), "no-store");
    }
}

#[test]
fn a_request_from_another_site_changes_nothing() {
    let app = with_anna();
    let cookie = format!("herald_session={}", session(&app));
    let before = app.get(SETTINGS).body;
    let change = |headers: &[(&str, &str)]| {
        let mut all = vec![("cookie", cookie.as_str())];
        all.extend(headers);
        post(&app, SETTINGS, &all, r#"{"AppName":"Owned"}"#).status
    };
    for site in ["cross-site", "same-site", "none"] {
        assert_eq!(change(&[("sec-fetch-site", site)]), 403, "{site}");
        assert_eq!(
            change(&[("sec-fetch-site", site), ("origin", app.url())]),
            403,
            "{site}"
        );
    }
    for origin in ["http://evil.example", "null", "http://127.0.0.1"] {
        assert_eq!(change(&[("origin", origin)]), 403, "{origin}");
    }
    assert_eq!(change(&[]), 403);
    assert_eq!(app.get(SETTINGS).body, before);
    assert_eq!(change(&[("sec-fetch-site", "same-origin")]), 200);
    assert_eq!(app.get(SETTINGS).json()["Data"]["AppName"], "Owned");
}

#[test]
fn a_password_that_changes_while_it_is_checked_opens_no_session() {
    let app = with_anna();
    let (store, now) = (&app.server().app.store, app.server().app.clock.now());
    let (id, _, checked) = store
        .read(|db| rows::credentials(db, "anna"))
        .unwrap()
        .unwrap();
    store
        .write(move |tx| rows::set_password(tx, "anna", "$another", now))
        .unwrap();
    let late = store.write(move |tx| {
        rows::insert_session(tx, &[0; 32], id, &checked, jiff::Timestamp::MAX, now)
    });
    assert!(
        matches!(late, Err(Error::InvalidCredentials(_))),
        "{late:?}"
    );
}
