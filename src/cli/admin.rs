//! `herald admin`: operators.

use super::{Outcome, open, say};
use crate::clock::shown;
use crate::config::DataDir;
use crate::domain::address::no_controls;
use crate::domain::user::USER_NAME_CHARS_MAX;
use crate::secret;
use crate::store::operators;
use std::path::PathBuf;

/// The shortest password, in characters: more than the 8 of NIST SP 800-63B, section 5.1.1.2, for few and powerful users.
const PASSWORD_CHARS_MIN: usize = 10;
/// The longest password, in bytes: hashing is not to be a way to keep the processor busy.
const PASSWORD_BYTES_MAX: usize = 1024;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Verb {
    /// Add an operator; the password comes from a file or a prompt
    Create(WithPassword),
    /// Give an operator another password
    Passwd(WithPassword),
    /// List the operators
    List(List),
    /// Remove an operator
    Delete(Named),
}

#[derive(Debug, clap::Args)]
pub(super) struct Named {
    /// The name to sign in with
    #[arg(long, env = "HERALD_ADMIN_USERNAME")]
    username: String,
    #[command(flatten)]
    data: DataDir,
}

#[derive(Debug, clap::Args)]
pub(super) struct WithPassword {
    #[command(flatten)]
    named: Named,
    /// File that holds the password; without it you are asked
    #[arg(long, env = "HERALD_ADMIN_PASSWORD_FILE", value_name = "FILE")]
    password_file: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(super) struct List {
    /// An array for machines
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    data: DataDir,
}

pub(super) fn run(verb: Verb) -> Outcome {
    match verb {
        Verb::Create(args) => create(args),
        Verb::Passwd(args) => passwd(args),
        Verb::List(args) => list(args),
        Verb::Delete(args) => delete(args),
    }
}

fn create(
    WithPassword {
        named,
        password_file,
    }: WithPassword,
) -> Outcome {
    let Named { username, data } = named;
    no_controls("--username", &username, false).map_err(|fault| fault.to_string())?;
    if username.trim().is_empty() || username.chars().count() > USER_NAME_CHARS_MAX {
        return Err(format!(
            "--username must be 1 to {USER_NAME_CHARS_MAX} characters."
        ));
    }
    let hash = hash(password_file)?;
    let app = open(data, String::new())?;
    let (name, now) = (username.clone(), app.clock.now());
    app.store
        .write(move |tx| operators::insert(tx, &name, &hash, now))
        .map_err(|fault| fault.to_string())?;
    say(&format!("Operator {username} was added."));
    Ok(())
}

fn passwd(
    WithPassword {
        named,
        password_file,
    }: WithPassword,
) -> Outcome {
    let Named { username, data } = named;
    let hash = hash(password_file)?;
    let app = open(data, String::new())?;
    let (name, now) = (username.clone(), app.clock.now());
    app.store
        .write(move |tx| operators::set_password(tx, &name, &hash, now))
        .map_err(|fault| fault.to_string())?;
    say(&format!("Operator {username} has another password."));
    Ok(())
}

fn list(List { json, data }: List) -> Outcome {
    let app = open(data, String::new())?;
    let operators = app
        .store
        .read(operators::list)
        .map_err(|fault| fault.to_string())?;
    if json {
        let rows = operators.iter().map(|o| {
            serde_json::json!({ "id": o.id.0, "guid": o.guid.to_string(), "username": o.user_name, "created": shown(o.created) })
        });
        say(&serde_json::Value::Array(rows.collect()).to_string());
    } else {
        for operator in operators {
            say(&format!(
                "{}\t{}",
                operator.user_name,
                shown(operator.created)
            ));
        }
    }
    Ok(())
}

fn delete(Named { username, data }: Named) -> Outcome {
    let app = open(data, String::new())?;
    let name = username.clone();
    app.store
        .write(move |tx| operators::delete(tx, &name))
        .map_err(|fault| fault.to_string())?;
    say(&format!("Operator {username} was removed."));
    Ok(())
}

/// The hash of the password in the file, or typed twice.
fn hash(file: Option<PathBuf>) -> Result<String, String> {
    let password = match file {
        Some(path) => std::fs::read_to_string(&path)
            .map_err(|fault| format!("Cannot read {}: {fault}.", path.display()))?
            .trim_end_matches(['\r', '\n'])
            .to_owned(),
        None => prompt()?,
    };
    if password.chars().count() < PASSWORD_CHARS_MIN || password.len() > PASSWORD_BYTES_MAX {
        return Err(format!(
            "A password must be at least {PASSWORD_CHARS_MIN} characters and at most {PASSWORD_BYTES_MAX} bytes."
        ));
    }
    secret::password_hash(&password).map_err(|fault| format!("Cannot hash the password: {fault}."))
}

fn prompt() -> Result<String, String> {
    let ask = |question| {
        rpassword::prompt_password(question).map_err(|fault| {
            format!("Cannot ask for a password here ({fault}); use --password-file.")
        })
    };
    let password = ask("Password: ")?;
    if password != ask("Once more: ")? {
        return Err("The two passwords differ.".into());
    }
    Ok(password)
}
