//! `herald demo`: everything, at once, on this machine only.

use super::serve::{catch_signals, stop, until_signal};
use super::{Outcome, say, start_log};
use crate::accept::{self, Choice, Order, What};
use crate::app::{App, Server};
use crate::clients::{self, Draft, Made};
use crate::clock::Clock;
use crate::config::{Config, LogArgs};
use crate::domain::format::{Channel, Format};
use crate::domain::message_type::MessageType;
use crate::domain::placeholder::{Value, Values};
use crate::domain::template::Draft as TemplateDraft;
use crate::domain::user::{User, UserDraft};
use crate::error::{Error, Result};
use crate::http::guard::Listen;
use crate::operators::{self, SETUP_MINUTES};
use crate::secret::{self, SESSION_PREFIX};
use crate::{render, store};
use std::sync::Arc;
use uuid::Uuid;

/// A complete appliance in a temporary directory (removed at the end) with sample users, templates and messages.
/// Every channel is captured: no network, no questions.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Address and port, or unix:/path
    #[arg(
        long,
        env = "HERALD_LISTEN",
        default_value = "127.0.0.1:8080",
        value_name = "ADDRESS"
    )]
    listen: Listen,
    #[command(flatten)]
    log: LogArgs,
}

const BY: &str = "demo";

pub(super) fn run(args: Args) -> Outcome {
    start_log(&args.log);
    let signals = catch_signals()?;
    let directory = tempfile::Builder::new()
        .prefix("herald-demo-")
        .tempdir()
        .map_err(|fault| format!("Cannot make a temporary directory: {fault}."))?;
    let config = Config::capturing(vec![args.listen], directory.path().to_owned())?;
    let server = Server::start(&config, Clock::System)?;
    let samples = fill(&server.app).map_err(|fault| format!("Cannot make the samples: {fault}"))?;
    for address in &server.addresses {
        explain(address, &samples);
    }
    until_signal(signals);
    stop(server);
    directory
        .close()
        .map_err(|fault| format!("Cannot remove the temporary directory: {fault}."))
}

struct Samples {
    user: User,
    client: Made,
    /// Signs the operator in, once.
    sign_in: String,
}

fn explain(address: &str, samples: &Samples) {
    let Samples {
        user,
        client,
        sign_in,
    } = samples;
    let look = match address.starts_with("http:") {
        true => format!(
            "Look around in a browser; this link signs you in, once and within {SETUP_MINUTES} minutes:

  {address}/signin#token={sign_in}

"
        ),
        // No browser reaches a socket file.
        false => String::new(),
    };
    let reach = match address.strip_prefix("unix:") {
        Some(path) => format!("--unix-socket {path} http://localhost"),
        None => address.to_owned(),
    };
    let key = &client.key;
    let name = &user.profile.name;
    say(&format!(
        "Herald is ready at {address} and keeps everything to itself: mail and SMS are captured, not sent.

{look}Send {name} a message, by e-mail and SMS:

  curl -i {reach}/api/v1.3/communication/messages/{}/send -H 'Authorization: Bearer {key}' -H 'Content-Type: application/json' -d '{{\"deliveryMethod\":\"both\",\"messageType\":\"welcome\"}}'

Read what was captured, and why each message is as it is:

  curl {reach}/api/admin/v1/captured -H 'Authorization: Bearer {key}'
  curl {reach}/api/admin/v1/messages/logs/{} -H 'Authorization: Bearer {key}'

Everything is gone when you press Ctrl-C.",
        user.guid, user.id,
    ));
}

fn fill(app: &App) -> Result<Samples> {
    let anna = user(
        app,
        "anna",
        "Anna Berg",
        Some("anna@example.com"),
        "+4790000001",
        "en-GB",
    )?;
    let bjorn = user(
        app,
        "bjorn",
        "Bjørn Dahl",
        Some("bjorn@example.com"),
        "+4790000002",
        "nb-NO",
    )?;
    let carla = user(app, "carla", "Carla Rossi", None, "+390000000003", "it-IT")?;
    let welcome = type_named(app, "welcome")?;
    norwegian(app, &welcome)?;
    let no_values = || What::Typed(welcome.clone(), Values::new());
    order(app, &bjorn, no_values(), &[Channel::Email, Channel::Sms])?;
    order(app, &carla, no_values(), &[Channel::Sms])?;
    let values = Values::from([
        (
            "title".to_owned(),
            Value::Text("The canteen is open again".into()),
        ),
        (
            "text".to_owned(),
            Value::Text("From Monday there is soup & bread at noon.".into()),
        ),
    ]);
    let announcement = What::Typed(type_named(app, "announcement")?, values);
    order(app, &anna, announcement, &[Channel::Email])?;
    let draft = Draft {
        label: BY.into(),
        scopes: "relesys.api".into(),
        expires: None,
    };
    Ok(Samples {
        user: anna,
        client: clients::create(app, draft, None, BY)?,
        sign_in: operator(app)?,
    })
}

/// An operator with a password that nobody knows, and the token of a link that signs them in.
fn operator(app: &App) -> Result<String> {
    let hash = operators::new_password(&secret::mint(SESSION_PREFIX)?)?;
    let now = app.clock.now();
    app.store
        .write(move |tx| store::operators::insert(tx, BY, &hash, now))?;
    operators::sign_in_token(app, BY)
}

fn type_named(app: &App, slug: &str) -> Result<Arc<MessageType>> {
    let found = app.store.read(|db| store::types::find_by_slug(db, slug))?;
    found.ok_or_else(|| Error::internal(format!("there is no type {slug}")))
}

fn user(
    app: &App,
    user_name: &str,
    name: &str,
    email: Option<&str>,
    mobile: &str,
    language: &str,
) -> Result<User> {
    let draft = UserDraft {
        user_name: user_name.into(),
        name: Some(name.into()),
        email: email.map(Into::into),
        mobile: Some(mobile.into()),
        language: Some(language.into()),
        is_disabled: false,
        attributes: "{}".into(),
    };
    let profile = draft.check(app.store.read(store::settings::load)?.default_language)?;
    let now = app.clock.now();
    app.store.write(move |tx| {
        let id = store::users::insert(tx, &profile, Uuid::new_v4(), now)?;
        store::users::get(tx, id)
    })
}

/// A template in a second language, so that the choice of language has something to choose.
fn norwegian(app: &App, welcome: &MessageType) -> Result<()> {
    let draft = TemplateDraft {
        type_id: welcome.id.0,
        format: Format::Sms.number(),
        language: "nb-NO".into(),
        sender: None,
        subject: None,
        body: Some("Hei {{ user.name }}, velkommen til {{ app.name }}: {{ loginUrl }}".into()),
        html_body: None,
    };
    let template = draft.check(Some(welcome), render::inspect)?;
    let now = app.clock.now();
    app.store
        .write(move |tx| store::templates::insert(tx, &template, BY, now))?;
    Ok(())
}

fn order(app: &App, user: &User, what: What, channels: &[Channel]) -> Result<()> {
    let order = Order {
        user: user.clone(),
        what,
        choice: Choice::Channels(channels.to_vec()),
        send_at: None,
        by: BY.into(),
    };
    let prepared = app.store.read(|db| accept::prepare(app, db, order))?;
    accept::commit(app, prepared, None).map(drop)
}
