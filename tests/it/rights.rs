//! Who may do what: every line of ROUTES tried with every kind of credential, against the table in
//! `tests/cases/rights.tsv`. (api.md, sections 2 "Auth" and 4)
//!
//! The table is what came back, not what the code declares: a scope stands in it because a key with that scope alone was
//! let in. `HERALD_WRITE_CASES=1` writes it anew; read each change against section 4 before you keep it.

use crate::support::app::{Reply, TestApp};
use herald::clients::{self, Draft};
use herald::domain::scope::Area;
use herald::http::routes::{Gives, ROUTES, Route};
use herald::secret;
use herald::store::{clients as client_rows, operators as operator_rows};
use jiff::{SignedDuration, Timestamp};
use std::fmt::Write as _;
use std::time::Duration;

const NOBODY: &str = "00000000-0000-4000-8000-000000000000";
const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// What a caller sends to say who it is, besides an empty body.
type Headers = Vec<(&'static str, String)>;

/// Credentials that are good for nothing, by name.
fn bad_credentials(app: &TestApp) -> Vec<(&'static str, Headers)> {
    let soon = now(app).checked_add(HOUR).unwrap();
    let short_lived = made(app, "relesys.api", Some(soon));
    let revoked = made(app, "relesys.api", None);
    let id = revoked.id;
    let store = &app.server().app.store;
    store.write(move |tx| client_rows::delete(tx, id)).unwrap();
    let lasting = made(app, "relesys.api", None);
    let old_token = token(app, lasting.id, soon);
    let old_session = session(app, "anna", soon);
    app.advance(Duration::from_secs(3600));
    // A token ends with its client, whatever its own end.
    let orphan = token(app, short_lived.id, now(app).checked_add(HOUR).unwrap());
    let (_, random) = lasting.key.split_once('_').unwrap();
    let bearer = |secret: &str| vec![("authorization", format!("Bearer {secret}"))];
    let cookie = format!("herald_session={old_session}");
    vec![
        ("nothing", vec![("authorization", String::new())]),
        ("an empty bearer", bearer("")),
        ("a wrong key", bearer("hrldk_wrong")),
        ("a wrong token", bearer("hrldt_wrong")),
        ("a wrong session", bearer("hrldo_wrong")),
        ("a key called a token", bearer(&format!("hrldt_{random}"))),
        ("a key called a session", bearer(&format!("hrldo_{random}"))),
        ("a client secret", bearer(&lasting.client_secret)),
        (
            "a key in a Basic header",
            vec![("authorization", format!("Basic {}", lasting.key))],
        ),
        (
            "a key without a scheme",
            vec![("authorization", lasting.key.clone())],
        ),
        ("an expired key", bearer(&short_lived.key)),
        ("an expired token", bearer(&old_token)),
        ("a token of an expired client", bearer(&orphan)),
        ("a revoked key", bearer(&revoked.key)),
        ("an expired session", bearer(&old_session)),
        (
            "a cookie of an expired session",
            vec![
                ("authorization", String::new()),
                ("cookie", cookie),
                ("sec-fetch-site", "same-origin".into()),
            ],
        ),
        (
            "a key as a cookie",
            vec![
                ("authorization", String::new()),
                ("cookie", format!("herald_session={}", lasting.key)),
                ("sec-fetch-site", "same-origin".into()),
            ],
        ),
    ]
}

/// Every scope there is.
fn scopes() -> Vec<String> {
    let areas = Area::ALL.iter().map(|area| format!(".{}", area.word()));
    [String::new()]
        .into_iter()
        .chain(areas)
        .flat_map(|area| ["", ":read", ":write"].map(|mode| format!("relesys.api{area}{mode}")))
        .collect()
}

/// Public, and yet not for another site's page: it must not choose whose session a browser has.
const BEGIN_A_SESSION: [&str; 3] = [
    "/api/admin/v1/user/logon",
    "/api/admin/v1/user/signin",
    "/api/admin/v1/user/setup",
];

/// Where a request with an operator's cookie may come from: what the browser says, and whether it may change things.
fn origins(app: &TestApp) -> Vec<(Headers, bool)> {
    let site = |site: &str| vec![("sec-fetch-site", site.to_owned())];
    let origin = |origin: &str| vec![("origin", origin.to_owned())];
    let mut liar = site("cross-site");
    liar.extend(origin(app.url()));
    vec![
        (site("same-origin"), true),
        (origin(app.url()), true),
        (site("cross-site"), false),
        (site("same-site"), false),
        (site("none"), false),
        (site(""), false),
        (origin("http://evil.example"), false),
        (origin(&format!("{}.evil.example", app.url())), false),
        (origin("null"), false),
        (liar, false),
    ]
}

#[test]
fn every_line_lets_in_whom_the_table_says_and_nobody_else() {
    let app = TestApp::start();
    let operator = secret::password_hash("not used here").unwrap();
    let store = &app.server().app.store;
    let at = now(&app);
    store
        .write(move |tx| {
            operator_rows::insert(tx, "anna", &operator, at)?;
            let newcomer = operator_rows::insert(tx, "berta", &operator, at)?;
            operator_rows::set_must_change(tx, newcomer)
        })
        .unwrap();
    let bad = bad_credentials(&app);
    let keys: Vec<_> = scopes()
        .into_iter()
        .map(|scope| (made(&app, &scope, None).key, scope))
        .collect();
    let mut table = String::from(
        "# Who may use which line of ROUTES, and what an admitted caller gets who sends no body and ids that nothing has.\n\
         # method\tpath\tadmitted as\twho may\n",
    );
    for route in ROUTES {
        let line = line(&app, route, &bad, &keys);
        writeln!(table, "{}\t{}\t{line}", route.method, route.pattern).unwrap();
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cases/rights.tsv");
    if std::env::var_os("HERALD_WRITE_CASES").is_some() {
        std::fs::write(path, &table).unwrap();
    }
    let expected = std::fs::read_to_string(path).unwrap();
    for (actual, expected) in table.lines().zip(expected.lines()) {
        assert_eq!(actual, expected);
    }
    assert_eq!(table, expected);
}

/// What an admitted caller gets, and who is one; whatever does not fit the rules is told instead.
fn line(
    app: &TestApp,
    route: &Route,
    bad: &[(&str, Headers)],
    keys: &[(String, String)],
) -> String {
    let refused = [refusal(route, 401), refusal(route, 403)];
    let by_session = tried(app, route, &bearer(&fresh_session(app)));
    let mut odd = Vec::new();
    let is_public = bad
        .iter()
        .all(|(_, headers)| tried(app, route, headers) == by_session);
    for (name, headers) in bad.iter().filter(|_| !is_public) {
        let got = tried(app, route, headers);
        if got != refused[0] {
            odd.push(format!("{name}: {got}"));
        }
    }
    for (headers, may_change) in origins(app) {
        let mut all = headers.clone();
        all.push(("authorization", String::new()));
        all.push((
            "cookie",
            format!("a=b; herald_session={}", fresh_session(app)),
        ));
        let says_nothing = headers.iter().all(|(_, value)| value.is_empty());
        let begins = BEGIN_A_SESSION.contains(&route.pattern);
        let is_open = is_public && (says_nothing || !begins);
        let expected = match is_open || may_change || route.method == "GET" {
            true => &by_session,
            false => &refused[1],
        };
        let got = tried(app, route, &all);
        if got != *expected {
            odd.push(format!("a cookie with {headers:?}: {got}"));
        }
    }
    let mut admitted = Vec::new();
    for (key, scope) in keys {
        match tried(app, route, &bearer(key)) {
            got if got == by_session => admitted.push(scope.as_str()),
            got if got == refused[1] => {}
            got => odd.push(format!("{scope}: {got}")),
        }
    }
    // Whose password somebody else knows.
    let newcomer = bearer(&session(app, "berta", now(app).checked_add(HOUR).unwrap()));
    let newcomers = match tried(app, route, &newcomer) {
        got if got == by_session => true,
        got => {
            if got != refused[1] {
                odd.push(format!("a newcomer: {got}"));
            }
            false
        }
    };
    let who = match (is_public, admitted.is_empty()) {
        (true, _) if admitted.len() == keys.len() && newcomers => "anyone".to_owned(),
        (true, _) => "anyone but some".to_owned(),
        (false, true) if newcomers => "operators, new ones too".to_owned(),
        (false, true) => "operators".to_owned(),
        (false, false) if newcomers => "keys and new operators, which must not be".to_owned(),
        (false, false) => format!("operators and {}", admitted.join(" ")),
    };
    match odd.is_empty() {
        true => format!("{by_session}\t{who}"),
        false => format!("{by_session}\t{who}\tBUT {}", odd.join("; ")),
    }
}

/// Status and slug, as `401 err_Unauthorized`.
fn tried(app: &TestApp, route: &Route, headers: &Headers) -> String {
    let headers: Vec<_> = headers.iter().map(|(n, v)| (*n, v.as_str())).collect();
    let call = |method: &str| app.call(method, &path(route), &headers, b"");
    // A stream has no end to wait for, and a backup is no text; the head tells enough.
    let is_stream = matches!(
        route.gives,
        Gives::Other("text/event-stream" | "application/vnd.sqlite3")
    );
    match is_stream.then(|| call("HEAD")) {
        Some(head) if head.status == 200 => status_and_slug(&head),
        _ => status_and_slug(&call(route.method)),
    }
}

fn status_and_slug(reply: &Reply) -> String {
    let json: serde_json::Value = serde_json::from_str(&reply.body).unwrap_or_default();
    let words = ["Message", "errorCode", "error"].map(|field| json[field].as_str());
    match words.into_iter().flatten().next() {
        Some(slug) => format!("{} {slug}", reply.status),
        None => reply.status.to_string(),
    }
}

fn refusal(route: &Route, status: u16) -> String {
    let slug = match status {
        _ if route.pattern.starts_with("/api/v1.") => return format!("{status} {status}"),
        401 => "err_Unauthorized",
        _ => "err_Forbidden",
    };
    format!("{status} {slug}")
}

fn path(route: &Route) -> String {
    let segments = route.pattern.split('/').map(|segment| match segment {
        "{userId}" => NOBODY,
        other if other.starts_with('{') => "987654321",
        other => other,
    });
    segments.collect::<Vec<_>>().join("/")
}

fn bearer(secret: &str) -> Headers {
    vec![("authorization", format!("Bearer {secret}"))]
}

fn now(app: &TestApp) -> Timestamp {
    app.server().app.clock.now()
}

fn made(app: &TestApp, scopes: &str, expires: Option<Timestamp>) -> clients::Made {
    let draft = Draft {
        label: "one".into(),
        scopes: scopes.into(),
        expires,
    };
    clients::create(&app.server().app, draft, None, "tests").unwrap()
}

fn token(app: &TestApp, client: herald::domain::ids::ClientId, expires: Timestamp) -> String {
    let token = secret::mint(secret::TOKEN_PREFIX).unwrap();
    let (hash, now) = (secret::hash(&token), now(app));
    let store = &app.server().app.store;
    store
        .write(move |tx| client_rows::insert_token(tx, client, &hash, "relesys.api", expires, now))
        .unwrap();
    token
}

/// A new one each time: one of the lines ends it.
fn fresh_session(app: &TestApp) -> String {
    session(app, "anna", now(app).checked_add(HOUR).unwrap())
}

fn session(app: &TestApp, name: &'static str, expires: Timestamp) -> String {
    let token = secret::mint(secret::SESSION_PREFIX).unwrap();
    let (hash, now) = (secret::hash(&token), now(app));
    let store = &app.server().app.store;
    store
        .write(move |tx| {
            let (id, _, password) = operator_rows::credentials(tx, name)?.unwrap();
            operator_rows::insert_session(tx, &hash, id, &password, expires, now)
        })
        .unwrap();
    token
}

/// Decided: the route is looked for before the caller is. Which addresses there are is public (`openapi.json` is), so a
/// 404 or a 405 tells nothing, and needs no look at the database.
#[test]
fn what_is_not_there_answers_the_same_to_everyone() {
    let app = TestApp::start();
    let paths = [
        "/api",
        "/api/admin/v1/nothing",
        "/api/admin/v1/users/",
        "/api/admin/v1/users/1/2/3",
        "/api/admin//v1/users",
        "/API/admin/v1/users",
        "/api/admin/v1/%75sers",
        "/api/admin/v2/users",
        "/api/v1.4/communication/templates",
        "/api/v1.3/communication/../communication/templates",
        "/api/v1.3/oauth/nothing",
    ];
    let absent = paths.map(|path| ("GET", path, 404));
    let wrong_method = [
        ("PUT", "/api/admin/v1/users", 405),
        ("DELETE", "/api/admin/v1/settings", 405),
        ("OPTIONS", "/api/admin/v1/settings", 405),
        ("GET", "/api/v1.3/communication/notifications", 405),
    ];
    for (method, path, status) in absent.into_iter().chain(wrong_method) {
        let with = |authorization: &str| {
            let reply = app.call(method, path, &[("authorization", authorization)], b"");
            let mut headers = reply.headers.clone();
            headers.retain(|(name, _)| name != "date");
            (reply.status, headers, reply.body)
        };
        let without = with("");
        assert_eq!(without.0, status, "{method} {path}");
        assert_eq!(
            with(&format!("Bearer {}", app.key)),
            without,
            "{method} {path}"
        );
        assert_eq!(with("Bearer hrldk_wrong"), without, "{method} {path}");
        assert!(
            !without.2.contains("scope") && !without.2.contains("key"),
            "{}",
            without.2
        );
    }
}
