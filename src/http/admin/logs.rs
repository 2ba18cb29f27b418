//! The message log. (Core - Messages, "Get message log"; api.md, `/v1/messages/logs/entries/{id}`)

use crate::app::App;
use crate::clock::shown;
use crate::domain::ids::{MessageId, UserId};
use crate::domain::message::{Attempt, Decision, LogEntry, LogLine};
use crate::error::Result;
use crate::http::list::{Field, List, field};
use crate::http::request::Request;
use crate::http::response::Response;
use crate::store::messages as rows;
use schemars::JsonSchema;
use serde::Serialize;

/// Rows on a page of a log. (api.md, `/v1/messages/logs/{user}`)
const PAGE_SIZE: u32 = 200;

const FIELDS: &[Field] = &[
    field("ID", rows::ID),
    field("CreatedDate", rows::CREATED),
    field("MessageFormat", rows::FORMAT),
    field("NotificationType", rows::TYPE),
    field("LastSendingAttempt", rows::LAST_ATTEMPT),
    field("SendingAttemptResult", rows::LAST_RESULT),
    field("Status", rows::STATUS),
    field("UserId", rows::USER),
    field("Cause", rows::CAUSE),
];
/// What the list offers.
pub(in crate::http) const LOG: List = List {
    fields: FIELDS,
    searchable: true,
    sort: "-ID",
    page_size: PAGE_SIZE,
    log: Some(rows::CREATED),
};

/// A row of the log: the document's six fields, then ours.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct Line {
    #[serde(rename = "ID")]
    id: i64,
    created_date: String,
    message_format: i64,
    notification_type: i64,
    /// Start of the last attempt.
    last_sending_attempt: Option<String>,
    /// Null before a first result, true once a provider accepted, false when the last attempt failed.
    sending_attempt_result: Option<bool>,
    guid: String,
    /// scheduled, queued, sending, sent, delivered, undelivered, failed, cancelled, suppressed or expired.
    status: &'static str,
    recipient: String,
    #[serde(rename = "TemplateID")]
    template_id: Option<i64>,
    attempts: u32,
    error: Option<String>,
    /// The same for all that failed or expired alike, such as `permanent 550`; null for all others.
    cause: Option<String>,
}

/// A row of everyone's log.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct EveryonesLine {
    #[serde(flatten)]
    line: Line,
    user_id: Option<i64>,
}

/// One message with everything that is known of it.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct Entry {
    #[serde(flatten)]
    line: Line,
    user_id: Option<i64>,
    created_by: String,
    sender: Option<String>,
    /// Null for sensitive types, as the bodies are.
    subject: Option<String>,
    body: Option<String>,
    #[serde(rename = "HTMLBody")]
    html_body: Option<String>,
    is_sensitive: bool,
    /// Not sent before.
    due_date: String,
    /// Not sent after.
    expiry_date: String,
    /// Every attempt, the first one first.
    history: Vec<WireAttempt>,
    /// Why the message is as it is, step by step.
    trace: Vec<WireDecision>,
}

/// One attempt.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct WireAttempt {
    number: u32,
    started: String,
    duration_milliseconds: Option<i64>,
    /// The provider's URL, secrets masked.
    provider: String,
    /// Null while it runs, or when the process ended in it.
    result: Option<bool>,
    /// provider, configuration, temporary, permanent, in_doubt or unregistered; null for a success.
    class: Option<String>,
    code: Option<u16>,
    /// The provider's words.
    answer: Option<String>,
    #[serde(rename = "ProviderMessageID")]
    provider_message_id: Option<String>,
    /// When the provider reported last what became of the message.
    reported: Option<String>,
    /// What it reported: its own word, with an error code if there is one.
    report: Option<String>,
}

/// One decision.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct WireDecision {
    about: String,
    choice: String,
    reason: String,
}

/// The messages of one user, newest first. (Core - Messages, "Get message log")
pub fn of_user(app: &App, request: &Request) -> Result<Response> {
    let user = UserId(request.id("user")?);
    LOG.answer(
        request,
        |query| app.store.read(|db| rows::list_of_user(db, user, query)),
        line,
    )
}

/// Everyone's messages, newest first.
pub fn of_all(app: &App, request: &Request) -> Result<Response> {
    LOG.answer(
        request,
        |query| app.store.read(|db| rows::list(db, query)),
        everyones,
    )
}

/// One message with its attempts and its trace.
pub fn entry(app: &App, request: &Request) -> Result<Response> {
    let id = MessageId(request.id("id")?);
    let LogEntry {
        line: found,
        created_by,
        sender,
        subject,
        body,
        html_body,
        is_sensitive,
        due,
        expires,
        attempts,
        trace,
    } = app.store.read(|db| rows::entry(db, id))?;
    Ok(Response::data(Entry {
        user_id: found.user_id.map(|u| u.0),
        line: line(found),
        created_by,
        sender,
        subject,
        body,
        html_body,
        is_sensitive,
        due_date: shown(due),
        expiry_date: shown(expires),
        history: attempts.into_iter().map(attempt).collect(),
        trace: trace.into_iter().map(decision).collect(),
    }))
}

/// Sends a message again that failed, expired, was cancelled or did not arrive.
pub fn retry(app: &App, request: &Request) -> Result<Response> {
    let id = MessageId(request.id("id")?);
    let now = app.clock.now();
    let line = app.store.write(move |tx| rows::retry(tx, id, now))?;
    app.bells.ring(line.format.channel());
    Ok(Response::done())
}

/// Stops a message that waits.
pub fn cancel(app: &App, request: &Request) -> Result<Response> {
    let id = MessageId(request.id("id")?);
    let reason = format!("Cancelled by {}.", request.caller()?.name);
    app.store.write(move |tx| rows::cancel(tx, id, &reason))?;
    Ok(Response::done())
}

/// A row of everyone's log on the wire.
pub(super) fn everyones(found: LogLine) -> EveryonesLine {
    EveryonesLine {
        user_id: found.user_id.map(|u| u.0),
        line: line(found),
    }
}

fn line(found: LogLine) -> Line {
    let LogLine {
        id,
        guid,
        user_id: _,
        type_id,
        template_id,
        format,
        status,
        recipient,
        created,
        attempts,
        last_attempt,
        last_result,
        error,
        cause,
    } = found;
    Line {
        id: id.0,
        created_date: shown(created),
        message_format: format.number(),
        notification_type: type_id.0,
        last_sending_attempt: last_attempt.map(shown),
        sending_attempt_result: last_result,
        guid: guid.to_string(),
        status: status.word(),
        recipient,
        template_id: template_id.map(|t| t.0),
        attempts,
        error,
        cause,
    }
}

fn attempt(attempt: Attempt) -> WireAttempt {
    let Attempt {
        number,
        provider,
        started,
        duration_ms,
        result,
        class,
        code,
        answer,
        provider_id,
        reported,
    } = attempt;
    let (reported, report) = reported.unzip();
    WireAttempt {
        number,
        started: shown(started),
        duration_milliseconds: duration_ms,
        provider,
        result,
        class,
        code,
        answer,
        provider_message_id: provider_id,
        reported: reported.map(shown),
        report,
    }
}

/// A decision on the wire.
pub(super) fn decision(decision: Decision) -> WireDecision {
    let Decision {
        about,
        choice,
        reason,
    } = decision;
    WireDecision {
        about,
        choice,
        reason,
    }
}
