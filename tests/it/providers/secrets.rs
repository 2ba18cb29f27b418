//! URLs with more than one secret.

use super::{PROVIDERS, add, checked};
use crate::support::app::TestApp;
use crate::support::outside::gateway;
use herald::simulate::webhook::KEY;

#[test]
fn of_several_secrets_none_is_left_out_when_a_url_is_written_again() {
    let (gateway, app) = (gateway(), TestApp::start());
    let shown = format!(
        "webhook+http://127.0.0.1:{}/webhook?header.X-Key=***&field.app=***",
        gateway.port()
    );
    let id = add(
        &app,
        "sms",
        &shown.replacen("***", KEY, 1).replace("***", "s3cret"),
    );
    let save = |url: &str| {
        app.post(
            PROVIDERS,
            &format!(r#"{{"ID":{id},"Channel":"sms","Url":"{url}"}}"#),
        )
    };
    save(&shown).expect(200, r#"{"Result":"OK"}"#);
    let refused = r#"{"Result":"ERR","Message":"err_InvalidElement","Details":"Url holds *** in place of its secret; write the secret out when anything in the Url changes."}"#;
    save(&shown.replacen("***", "stolen", 1)).expect(400, refused);
    save(&shown.replace("127.0.0.1", "evil.example")).expect(400, refused);
    let checked = checked(&app.post(&format!("{PROVIDERS}/{id}/check"), ""));
    assert!(checked.0, "{}", checked.1);
}
