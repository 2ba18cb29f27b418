//! `herald health`: for containers without curl.

use super::{Outcome, say};
use crate::channel::http::status_of_get;
use std::time::{Duration, Instant};

/// Ask a running server whether it is ready: exit code 0 when it is.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The server's address
    #[arg(
        long,
        env = "HERALD_URL",
        default_value = "http://127.0.0.1:8080",
        value_name = "URL"
    )]
    url: String,
    /// Ask again until it is ready
    #[arg(long)]
    wait: bool,
    /// How long to ask, in seconds
    #[arg(long, default_value = "30s", value_name = "30s", value_parser = seconds)]
    timeout: Duration,
}

/// Between two questions.
const PAUSE: Duration = Duration::from_millis(100);

pub(super) fn run(args: Args) -> Outcome {
    let address = format!("{}/readyz", args.url.trim_end_matches('/'));
    let deadline = Instant::now() + args.timeout;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        match status_of_get(&address, left) {
            Ok(200) => {
                say("ready");
                return Ok(());
            }
            Ok(_) | Err(_) if args.wait && Instant::now() + PAUSE < deadline => {
                std::thread::park_timeout(PAUSE)
            }
            Ok(status) => return Err(format!("{} is not ready: it answers {status}.", args.url)),
            Err(reason) => return Err(format!("{} is not ready. {reason}", args.url)),
        }
    }
}

/// `30s` or `30`
fn seconds(text: &str) -> Result<Duration, String> {
    text.trim_end_matches('s')
        .parse()
        .map(Duration::from_secs)
        .map_err(|_| "write seconds, such as 30s".into())
}
