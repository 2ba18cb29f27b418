//! `herald client`: API clients. Works beside a running server and on an empty directory.

use super::{Outcome, open, say};
use crate::clients::{self, Draft, Made};
use crate::clock::shown;
use crate::config::DataDir;
use crate::domain::ids::ClientId;
use crate::store::clients as rows;
use crate::store::page::Query;
use jiff::SignedDuration;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Verb {
    /// Add a client; its secrets are shown once
    Create(Create),
    /// List the clients
    List(List),
    /// Revoke a client with its key and tokens
    Revoke(Revoke),
}

#[derive(Debug, clap::Args)]
pub(super) struct Create {
    /// What you call it
    #[arg(long)]
    label: String,
    /// What it may do, such as relesys.api.users:write; may be given several times.
    /// relesys.api[.users|.notifications|.communication|.logs|.settings][:read|:write]; relesys.api alone is everything
    #[arg(long, required = true)]
    scope: Vec<String>,
    /// When it ends by itself: a number with d, h or m
    #[arg(long, value_name = "90d", value_parser = duration)]
    expires: Option<SignedDuration>,
    /// {"client_id","client_secret","key"} for machines
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    data: DataDir,
}

#[derive(Debug, clap::Args)]
pub(super) struct List {
    /// An array for machines
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    data: DataDir,
}

#[derive(Debug, clap::Args)]
pub(super) struct Revoke {
    /// The id that the list shows
    id: i64,
    #[command(flatten)]
    data: DataDir,
}

pub(super) fn run(verb: Verb) -> Outcome {
    match verb {
        Verb::Create(args) => create(args),
        Verb::List(args) => list(args),
        Verb::Revoke(args) => revoke(args),
    }
}

fn create(args: Create) -> Outcome {
    let Create {
        label,
        scope,
        expires,
        json,
        data,
    } = args;
    let app = open(data, String::new())?;
    let expires = expires
        .map(|life| app.clock.now().checked_add(life))
        .transpose()
        .map_err(|_| "--expires is too far away.".to_owned())?;
    let draft = Draft {
        label,
        scopes: scope.join(" "),
        expires,
    };
    let Made {
        id: _,
        guid,
        client_secret,
        key,
    } = clients::create(&app, draft, None, "command line").map_err(|fault| fault.to_string())?;
    if json {
        say(&serde_json::json!({ "client_id": guid.to_string(), "client_secret": client_secret, "key": key }).to_string());
    } else {
        say(&format!(
            "client_id      {guid}\nclient_secret  {client_secret}\nkey            {key}\n\nThe secret and the key are shown this once. Use the key as `Authorization: Bearer …`."
        ));
    }
    Ok(())
}

fn list(List { json, data }: List) -> Outcome {
    let app = open(data, String::new())?;
    let query = Query {
        page: 1,
        page_size: u32::MAX,
        ..Query::default()
    };
    let page = app
        .store
        .read(|db| rows::list(db, &query))
        .map_err(|fault| fault.to_string())?;
    if json {
        let rows = page.rows.iter().map(|c| {
            serde_json::json!({
                "id": c.id.0, "client_id": c.guid.to_string(), "label": c.label, "scopes": c.scopes,
                "created": shown(c.created), "expires": c.expires.map(shown), "last_used": c.last_used.map(shown),
            })
        });
        say(&serde_json::Value::Array(rows.collect()).to_string());
    } else {
        for client in page.rows {
            let last_used = client
                .last_used
                .map_or("never used".into(), |at| format!("last used {}", shown(at)));
            say(&format!(
                "{}\t{}\t{}\t{}\t{last_used}",
                client.id, client.guid, client.label, client.scopes
            ));
        }
    }
    Ok(())
}

fn revoke(Revoke { id, data }: Revoke) -> Outcome {
    let app = open(data, String::new())?;
    app.store
        .write(move |tx| rows::delete(tx, ClientId(id)))
        .map_err(|fault| fault.to_string())?;
    say(&format!("Client {id} was revoked."));
    Ok(())
}

/// `90d`, `12h`, `30m`
fn duration(text: &str) -> Result<SignedDuration, String> {
    let wrong = || "write a number with d, h or m, such as 90d".to_owned();
    let unit = text.chars().last().ok_or_else(wrong)?;
    let number: i64 = text[..text.len() - unit.len_utf8()]
        .parse()
        .map_err(|_| wrong())?;
    let minutes = match unit {
        'd' => number.checked_mul(24 * 60),
        'h' => number.checked_mul(60),
        'm' => Some(number),
        _ => None,
    };
    minutes
        .filter(|minutes| (1..=100 * 366 * 24 * 60).contains(minutes))
        .map(SignedDuration::from_mins)
        .ok_or_else(wrong)
}
