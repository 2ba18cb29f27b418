//! SMS beside a mail server that answers a byte a second: the channel keeps its rate.

use crate::Result;
use crate::appliance::{Appliance, Prepared};
use crate::backlog;
use herald::domain::format::Format;
use herald::domain::message::NewMessage;
use herald::simulate::book::{Book, Event};
use herald::simulate::fault::{Fault, Manner, Place, Stage};
use herald::simulate::gateway::Gateway;
use herald::simulate::orders::{Order, Orders, Times};
use herald::simulate::smtp::{MailServer, Options};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

const MAILS: usize = 200;
/// Runs with and without mails, in turn; the best of each counts, for noise only ever slows.
const RUNS: usize = 3;
const PATIENCE: Duration = Duration::from_secs(120);

/// The table's row.
pub(crate) fn print(disk: &Path, texts: usize) -> Result<()> {
    let (mut alone, mut beside) = (0_f64, 0_f64);
    for _ in 0..RUNS {
        alone = alone.max(texts_per_sec(disk, texts, 0)?);
        beside = beside.max(texts_per_sec(disk, texts, MAILS)?);
    }
    println!(
        "| SMS while {MAILS} mails wait for a tarpit | {beside:.0} | without mails {alone:.0} | {:.2} |",
        beside / alone
    );
    Ok(())
}

/// How fast a full outbox of SMS is delivered, with so many mails beside it.
fn texts_per_sec(disk: &Path, texts: usize, mails: usize) -> Result<f64> {
    let prepared = Prepared::new(disk)?;
    let app = prepared.app()?;
    backlog::fill(&app, mails, |mail| mail)?;
    backlog::fill(&app, mails + texts, text)?;
    drop(app);
    let anywhere = SocketAddr::from(([127, 0, 0, 1], 0));
    let slow = Order {
        place: Place::Smtp(Stage::Greeting),
        times: Times::Always,
        fault: Fault::Answer(None, Manner::Slow(1)),
    };
    let orders = Arc::new(Orders::default());
    orders.add(vec![slow])?;
    let tarpit = MailServer::start(anywhere, Options::default(), orders, Arc::default())?;
    let taken = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&taken);
    let count = move |event: Event<'_>| {
        if let Event::Taken(_) = event {
            counted.fetch_add(1, Ordering::Relaxed);
        }
    };
    let gateway = Gateway::start(anywhere, Arc::default(), Arc::new(Book::witnessed(count)))?;
    let mut urls = gateway.urls().into_iter();
    let (_, sms) = urls
        .find(|(service, _)| *service == "twilio")
        .ok_or("no look-alike of Twilio")?;
    let email = format!("smtp://127.0.0.1:{}?tls=none", tarpit.port());
    let appliance = Appliance::start_with(
        &prepared,
        &[format!("--email={email}"), format!("--sms={sms}")],
    )?;
    let (begun, first) = (Instant::now(), taken.load(Ordering::Relaxed));
    while taken.load(Ordering::Relaxed) < texts {
        if begun.elapsed() > PATIENCE {
            return Err("the SMS did not arrive in time".into());
        }
        std::thread::park_timeout(Duration::from_millis(1));
    }
    let secs = begun.elapsed().as_secs_f64();
    if mails > 0 && tarpit.commands().is_empty() {
        return Err("nobody was in the tarpit".into());
    }
    // Those mails hang in their attempts: there is no stop to wait for.
    drop(appliance);
    Ok((texts - first) as f64 / secs)
}

fn text(message: NewMessage) -> NewMessage {
    NewMessage {
        format: Format::Sms,
        recipient: "+4790000001".into(),
        subject: None,
        html_body: None,
        ..message
    }
}
