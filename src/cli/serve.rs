//! `herald serve`

use super::outbox::sentence;
use super::{Outcome, say, start_log};
use crate::app::{App, Server};
use crate::clock::Clock;
use crate::config::{Config, ServeArgs, help};
use crate::domain::format::Channel;
use crate::operators::{self, SETUP_MINUTES};
use crate::providers;
use crate::store::pause;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::path::Path;

/// Serve the APIs and send what they accept.
#[derive(Debug, clap::Args)]
#[command(after_help = help())]
pub(super) struct Args {
    #[command(flatten)]
    serve: ServeArgs,
}

pub(super) fn run(args: Args) -> Outcome {
    start_log(&args.serve.log);
    let signals = catch_signals()?;
    let config = Config::resolve(args.serve)?;
    let server = Server::start(&config, Clock::System)?;
    for channel in Channel::ALL {
        if providers::is_unset(&server.app, channel) {
            log::warn!(
                "no {channel} provider is configured: {channel} messages are captured, not sent (--{channel} URL)"
            );
        }
    }
    remind(&server.app, &config.data_dir)?;
    invite(&server.app, &config.data_dir)?;
    for address in &server.addresses {
        log::info!("Herald serves {address}");
    }
    until_signal(signals);
    stop(server);
    Ok(())
}

/// Says that nothing is sent, and how to change that: whoever starts a restored copy wants to know.
fn remind(app: &App, data_dir: &Path) -> Outcome {
    let pause = app
        .store
        .read(pause::load)
        .map_err(|fault| fault.to_string())?;
    if let Some(pause) = pause {
        let data_dir = data_dir.display();
        log::warn!("{}", sentence(&pause));
        say(&format!(
            "The outbox is paused: what is accepted waits, and nothing is sent.

  herald outbox --data-dir {data_dir}            says why, and what would be sent
  herald outbox resume --data-dir {data_dir}     lets it go
"
        ));
    }
    Ok(())
}

/// Says how to begin with an appliance that nobody can use yet. On stdout and not in the log: it holds a token, and a
/// log of JSON must hold nothing else.
fn invite(app: &App, data_dir: &Path) -> Outcome {
    let token = operators::setup_token(app).map_err(|fault| fault.to_string())?;
    if let Some(token) = token {
        say(&format!(
            "Nobody can use this appliance yet. Make the first operator in a browser, within {SETUP_MINUTES} minutes:

  {}/setup#token={token}

or an API client at any time:

  herald client create --data-dir {} --label NAME --scope relesys.api
",
            app.base_url,
            data_dir.display()
        ));
    }
    Ok(())
}

/// Catches SIGTERM and SIGINT; before anything else, so that one which comes during the start is a clean stop too.
pub(super) fn catch_signals() -> Result<Signals, String> {
    Signals::new([SIGTERM, SIGINT]).map_err(|fault| format!("Cannot listen for signals: {fault}."))
}

/// Waits for SIGTERM or SIGINT; a second one ends the process at once.
pub(super) fn until_signal(mut signals: Signals) {
    signals.forever().next();
    std::thread::spawn(move || {
        signals.forever().next();
        std::process::exit(1);
    });
}

pub(super) fn stop(server: Server) {
    log::info!("stopping: finishing what is in flight");
    if !server.stop() {
        log::warn!("some attempts did not end in time; they are taken up again at the next start");
    }
    log::info!("stopped");
}
