//! `herald serve`

use super::{Outcome, start_log};
use crate::app::Server;
use crate::clock::Clock;
use crate::config::{Config, ServeArgs, help};
use crate::domain::format::Channel;
use crate::store;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

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
        if config.providers(channel).is_empty() {
            log::warn!(
                "no {channel} provider is configured: {channel} messages are captured, not sent (--{channel} URL)"
            );
        }
    }
    if server
        .app
        .store
        .read(store::clients::count)
        .map_err(|fault| fault.to_string())?
        == 0
    {
        log::warn!(
            "nobody can use this appliance yet; make a client: herald client create --data-dir {} --label NAME --scope relesys.api",
            config.data_dir.display()
        );
    }
    for address in &server.addresses {
        log::info!("Herald serves {address}");
    }
    until_signal(signals);
    stop(server);
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
