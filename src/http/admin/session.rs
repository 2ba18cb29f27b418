//! Operators' sign-in. (api.md, section 2, "Auth")

use crate::app::App;
use crate::error::{Error, Result};
use crate::http::auth::{SESSION_COOKIE, session_token};
use crate::http::request::Request;
use crate::http::response::Response;
use crate::operators::{self, SESSION_HOURS, SignedIn};
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
    must_change_password: bool,
}

/// Signs in: a session cookie for pages, the same as a token for programs.
pub fn logon(app: &App, request: &Request) -> Result<Response> {
    let Logon { username, password } = request.json()?;
    let (username, password) = (username.unwrap_or_default(), password.unwrap_or_default());
    let signed_in = operators::sign_in(app, &username, &password, &request.peer())?;
    logged_on(app, request, signed_in)
}

/// Makes the first operator of a new appliance, and signs in.
pub fn setup(app: &App, request: &Request) -> Result<Response> {
    let Setup {
        token,
        username,
        password,
    } = request.json()?;
    let given = |text: Option<String>| text.unwrap_or_default();
    let signed_in = operators::set_up(app, &given(token), &given(username), &given(password))?;
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
    let language = app
        .store
        .read(settings::load)?
        .default_language
        .tag()
        .to_owned();
    let cookie = cookie(request, &token, SESSION_HOURS * 3600);
    Ok(Response::data(LoggedOn {
        token,
        name,
        roles: ["Administrator"],
        language,
        must_change_password: false,
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
