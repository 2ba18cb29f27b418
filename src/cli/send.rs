//! `herald send`: the same path as the API.

use super::{Outcome, channel, complain, open, say};
use crate::accept::{self, Accepted, Choice, Order, What};
use crate::app::App;
use crate::config::DataDir;
use crate::domain::format::Channel;
use crate::domain::placeholder::Value;
use crate::error::{Error, Result as HeraldResult};
use crate::store::{self, pause};

/// Send a message to a user, on the same path as the API. A running server delivers it within a second; without one it
/// waits for the next start.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The user's name
    #[arg(long)]
    user: String,
    /// The message type's slug, such as welcome
    #[arg(long = "type", value_name = "SLUG")]
    message_type: String,
    /// email, sms or push; several for several messages [default: what the preferences say]
    #[arg(long, value_parser = channel)]
    channel: Vec<Channel>,
    /// A value for a placeholder of the type, such as text='We are back.'
    #[arg(long = "set", value_name = "WORD=VALUE", value_parser = pair)]
    set: Vec<(String, String)>,
    /// This appliance's public address, for links
    #[arg(
        long,
        env = "HERALD_BASE_URL",
        default_value = "http://127.0.0.1:8080",
        value_name = "URL"
    )]
    base_url: String,
    #[command(flatten)]
    data: DataDir,
}

pub(super) fn run(args: Args) -> Outcome {
    let base_url = args.base_url.trim_end_matches('/').to_owned();
    let app = open(args.data.clone(), base_url)?;
    let sent = send(&app, args).map_err(|fault| fault.to_string())?;
    let pause = app
        .store
        .read(pause::load)
        .map_err(|fault| fault.to_string())?;
    if let Some(pause) = pause {
        complain(&super::outbox::sentence(&pause));
    }
    for message in sent {
        let state = match message.queued {
            true => "queued",
            false => "failed",
        };
        let name = message.format.name();
        say(&format!(
            "{state}\t{}\t{name}\t{}\tlog entry {}",
            message.guid, message.recipient, message.id
        ));
    }
    Ok(())
}

fn send(app: &App, args: Args) -> HeraldResult<Vec<Accepted>> {
    let Args {
        user,
        message_type: slug,
        channel: channels,
        set,
        ..
    } = args;
    let (user, found) = app.store.read(|db| {
        Ok((
            store::users::get_by_name(db, &user)?,
            store::types::find_by_slug(db, &slug)?,
        ))
    })?;
    let message_type =
        found.ok_or_else(|| Error::NotFound(format!("No message type has the slug {slug}.")))?;
    let choice = match channels.is_empty() {
        true => Choice::Preference,
        false => Choice::Channels(channels),
    };
    let values = set
        .into_iter()
        .map(|(word, text)| (word, Value::Text(text)));
    let order = Order {
        user,
        what: What::Typed(message_type, values.collect()),
        choice,
        send_at: None,
        by: "command line".into(),
    };
    let prepared = app.store.read(|db| accept::prepare(app, db, order))?;
    accept::commit(app, prepared.require_a_way()?, None)
}

fn pair(text: &str) -> Result<(String, String), String> {
    text.split_once('=')
        .filter(|(word, _)| !word.is_empty())
        .map(|(word, value)| (word.to_owned(), value.to_owned()))
        .ok_or_else(|| "write WORD=VALUE".into())
}
