//! Operators' sign-in. (api.md, section 2, "Auth")

use crate::app::App;
use crate::domain::format::Channel;
use crate::error::{Error, Result};
use crate::http::auth::{self, SESSION_COOKIE, session_token};
use crate::http::request::Request;
use crate::http::response::Response;
use crate::operators::{self, FirstRun, SESSION_HOURS, SignedIn};
use crate::providers;
use crate::store::operators::{self as rows, Session};
use crate::store::pause::{self, Pause};
use crate::store::settings;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Name and password.
#[derive(Deserialize, JsonSchema)]
pub struct Logon {
    #[schemars(required)]
    username: Option<String>,
    #[schemars(required)]
    password: Option<String>,
}

/// The first operator of a new appliance.
#[derive(Deserialize, JsonSchema)]
pub struct Setup {
    /// From the log of the first start; works once, for 30 minutes.
    #[schemars(required)]
    token: Option<String>,
    #[schemars(required)]
    username: Option<String>,
    /// At least 10 characters.
    #[schemars(required)]
    password: Option<String>,
}

/// What a sign-in link brings along.
#[derive(Deserialize, JsonSchema)]
pub struct LinkSignin {
    /// From the link; works once, for 30 minutes.
    #[schemars(required)]
    token: Option<String>,
}

/// The old password and the new one.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct ChangePassword {
    #[schemars(required)]
    old_password: Option<String>,
    /// At least 10 characters.
    #[schemars(required)]
    new_password: Option<String>,
}

/// Who signed in. (site)
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct LoggedOn {
    /// As in the cookie; also good as a bearer token.
    token: String,
    name: String,
    roles: [&'static str; 1],
    language: String,
    /// Somebody else knows the password: until it is changed, nothing else is let through.
    must_change_password: bool,
}

/// What a page has to know before it shows anything. Whoever is not signed in is told only how to begin.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct WireSession {
    state: State,
    /// Null unless signed in, as all that follows.
    name: Option<String>,
    /// Somebody else knows the password: until it is changed, nothing else is let through.
    must_change_password: Option<bool>,
    version: Option<&'static str>,
    app_name: Option<String>,
    /// This appliance's own address.
    base_url: Option<String>,
    default_language: Option<String>,
    /// The channels of which nothing leaves this machine.
    captured: Option<Vec<&'static str>>,
    paused: Option<bool>,
    /// Null unless it is paused and somebody said why.
    pause_reason: Option<String>,
}

/// What is to be done first.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum State {
    /// The set-up link of the start makes the first operator.
    Setup,
    /// There is no operator and the set-up link is too old: start the server again for a new one.
    SetupOver,
    /// Sign in.
    SignedOut,
    /// Nothing.
    SignedIn,
}

/// Who is signed in, and what every page shows.
pub fn get(app: &App, request: &Request) -> Result<Response> {
    let signed_in = app.store.read(|db| auth::signed_in(app, db, request))?;
    let session = match signed_in {
        Some(Session {
            name, must_change, ..
        }) => open_session(app, name, must_change)?,
        None => WireSession {
            state: match operators::first_run(app)? {
                FirstRun::Open => State::Setup,
                FirstRun::Closed => State::SetupOver,
                FirstRun::Over => State::SignedOut,
            },
            name: None,
            must_change_password: None,
            version: None,
            app_name: None,
            base_url: None,
            default_language: None,
            captured: None,
            paused: None,
            pause_reason: None,
        },
    };
    Ok(Response::data(session).header("Cache-Control", "no-store"))
}

fn open_session(app: &App, name: String, must_change: bool) -> Result<WireSession> {
    let (settings, pause) = app
        .store
        .read(|db| Ok((settings::load(db)?, pause::load(db)?)))?;
    let captured = providers::captured(app).into_iter().map(Channel::word);
    Ok(WireSession {
        state: State::SignedIn,
        name: Some(name),
        must_change_password: Some(must_change),
        version: Some(env!("CARGO_PKG_VERSION")),
        app_name: Some(settings.app_name.clone()),
        base_url: Some(app.base_url.clone()),
        default_language: Some(settings.default_language.tag().to_owned()),
        captured: Some(captured.collect()),
        paused: Some(pause.is_some()),
        pause_reason: pause.and_then(Pause::said),
    })
}

/// Signs in: a session cookie for pages, the same as a token for programs.
pub fn logon(app: &App, request: &Request) -> Result<Response> {
    auth::refuse_other_sites(request)?;
    let Logon { username, password } = request.json()?;
    let (username, password) = (username.unwrap_or_default(), password.unwrap_or_default());
    let signed_in = operators::sign_in(app, &username, &password, &request.peer())?;
    logged_on(app, request, signed_in)
}

/// Makes the first operator of a new appliance, and signs in.
pub fn setup(app: &App, request: &Request) -> Result<Response> {
    auth::refuse_other_sites(request)?;
    let Setup {
        token,
        username,
        password,
    } = request.json()?;
    let given = |text: Option<String>| text.unwrap_or_default();
    let signed_in = operators::set_up(app, &given(token), &given(username), &given(password))?;
    logged_on(app, request, signed_in)
}

/// Signs in with the token of a one-time link.
pub fn signin(app: &App, request: &Request) -> Result<Response> {
    auth::refuse_other_sites(request)?;
    let LinkSignin { token } = request.json()?;
    let signed_in = operators::sign_in_by_link(app, &token.unwrap_or_default())?;
    logged_on(app, request, signed_in)
}

/// Ends the session.
pub fn logoff(app: &App, request: &Request) -> Result<Response> {
    if let Some(token) = session_token(request) {
        operators::sign_out(app, token)?;
    }
    Ok(Response::done().header("Set-Cookie", cookie(request, "", 0)))
}

/// Changes the operator's password; every session of theirs ends.
pub fn change_password(app: &App, request: &Request) -> Result<Response> {
    let ChangePassword {
        old_password,
        new_password,
    } = request.json()?;
    let old = old_password.ok_or_else(|| Error::invalid("OldPassword is missing."))?;
    let new = new_password.ok_or_else(|| Error::invalid("NewPassword is missing."))?;
    operators::change_password(app, &request.caller()?.name, &old, &new, &request.peer())?;
    Ok(Response::done().header("Set-Cookie", cookie(request, "", 0)))
}

fn logged_on(app: &App, request: &Request, signed_in: SignedIn) -> Result<Response> {
    let SignedIn { token, name } = signed_in;
    let (settings, must_change_password) = app
        .store
        .read(|db| Ok((settings::load(db)?, rows::must_change(db, &name)?)))?;
    let language = settings.default_language.tag().to_owned();
    let cookie = cookie(request, &token, SESSION_HOURS * 3600);
    Ok(Response::data(LoggedOn {
        token,
        name,
        roles: ["Administrator"],
        language,
        must_change_password,
    })
    .header("Set-Cookie", cookie)
    .header("Cache-Control", "no-store"))
}

/// Out of reach of scripts and of other sites; over plain HTTP only on this machine.
fn cookie(request: &Request, token: &str, secs: i64) -> String {
    let secure = match request.is_for_loopback() {
        true => "",
        false => "; Secure",
    };
    format!("{SESSION_COOKIE}={token}; Path=/; HttpOnly; SameSite=Strict; Max-Age={secs}{secure}")
}
