//! `herald admin`: operators.

use super::{Outcome, open, say};
use crate::clock::shown;
use crate::config::DataDir;
use crate::operators;
use crate::store::operators as rows;
use std::path::PathBuf;

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
    operators::check_name(&username).map_err(|fault| fault.to_string())?;
    let hash = hash(password_file)?;
    let app = open(data, String::new())?;
    let (name, now) = (username.clone(), app.clock.now());
    app.store
        .write(move |tx| rows::insert(tx, &name, &hash, now))
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
        .write(move |tx| rows::set_password(tx, &name, &hash, now))
        .map_err(|fault| fault.to_string())?;
    say(&format!("Operator {username} has another password."));
    Ok(())
}

fn list(List { json, data }: List) -> Outcome {
    let app = open(data, String::new())?;
    let operators = app
        .store
        .read(rows::list)
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
        .write(move |tx| rows::delete(tx, &name))
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
    operators::new_password(&password).map_err(|fault| fault.to_string())
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
