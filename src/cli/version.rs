//! `herald version`

use super::{Outcome, say};
use crate::store;

/// Version, platform and the SQLite inside.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// An object for machines
    #[arg(long)]
    json: bool,
}

pub(super) fn run(Args { json }: Args) -> Outcome {
    let (version, sqlite) = (env!("CARGO_PKG_VERSION"), store::engine_version());
    let platform = format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS);
    if json {
        say(
            &serde_json::json!({ "version": version, "platform": platform, "sqlite": sqlite })
                .to_string(),
        );
    } else {
        say(&format!("herald {version} ({platform}, SQLite {sqlite})"));
    }
    Ok(())
}
