//! `herald check`: whether anything is wrong with a data directory, or with a backup.

use super::progress::watched;
use super::{Outcome, say};
use crate::config::DataDir;
use crate::providers;
use crate::store::check::{self, Checked, Finding};
use crate::vault::KEY_FILE;
use std::path::{Path, PathBuf};

/// Look through the database, or through a backup, for anything that is wrong; beside a running server too. Nothing is
/// changed. Exit code 1 when something is wrong.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A backup [default: the database of the data directory]
    file: Option<PathBuf>,
    /// An object for machines
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    data: DataDir,
}

pub(super) fn run(args: Args) -> Outcome {
    let Args {
        file,
        json,
        data: DataDir { data_dir },
    } = args;
    let (file, checked) = match file {
        Some(file) => {
            let mut checked = watched(|watch| check::check(&file, watch))?;
            let mode = check::exposed_mode(&file).map(|mode| (file.clone(), mode));
            add(&mut checked, "permissions", mode.into_iter().map(exposed));
            (file, checked)
        }
        None => {
            let file = check::database_of(&data_dir)?;
            // Before the database is opened: what SQLite puts beside it has the database's mode.
            let modes = check::exposed(&data_dir);
            let mut checked = watched(|watch| check::check(&file, watch))?;
            let closed = closed(&data_dir, &checked);
            add(&mut checked, "providers", closed);
            add(&mut checked, "permissions", modes.into_iter().map(exposed));
            (file, checked)
        }
    };
    match json {
        true => say(&object(&checked, &file).to_string()),
        false => tell(&checked, &file),
    }
    match checked.findings.len() {
        0 => Ok(()),
        1 => Err(format!("One thing is wrong with {}.", file.display())),
        many => Err(format!("{many} things are wrong with {}.", file.display())),
    }
}

fn add(checked: &mut Checked, check: &'static str, texts: impl IntoIterator<Item = String>) {
    checked.checks.push(check);
    let findings = texts.into_iter().map(|text| Finding { check, text });
    checked.findings.extend(findings);
}

/// The stored providers that cannot be used for want of their key.
fn closed(data_dir: &Path, checked: &Checked) -> Vec<String> {
    match providers::unopened(data_dir, &checked.providers) {
        Ok(closed) => closed
            .into_iter()
            .map(|masked| format!("{KEY_FILE} does not open the URL of {masked}."))
            .collect(),
        Err(fault) => vec![format!("{fault}.")],
    }
}

fn exposed((path, mode): (PathBuf, u32)) -> String {
    format!(
        "{} is open to others than its owner (mode {mode:04o}).",
        path.display()
    )
}

fn tell(checked: &Checked, file: &Path) {
    for Finding { check, text } in &checked.findings {
        say(&format!("{check}: {text}"));
    }
    if checked.findings.is_empty() {
        say(&format!(
            "Nothing is wrong with {}: {} messages, {} checks.",
            file.display(),
            checked.messages,
            checked.checks.len()
        ));
    }
}

fn object(checked: &Checked, file: &Path) -> serde_json::Value {
    let Checked {
        findings,
        checks,
        messages,
        providers: _,
    } = checked;
    let findings: Vec<_> = findings
        .iter()
        .map(|Finding { check, text }| serde_json::json!({ "check": check, "text": text }))
        .collect();
    serde_json::json!({
        "file": file.display().to_string(), "messages": messages, "checks": checks, "findings": findings,
    })
}
