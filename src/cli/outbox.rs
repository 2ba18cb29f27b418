//! `herald outbox`: the paused outbox of a restored copy, or of a running server.

use super::{Outcome, channel, open, say};
use crate::app::App;
use crate::clock::shown;
use crate::config::DataDir;
use crate::domain::address::no_controls;
use crate::domain::format::Channel;
use crate::error::{Error, Result};
use crate::store::bulk::{self, ACT_MAX, Act};
use crate::store::page::{Bound, Operand, Query};
use crate::store::pause::{self, Pause};
use crate::store::queue::{self, TypeQueue, WaitingMessage};
use crate::store::{messages, types};
use jiff::Timestamp;
use serde_json::json;

/// Whether the outbox is paused and what waits in it; pause it, let it go, throw away what waits. Works beside a running
/// server, which obeys within a second, and without one.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Args {
    #[command(subcommand)]
    verb: Option<Verb>,
    #[command(flatten)]
    show: Show,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Whether it is paused, since when and why, and what would be sent: by channel and type
    Show(Show),
    /// Pause it: what is accepted waits, attempts under way are finished
    Pause(PauseArgs),
    /// Let it go
    Resume(Resume),
    /// Cancel what waits
    Cancel(Cancel),
}

#[derive(Debug, clap::Args)]
struct Show {
    /// Only the messages, one a line: GUID, channel, recipient, type, due, expires
    #[arg(long)]
    list: bool,
    /// An object, or with --list an array, for machines
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    data: DataDir,
}

#[derive(Debug, clap::Args)]
struct PauseArgs {
    /// Why, for whoever wonders later
    #[arg(long, default_value = "", hide_default_value = true)]
    reason: String,
    #[command(flatten)]
    data: DataDir,
}

#[derive(Debug, clap::Args)]
struct Resume {
    #[command(flatten)]
    data: DataDir,
}

#[derive(Debug, clap::Args)]
#[group(id = "which", required = true, multiple = true, args = ["channel", "message_type", "created_before", "all"])]
struct Cancel {
    /// Only what this channel carries: email, sms or push
    #[arg(long, value_parser = channel)]
    channel: Option<Channel>,
    /// Only messages of the type with this slug
    #[arg(long = "type", value_name = "SLUG")]
    message_type: Option<String>,
    /// Only what was accepted before this time
    #[arg(long, value_name = "2001-01-01T01:01:01Z", value_parser = moment)]
    created_before: Option<Timestamp>,
    /// Everything that waits
    #[arg(long, conflicts_with_all = ["channel", "message_type", "created_before"])]
    all: bool,
    /// Really do it; without this you are only told how many there are
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    data: DataDir,
}

/// Who cancels and pauses from here.
const BY: &str = "command line";

pub(super) fn run(Args { verb, show }: Args) -> Outcome {
    match verb.unwrap_or(Verb::Show(show)) {
        Verb::Show(args) if args.list => list(args),
        Verb::Show(args) => self::show(args),
        Verb::Pause(args) => pause(args),
        Verb::Resume(Resume { data }) => resume(data),
        Verb::Cancel(args) => cancel(args),
    }
}

fn show(Show { json, data, .. }: Show) -> Outcome {
    let shown_dir = data.data_dir.display().to_string();
    let app = open(data, String::new())?;
    let now = app.clock.now();
    let (pause, queues) = app
        .store
        .read(|db| Ok((pause::load(db)?, queue::by_type(db, now)?)))
        .map_err(|fault| fault.to_string())?;
    if json {
        say(&object(pause, queues).to_string());
        return Ok(());
    }
    match pause {
        Some(pause) => say(&format!(
            "{} Nothing is sent until it is let go: herald outbox resume --data-dir {shown_dir}",
            sentence(&pause)
        )),
        None => say("The outbox is not paused."),
    }
    match queues.is_empty() {
        true => say("Nothing waits."),
        false => table(&queues),
    }
    Ok(())
}

/// Since when it is paused, by whom and why.
pub(super) fn sentence(Pause { since, by, reason }: &Pause) -> String {
    let since = shown(*since);
    match reason.as_str() {
        "" => format!("The outbox is paused since {since} by {by}."),
        reason => format!("The outbox is paused since {since} by {by}: {reason}"),
    }
}

fn table(queues: &[TypeQueue]) {
    let line = |cells: [&str; 8]| {
        let [
            channel,
            message_type,
            due,
            later,
            sending,
            empty,
            oldest,
            newest,
        ] = cells;
        say(&format!(
            "{channel:7}  {message_type:24}  {due:>7}  {later:>7}  {sending:>7}  {empty:>10}  {oldest:20}  {newest}"
        ));
    };
    line([
        "channel",
        "type",
        "due",
        "later",
        "sending",
        "no content",
        "oldest",
        "newest",
    ]);
    for queue in queues {
        let TypeQueue {
            channel,
            message_type,
            due,
            later,
            sending,
            without_content,
            oldest,
            newest,
        } = queue;
        let [due, later, sending, empty] =
            [due, later, sending, without_content].map(u64::to_string);
        let (oldest, newest) = (shown(*oldest), shown(*newest));
        line([
            channel,
            message_type,
            &due,
            &later,
            &sending,
            &empty,
            &oldest,
            &newest,
        ]);
    }
}

