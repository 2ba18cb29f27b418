//! `herald simulate`: the outside world on order, for rehearsing an outage.

use super::serve::catch_signals;
use super::{Outcome, say, start_log};
use crate::config::LogArgs;
use crate::simulate::book::Book;
use crate::simulate::control::{event_json, event_line};
use crate::simulate::gateway::Gateway;
use crate::simulate::language;
use crate::simulate::orders::{Order, Orders};
use crate::simulate::smtp::{MailServer, Options, PASSWORD, USER};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A mail server and look-alikes of SMS and push services, with faults on order: rehearse an outage, and its end.
#[derive(Debug, clap::Args)]
#[command(after_help = help())]
pub(super) struct Args {
    /// Where the mail server listens
    #[arg(
        long,
        env = "HERALD_SIMULATE_SMTP",
        default_value = "127.0.0.1:2525",
        value_name = "ADDRESS"
    )]
    smtp: SocketAddr,
    /// Where the HTTP services listen, and where faults are ordered
    #[arg(
        long,
        env = "HERALD_SIMULATE_HTTP",
        default_value = "127.0.0.1:2580",
        value_name = "ADDRESS"
    )]
    http: SocketAddr,
    /// A fault from the start on; may be given several times
    #[arg(long, value_name = "FAULT")]
    fault: Vec<Order>,
    /// What faults by chance depend on: the same seed strikes the same
    #[arg(long, default_value_t = 1, value_name = "NUMBER")]
    seed: u64,
    /// Write the authority of the mail server's certificate to this file (PEM): with SSL_CERT_FILE it is trusted
    #[arg(long, value_name = "FILE")]
    authority: Option<PathBuf>,
    /// One JSON object a line, for machines
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    log: LogArgs,
}

fn help() -> String {
    format!(
        "It prints the provider URLs for herald serve, then a line per message.

Rehearse an outage while it runs, on the port of --http:

  curl -d 'smtp.connect = refuse' 127.0.0.1:2580/simulate/faults
  curl -X DELETE 127.0.0.1:2580/simulate/faults
  curl 127.0.0.1:2580/simulate/messages

{}",
        language::help()
    )
}

pub(super) fn run(args: Args) -> Outcome {
    start_log(&args.log);
    let mut signals = catch_signals()?;
    let orders = Arc::new(Orders::seeded(args.seed));
    orders.add(args.fault.clone())?;
    let is_json = args.json;
    let book = Arc::new(Book::witnessed(move |event| {
        say(&match is_json {
            true => event_json(event).to_string(),
            false => event_line(event),
        });
    }));
    let options = Options {
        starttls: true,
        account: Some((USER.into(), PASSWORD.into())),
        ..Options::default()
    };
    for address in [args.smtp, args.http] {
        if !address.ip().is_loopback() {
            log::warn!("whoever reaches {address} reads what is taken and may order faults");
        }
    }
    let cannot = |address: SocketAddr| {
        move |why| {
            format!("Cannot listen at {address}: {why}. Choose another with --smtp or --http.")
        }
    };
    let mails = MailServer::start(args.smtp, options, Arc::clone(&orders), Arc::clone(&book))
        .map_err(cannot(args.smtp))?;
    let gateway = Gateway::start(args.http, orders, book).map_err(cannot(args.http))?;
    if let Some(file) = &args.authority {
        write(file, &mails.authority().pem)?;
    }
    announce(&mails, &gateway, &args);
    signals.forever().next();
    Ok(())
}

fn write(file: &Path, pem: &str) -> Outcome {
    std::fs::write(file, pem).map_err(|why| format!("Cannot write {}: {why}.", file.display()))
}

/// The provider URLs to paste.
fn announce(mails: &MailServer, gateway: &Gateway, args: &Args) {
    let mut urls = vec![("smtp", mails.url(args.authority.is_some()))];
    urls.extend(gateway.urls());
    urls.push((
        "faults",
        format!("http://{}/simulate/faults", gateway.address()),
    ));
    for (service, url) in urls {
        say(&match args.json {
            true => serde_json::json!({ "Service": service, "Url": url }).to_string(),
            false => format!("{service}: {url}"),
        });
    }
}
