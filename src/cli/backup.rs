//! `herald backup`: the database in one file, beside a running server or without one.

use super::progress::watched;
use super::{Outcome, say};
use crate::clock::Clock;
use crate::config::DataDir;
use crate::store::backup::{self, Backup};
use crate::vault::KEY_FILE;
use std::path::{Path, PathBuf};

/// Back up the database into a file, beside a running server too. Content of sensitive messages is not in it, and wherever
/// it is used it starts paused. The key of the stored providers, secret.key, is not in it either.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The file to make; it is there whole or not at all
    file: PathBuf,
    /// Replace the file if it is there
    #[arg(long)]
    force: bool,
    /// An object for machines
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    data: DataDir,
}

pub(super) fn run(args: Args) -> Outcome {
    let Args {
        file,
        force,
        json,
        data: DataDir { data_dir },
    } = args;
    let now = Clock::System.now();
    let backup = watched(|watch| backup::backup(&data_dir, &file, force, now, watch))?;
    let key = Some(data_dir.join(KEY_FILE)).filter(|key| key.exists());
    match json {
        true => say(&object(&backup, &file, key.as_deref()).to_string()),
        false => say(&text(&backup, &file, key.as_deref())),
    }
    Ok(())
}

fn object(backup: &Backup, file: &Path, key: Option<&Path>) -> serde_json::Value {
    let Backup {
        bytes,
        messages,
        waiting,
    } = backup;
    serde_json::json!({
        "file": file.display().to_string(), "bytes": bytes, "messages": messages, "waiting": waiting,
        "secret_key": key.map(|key| key.display().to_string()),
    })
}

fn text(backup: &Backup, file: &Path, key: Option<&Path>) -> String {
    let Backup {
        bytes,
        messages,
        waiting,
    } = backup;
    let key = match key {
        Some(key) => format!(
            "{} is not in it: keep a copy of that file somewhere else. Without it the URLs of stored providers have to be written out again.",
            key.display()
        ),
        None => format!("There is no {KEY_FILE}, because no provider is stored."),
    };
    format!(
        "{} holds {messages} messages in {bytes} bytes. {waiting} of them wait to be sent; wherever it is used, it starts paused.\n{key}",
        file.display()
    )
}
