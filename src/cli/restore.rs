//! `herald restore`: a backup in the place of the database.

use super::progress::watched;
use super::{Outcome, say};
use crate::clock::{Clock, shown};
use crate::config::DataDir;
use crate::providers;
use crate::store::restore::{self, Restored};
use crate::vault::KEY_FILE;
use std::path::{Path, PathBuf};

/// Put a backup in the place of the database. The server must be stopped. Nothing is sent until you let it go; the
/// database before is kept under another name.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A file that herald backup made
    file: PathBuf,
    /// Also where there is a database already
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
    let restored = watched(|watch| restore::restore(&data_dir, &file, force, now, watch))?;
    // The key's own fault is no reason to call what is done undone.
    let unreadable = providers::unopened(&data_dir, &restored.providers).unwrap_or_else(|_| {
        let masked = restored.providers.iter().map(|row| row.masked.clone());
        masked.collect()
    });
    match json {
        true => say(&object(&restored, &data_dir, &unreadable).to_string()),
        false => say(&text(&restored, &data_dir, &file, &unreadable)),
    }
    Ok(())
}

fn object(restored: &Restored, data_dir: &Path, unreadable: &[String]) -> serde_json::Value {
    let Restored {
        kept,
        made,
        messages,
        waiting,
        providers: _,
    } = restored;
    serde_json::json!({
        "data_dir": data_dir.display().to_string(), "made": made.map(shown), "messages": messages, "waiting": waiting,
        "kept": kept.as_ref().map(|kept| kept.display().to_string()), "unreadable_providers": unreadable,
    })
}

fn text(restored: &Restored, data_dir: &Path, file: &Path, unreadable: &[String]) -> String {
    let Restored {
        kept,
        made,
        messages,
        waiting,
        providers: _,
    } = restored;
    let (file, data_dir) = (file.display(), data_dir.display());
    let made = made.map_or(String::new(), |made| format!(", made at {},", shown(made)));
    let mut text = format!("{file}{made} is restored into {data_dir}: {messages} messages.");
    if let Some(kept) = kept {
        text.push_str(&format!(
            "\nThe database before is kept as {}.",
            kept.display()
        ));
    }
    if !unreadable.is_empty() {
        text.push_str(&format!(
            "\n{KEY_FILE} of {data_dir} does not open the URLs of these stored providers: put the right one there, or write the URLs out again: {}.",
            unreadable.join(", ")
        ));
    }
    text.push_str(&format!(
        "\n{waiting} messages wait to be sent, and some of them may have been sent since. Nothing is sent until you say so:

  herald outbox show --list --data-dir {data_dir}     what would be sent
  herald outbox cancel --help                         throws away what was sent already
  herald outbox resume --data-dir {data_dir}          lets the rest go
"
    ));
    text
}
