//! The admin pages as they come over the wire; what they do is in `tests/browser`.

use crate::support::app::{NOW, Reply, TestApp};
use herald::assets;
use herald::http::pages::{PAGES, PREVIEW_POLICY, SHELL_POLICY};
use herald::{operators, store};

fn get(app: &TestApp, path: &str, headers: &[(&str, &str)]) -> Reply {
    let mut all = vec![("authorization", "")];
    all.extend_from_slice(headers);
    app.call("GET", path, &all, b"")
}

/// The shell as it is served, with the place of its files in it.
fn version(shell: &str) -> &str {
    let (_, rest) = shell.split_once("/pages/").unwrap();
    rest.split_once('/').unwrap().0
}

#[test]
fn the_shell_is_served_at_the_address_of_every_page_and_nowhere_else() {
    let app = TestApp::start();
    let home = get(&app, "/", &[]);
    for pattern in PAGES {
        let path = pattern.replace("{id}", "4711").replace("{tab}", "send");
        let path = path
            .replace("{section}", "keys")
            .replace("{operation}", "get_users");
        let reply = get(&app, &path, &[]);
        reply.expect(200, &home.body);
        assert_eq!(reply.header("content-type"), "text/html; charset=utf-8");
        assert_eq!(reply.header("content-security-policy"), SHELL_POLICY);
        assert_eq!(reply.header("x-content-type-options"), "nosniff");
        assert_eq!(reply.header("referrer-policy"), "no-referrer");
        assert_eq!(reply.header("cross-origin-opener-policy"), "same-origin");
        assert_eq!(reply.header("cache-control"), "no-cache");
    }
    let nothing = r#"{"Result":"ERR","Message":"err_NotFound","Details":"There is nothing at this address."}"#;
    for path in [
        "/nothing",
        "/users/1/send/2",
        "/log/",
        "/index.html",
        "/app.js",
    ] {
        get(&app, path, &[]).expect(404, nothing);
    }
    get(&app, "/nothing", &[("sec-fetch-dest", "document")]).expect(404, &home.body);
    get(&app, "/api/nothing", &[("sec-fetch-dest", "document")]).expect(404, nothing);
    let refused = r#"{"Result":"ERR","Message":"err_MethodNotAllowed","Details":"This address answers to GET, HEAD."}"#;
    let posted = app.call("POST", "/users", &[], b"");
    posted.expect(405, refused);
    assert_eq!(posted.header("allow"), "GET, HEAD");
}

#[test]
fn the_documents_are_packed_for_whoever_takes_that() {
    let app = TestApp::start();
    for path in [
        "/openapi.json",
        "/api/v1.3/openapi.json",
        "/api/admin/v1/openapi.json",
    ] {
        let plain = get(&app, path, &[]);
        let packed = app.call("HEAD", path, &[("accept-encoding", "gzip")], b"");
        assert_eq!(plain.json()["openapi"], "3.1.0");
        assert_eq!(packed.header("content-encoding"), "gzip");
        for reply in [&plain, &packed] {
            assert_eq!(reply.header("content-type"), "application/json");
            assert_eq!(reply.header("vary"), "Accept-Encoding");
        }
        let length: usize = packed.header("content-length").parse().unwrap();
        assert!(
            length * 5 < plain.body.len(),
            "{path}: {length} of {}",
            plain.body.len()
        );
    }
}

