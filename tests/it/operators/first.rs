//! The first operator of a new appliance. (api.md, section 2, "Auth")

use super::{PASSWORD, add, post, status_of};
use crate::support::app::{Reply, TestApp};
use herald::domain::ids::ClientId;
use herald::operators::{self, SETUP_MINUTES};
use herald::store::clients as client_rows;
use std::time::Duration;

/// An appliance that nobody can use yet, and its set-up token.
fn new_appliance() -> (TestApp, String) {
    let app = TestApp::start();
    let store = &app.server().app.store;
    store
        .write(|tx| client_rows::delete(tx, ClientId(1)))
        .unwrap();
    let token = operators::setup_token(&app.server().app).unwrap().unwrap();
    (app, token)
}

fn set_up(app: &TestApp, token: &str, name: &str, password: &str) -> Reply {
    let body = serde_json::json!({ "token": token, "username": name, "password": password });
    post(app, "/api/admin/v1/user/setup", &[], &body.to_string())
}

const NO_SETUP: &str = r#"{"Result":"ERR","Message":"invalid_credentials","Details":"The set-up token is wrong, used or too old; start the server again for a new one."}"#;

#[test]
fn the_set_up_token_makes_one_operator_once() {
    let (app, token) = new_appliance();
    set_up(&app, "hrldu_wrong", "anna", PASSWORD).expect(401, NO_SETUP);
    // Nothing is hashed, and nothing told, before the token is known to be good.
    set_up(&app, "hrldu_wrong", "", "short").expect(401, NO_SETUP);
    assert_eq!(
        set_up(&app, &token, "anna", "short").status,
        400,
        "and the token stays good"
    );
    let first = set_up(&app, &token, "anna", PASSWORD);
    assert_eq!(
        status_of(&app, first.json()["Data"]["Token"].as_str().unwrap()),
        200
    );
    set_up(&app, &token, "eve", PASSWORD).expect(401, NO_SETUP);
}

#[test]
fn the_set_up_token_grows_old() {
    let (app, token) = new_appliance();
    app.advance(Duration::from_secs(SETUP_MINUTES as u64 * 60));
    set_up(&app, &token, "anna", PASSWORD).expect(401, NO_SETUP);
}

#[test]
fn the_set_up_token_makes_no_second_operator() {
    let (app, token) = new_appliance();
    // Another process may have added one since, on the command line.
    add(&app.server().app, "anna");
    set_up(&app, &token, "eve", PASSWORD).expect(401, NO_SETUP);
}

#[test]
fn no_set_up_token_is_offered_where_somebody_can_come_in() {
    let with_client = TestApp::start();
    assert!(
        operators::setup_token(&with_client.server().app)
            .unwrap()
            .is_none()
    );
    let (with_operator, _) = new_appliance();
    add(&with_operator.server().app, "anna");
    assert!(
        operators::setup_token(&with_operator.server().app)
            .unwrap()
            .is_none()
    );
}