fn object(pause: Option<Pause>, queues: Vec<TypeQueue>) -> serde_json::Value {
    let pause = pause.as_ref();
    let waiting: Vec<_> = queues
        .into_iter()
        .map(|queue| {
            let TypeQueue {
                channel,
                message_type,
                due,
                later,
                sending,
                without_content,
                oldest,
                newest,
            } = queue;
            json!({
                "channel": channel, "type": message_type, "due": due, "later": later, "sending": sending,
                "without_content": without_content, "oldest": shown(oldest), "newest": shown(newest),
            })
        })
        .collect();
    json!({
        "paused": pause.is_some(), "since": pause.map(|pause| shown(pause.since)),
        "by": pause.map(|pause| &pause.by), "reason": pause.map(|pause| &pause.reason), "waiting": waiting,
    })
}

/// One line each, read one by one: there may be a million of them.
fn list(Show { json, data, .. }: Show) -> Outcome {
    let app = open(data, String::new())?;
    let read = |fault: Error| fault.to_string();
    let ids = app
        .store
        .read(|db| queue::ids(db, &Query::default()))
        .map_err(read)?;
    let mut is_first = true;
    for id in ids {
        // What does not wait any more was sent or ended meanwhile.
        let Some(message) = app.store.read(|db| queue::get(db, id)).map_err(read)? else {
            continue;
        };
        match json {
            true => say(&format!(
                "{}{}",
                if is_first { "[" } else { "," },
                item(message)
            )),
            false => say(&listed(message)),
        }
        is_first = false;
    }
    match (json, is_first) {
        (true, true) => say("[]"),
        (true, false) => say("]"),
        (false, _) => {}
    }
    Ok(())
}

fn listed(message: WaitingMessage) -> String {
    let WaitingMessage {
        guid,
        channel,
        recipient,
        message_type,
        due,
        expires,
    } = message;
    let (due, expires) = (shown(due), shown(expires));
    format!("{guid}\t{channel}\t{recipient}\t{message_type}\t{due}\t{expires}")
}

fn item(message: WaitingMessage) -> serde_json::Value {
    let WaitingMessage {
        guid,
        channel,
        recipient,
        message_type,
        due,
        expires,
    } = message;
    json!({
        "guid": guid.to_string(), "channel": channel, "recipient": recipient, "type": message_type,
        "due": shown(due), "expires": shown(expires),
    })
}

fn pause(PauseArgs { reason, data }: PauseArgs) -> Outcome {
    no_controls("The reason", &reason, false).map_err(|fault| fault.to_string())?;
    let app = open(data, String::new())?;
    let now = app.clock.now();
    let pause = app
        .store
        .write(move |tx| {
            pause::set(tx, BY, &reason, now)?;
            pause::load(tx)
        })
        .map_err(|fault| fault.to_string())?;
    say(&pause.as_ref().map_or(String::new(), sentence));
    Ok(())
}

fn resume(data: DataDir) -> Outcome {
    let app = open(data, String::new())?;
    let was_paused = app
        .store
        .write(pause::clear)
        .map_err(|fault| fault.to_string())?;
    say(match was_paused {
        true => "The outbox goes on. A running server sends within a second.",
        false => "The outbox was not paused.",
    });
    Ok(())
}

fn cancel(args: Cancel) -> Outcome {
    let app = open(args.data.clone(), String::new())?;
    let yes = args.yes;
    let query = chosen(&app, args).map_err(|fault| fault.to_string())?;
    if !yes {
        let (count, _) = app
            .store
            .read(|db| bulk::left(db, Act::Cancel, &query))
            .map_err(|fault| fault.to_string())?;
        return Err(format!(
            "{count} messages would be cancelled. Nothing was done; say --yes to cancel them."
        ));
    }
    let cancelled = cancel_all(&app, &query).map_err(|fault| fault.to_string())?;
    say(&format!("{cancelled} messages were cancelled."));
    Ok(())
}

/// In many short writes, so that a running server goes on meanwhile.
fn cancel_all(app: &App, query: &Query) -> Result<usize> {
    let mut cancelled = 0;
    loop {
        let ids = app
            .store
            .read(|db| bulk::pick(db, Act::Cancel, query, ACT_MAX))?;
        if ids.is_empty() {
            return Ok(cancelled);
        }
        let reason = format!("Cancelled by {BY}.");
        cancelled += app.store.write(move |tx| bulk::cancel(tx, &ids, &reason))?;
    }
}

fn chosen(app: &App, args: Cancel) -> Result<Query> {
    let mut query = Query::default();
    if let Some(channel) = args.channel {
        let word = Operand::Text(channel.word().to_owned());
        query.filters.push((queue::CHANNEL, word));
    }
    if let Some(slug) = args.message_type {
        let found = app.store.read(|db| types::find_by_slug(db, &slug))?;
        let found = found
            .ok_or_else(|| Error::NotFound(format!("No message type has the slug {slug}.")))?;
        let id = Operand::Int(found.id.0);
        query.filters.push((messages::TYPE, id));
    }
    if let Some(before) = args.created_before {
        let before = Bound::Below(before.as_millisecond());
        query.ranges.push((messages::CREATED, before));
    }
    Ok(query)
}

fn moment(text: &str) -> std::result::Result<Timestamp, String> {
    text.parse()
        .map_err(|_| "write a time such as 2001-01-01T01:01:01Z".into())
}
