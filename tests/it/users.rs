//! Users. (api.md, `/v1/users`)

use crate::support::app::TestApp;

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
