//! Operators looking after each other, and taking a backup away. (`/api/admin/v1/operators`, `/api/admin/v1/backup`)

use super::{PASSWORD, add, log_on, session, status_of, with_anna};
use crate::support::app::{Reply, TestApp};
use crate::support::binary::herald;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;

const OPERATORS: &str = "/api/admin/v1/operators";
const BACKUP: &str = "/api/admin/v1/backup";

fn call(app: &TestApp, method: &str, path: &str, session: &str, body: &str) -> Reply {
    let bearer = format!("Bearer {session}");
    let headers = [
        ("authorization", bearer.as_str()),
        ("content-type", "application/json"),
    ];
    app.call(method, path, &headers, body.as_bytes())
}

fn said(slug: &str, details: &str) -> String {
    format!(r#"{{"Result":"ERR","Message":"{slug}","Details":"{details}"}}"#)
}

#[test]
fn operators_add_each_other_and_see_who_is_there() {
    let app = with_anna();
    let anna = session(&app);
    let berta = r#"{"UserName":" berta ","Password":"battery staple"}"#;
    let added = call(&app, "POST", OPERATORS, &anna, berta);
    let guid = added.json()["Data"]["Guid"].as_str().unwrap().to_owned();
    added.expect(
        200,
        &format!(r#"{{"Result":"OK","Data":{{"ID":2,"Guid":"{guid}"}}}}"#),
    );
    assert_eq!(added.header("location"), "/api/admin/v1/operators/2");
    let twice = call(&app, "POST", OPERATORS, &anna, berta);
    twice.expect(
        409,
        &said(
            "err_DuplicateElement",
            "An operator has the name berta already.",
        ),
    );

    let list = call(
        &app,
        "GET",
        &format!("{OPERATORS}?sort=-UserName"),
        &anna,
        "",
    )
    .json();
    let shown: Vec<_> = list["Data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|o| {
            (
                o["ID"].clone(),
                o["UserName"].clone(),
                o["CreatedDate"].clone(),
                o["IsSelf"].clone(),
            )
        })
        .collect();
    let row = |id: i64, name: &str, is_self: bool| {
        (
            id.into(),
            name.into(),
            "2026-11-22T12:00:00Z".into(),
            is_self.into(),
        )
    };
    assert_eq!(shown, [row(2, "berta", false), row(1, "anna", true)]);
}

#[test]
fn nobody_removes_themselves_and_nobody_the_last() {
    let app = with_anna();
    let anna = session(&app);
    add(&app.server().app, "berta");
    let herself = call(&app, "DELETE", "/api/admin/v1/operators/1", &anna, "");
    herself.expect(
        409,
        &said(
            "err_Conflict",
            "You cannot remove yourself; another operator can.",
        ),
    );
    let nobody = call(&app, "DELETE", "/api/admin/v1/operators/9", &anna, "");
    nobody.expect(404, &said("err_NotFound", "No operator has the ID 9."));
    let berta = log_on(&app, "berta", PASSWORD).json()["Data"]["Token"].take();
    let berta = berta.as_str().unwrap();
    let gone = call(&app, "DELETE", "/api/admin/v1/operators/1", berta, "");
    gone.expect(200, r#"{"Result":"OK"}"#);
    assert_eq!((status_of(&app, &anna), status_of(&app, berta)), (401, 200));
    // As when two remove each other at the same moment.
    let last =
        app.server().app.store.write(|tx| {
            herald::store::operators::delete_by_id(tx, herald::domain::ids::OperatorId(2))
        });
    assert_eq!(
        last.unwrap_err().details(),
        "This is the last operator: nobody could sign in any more."
    );
}

#[test]
fn an_operator_that_cannot_be_is_refused() {
    let app = with_anna();
    let anna = session(&app);
    for (body, details) in [
        (
            r#"{"Password":"battery staple"}"#,
            "username must be 1 to 128 characters.",
        ),
        (
            r#"{"UserName":"berta"}"#,
            "A password must be at least 10 characters and at most 1024 bytes.",
        ),
        (
            r#"{"UserName":"berta","Password":"too short"}"#,
            "A password must be at least 10 characters and at most 1024 bytes.",
        ),
    ] {
        let refused = call(&app, "POST", OPERATORS, &anna, body);
        refused.expect(400, &said("err_InvalidElement", details));
    }
}

#[test]
fn whoever_was_given_a_password_can_only_change_it_look_who_they_are_and_leave() {
    let app = with_anna();
    let anna = session(&app);
    let berta = r#"{"UserName":"berta","Password":"battery staple"}"#;
    assert_eq!(call(&app, "POST", OPERATORS, &anna, berta).status, 200);
    let must_change = |name: &str, password: &str| {
        let logged_on = log_on(&app, name, password).json()["Data"].take();
        let token = logged_on["Token"].as_str().unwrap().to_owned();
        let first_look = call(&app, "GET", "/api/admin/v1/session", &token, "").json();
        assert_eq!(
            logged_on["MustChangePassword"],
            first_look["Data"]["MustChangePassword"]
        );
        (logged_on["MustChangePassword"].as_bool().unwrap(), token)
    };
    assert!(!must_change("anna", PASSWORD).0);
    let (asked, token) = must_change("berta", "battery staple");
    assert!(asked);
    let refused = said(
        "err_Forbidden",
        "Somebody else knows your password: choose another one first, with POST /api/admin/v1/user/password.",
    );
    for (method, path) in [
        ("GET", "/api/admin/v1/users"),
        ("POST", "/api/admin/v1/settings"),
        ("GET", OPERATORS),
        ("GET", "/api/admin/v1/messages/logs/events"),
        ("POST", "/preview"),
    ] {
        call(&app, method, path, &token, "{}").expect(403, &refused);
    }
    call(
        &app,
        "GET",
        "/api/v1.3/communication/templates",
        &token,
        "",
    )
    .expect(403, r#"{"errorCode":"403","message":"Somebody else knows your password: choose another one first, with POST /api/admin/v1/user/password."}"#);
    // The way out is open, and the way in with another password.
    let (_, other) = must_change("berta", "battery staple");
    let left = call(&app, "POST", "/api/admin/v1/user/logoff", &other, "");
    left.expect(200, r#"{"Result":"OK"}"#);
    let body = r#"{"OldPassword":"battery staple","NewPassword":"purple monkey"}"#;
    assert_eq!(
        call(&app, "POST", "/api/admin/v1/user/password", &token, body).status,
        200
    );
    let (asked, token) = must_change("berta", "purple monkey");
    assert!(!asked);
    assert_eq!(status_of(&app, &token), 200);
}

/// Whoever is at the machine can do anything there; nobody is to be locked out by it.
#[test]
fn whom_the_command_line_gives_a_password_is_let_in() {
    let app = with_anna();
    let anna = session(&app);
    let berta = r#"{"UserName":"berta","Password":"battery staple"}"#;
    assert_eq!(call(&app, "POST", OPERATORS, &anna, berta).status, 200);
    let data_dir = app.database().parent().unwrap().display().to_string();
    let directory = tempfile::tempdir().unwrap();
    let password = directory.path().join("password").display().to_string();
    std::fs::write(&password, "purple monkey").unwrap();
    for (verb, name) in [("passwd", "berta"), ("create", "carla")] {
        let words = [
            "admin",
            verb,
            "--username",
            name,
            "--password-file",
            &password,
            "--data-dir",
            &data_dir,
        ];
        assert_eq!(herald(&words, &[]).code, Some(0), "{verb}");
        let logged_on = log_on(&app, name, "purple monkey").json()["Data"].take();
        assert_eq!(logged_on["MustChangePassword"], false, "{verb}");
        let token = logged_on["Token"].as_str().unwrap();
        assert_eq!(status_of(&app, token), 200, "{verb}");
    }
}

/// Head and body of a download.
fn download(app: &TestApp, session: &str) -> (String, Vec<u8>) {
    let address = app.url().strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    let request = format!(
        "GET {BACKUP} HTTP/1.1\r\nHost: {address}\r\nCookie: herald_session={session}\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut reply = Vec::new();
    stream.read_to_end(&mut reply).unwrap();
    let end = reply.windows(4).position(|w| w == b"\r\n\r\n").unwrap() + 4;
    let head = String::from_utf8(reply[..end].to_vec()).unwrap();
    (head, reply[end..].to_vec())
}

#[test]
fn a_backup_comes_whole_and_leaves_nothing_behind() {
    let app = with_anna();
    let anna = session(&app);
    let added = app.post(
        "/api/admin/v1/users",
        r#"{"UserName":"bo","Mobile":"+4790000001"}"#,
    );
    assert_eq!(added.status, 200);
    let (head, body) = download(&app, &anna);
    let expected = format!(
        "HTTP/1.1 200 OK\r\nServer: Herald\r\nConnection: close\r\nContent-Length: {}\r\n\
         Content-Type: application/vnd.sqlite3\r\n\
         Content-Disposition: attachment; filename=\"herald-2026-11-22.db\"\r\nCache-Control: no-store\r\n\r\n",
        body.len()
    );
    assert_eq!(head, expected);
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("backup.db").display().to_string();
    std::fs::write(&file, &body).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    let checked = herald(&["check", &file], &[]);
    assert_eq!(checked.code, Some(0), "{checked:?}");
    // What was committed is in it, and who is signed in is not.
    let data = directory.path().join("restored").display().to_string();
    let restored = herald(&["restore", &file, "--data-dir", &data], &[]);
    assert_eq!(restored.code, Some(0), "{restored:?}");
    let operators = herald(&["admin", "list", "--data-dir", &data], &[]);
    assert_eq!(operators.out, "anna\t2026-11-22T12:00:00Z\n");
    let left: Vec<_> = std::fs::read_dir(app.database().parent().unwrap())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.contains("download"))
        .collect();
    assert_eq!(left, [""; 0]);
    // A client's key is no operator, whatever its scopes.
    assert_eq!(app.get(BACKUP).status, 403);
}