#[test]
fn the_files_have_an_address_that_changes_with_them_and_are_kept_for_ever() {
    let app = TestApp::start();
    let shell = get(&app, "/", &[]).body;
    let place = format!("/pages/{}", version(&shell));
    let mut seen = 0;
    for (name, content) in assets::pages() {
        if name == "index.html" {
            continue;
        }
        let path = format!("{place}/{name}");
        let plain = get(&app, &path, &[("accept-encoding", "br, gzip;q=0")]);
        plain.expect(200, std::str::from_utf8(&content).unwrap());
        let kept = "public, max-age=31536000, immutable";
        assert_eq!(plain.header("cache-control"), kept);
        assert_eq!(plain.header("vary"), "Accept-Encoding");
        let tag = plain.header("etag");
        get(&app, &path, &[("if-none-match", tag)]).expect(304, "");
        let packed = app.call("HEAD", &path, &[("accept-encoding", "br, gzip")], b"");
        assert_eq!(packed.header("content-encoding"), "gzip");
        seen += 1;
    }
    assert!(seen > 40, "{seen} files");
    get(&app, "/pages/0000/app.js", &[]).expect(404, r#"{"Result":"ERR","Message":"err_NotFound","Details":"There is nothing at this address."}"#);
    for part in shell.split("/pages/").skip(1) {
        let path = format!("/pages/{}", part.split('"').next().unwrap());
        assert_eq!(get(&app, &path, &[]).status, 200, "{path}");
    }
}

#[test]
fn no_page_loads_anything_from_another_host_or_has_code_of_its_own() {
    for (name, content) in assets::pages() {
        let text = String::from_utf8(content).unwrap();
        for (at, line) in text.lines().enumerate() {
            let named = line.split("://").skip(1).count();
            let harmless = [
                "http://www.w3.org/",
                "https://example.com",
                "`",
                "smtp://",
                "twilio://",
            ];
            assert!(
                named == 0 || harmless.iter().any(|word| line.contains(word)),
                "{name}:{}: {line}",
                at + 1
            );
            for word in [
                "innerHTML",
                "outerHTML",
                "insertAdjacentHTML",
                "document.write",
                "eval(",
                "new Function",
                "setAttribute(\"on",
                "DOMParser",
            ] {
                assert!(!line.contains(word), "{name}:{}: {word}", at + 1);
            }
        }
        if name == "index.html" {
            assert!(!text.contains("<style") && !text.contains(" style=") && !text.contains(" on"));
            for script in text.split("<script").skip(1) {
                assert!(
                    script.contains("src=\"/pages/{version}/") && script.contains("></script>")
                );
            }
        }
    }
}

/// The token of an operator's session.
fn signed_in(app: &TestApp) -> String {
    let hash = operators::new_password("correct horse").unwrap();
    let now = NOW.parse().unwrap();
    let add = move |tx: &store::Tx<'_>| store::operators::insert(tx, "olga", &hash, now);
    app.server().app.store.write(add).unwrap();
    let body = r#"{"username":"olga","password":"correct horse"}"#;
    let reply = app.post("/api/admin/v1/user/logon", body);
    reply.json()["Data"]["Token"].as_str().unwrap().to_owned()
}

#[test]
fn a_preview_gives_back_what_it_got_as_a_document_that_can_do_nothing() {
    let app = TestApp::start();
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let body = b"html=%3Cp%3EHi+%26%3C%2Fp%3E%3Cscript%3E1%3C%2Fscript%3E";
    let forbidden = app.call("POST", "/preview", &form, body);
    assert_eq!(
        forbidden.status, 403,
        "an API client is no operator: {}",
        forbidden.body
    );
    let bearer = format!("Bearer {}", signed_in(&app));
    let headers = [form[0], ("authorization", bearer.as_str())];
    let reply = app.call("POST", "/preview", &headers, body);
    reply.expect(200, "<p>Hi &</p><script>1</script>");
    assert_eq!(reply.header("content-security-policy"), PREVIEW_POLICY);
    assert_eq!(reply.header("content-type"), "text/html; charset=utf-8");
    assert_eq!(reply.header("cache-control"), "no-store");
    assert!(PREVIEW_POLICY.contains("default-src 'none'") && PREVIEW_POLICY.ends_with("sandbox"));
    let missing = r#"{"Result":"ERR","Message":"err_InvalidElement","Details":"html is missing."}"#;
    app.call("POST", "/preview", &headers, b"text=1")
        .expect(400, missing);
}
