//! Message templates. (Core - Messages, "Get message template" to "Delete Message Template")

use crate::app::App;
use crate::clock::shown;
use crate::domain::format::Format;
use crate::domain::ids::{TemplateId, TypeId};
use crate::domain::template::Draft;
use crate::error::{Error, Result};
use crate::http::list::{Field, List, field};
use crate::http::request::Request;
use crate::http::response::Response;
use crate::render;
use crate::store::page::{Operand, Query};
use crate::store::templates::{self as rows, StoredTemplate};
use crate::store::{settings, types};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

const FIELDS: &[Field] = &[
    field("ID", rows::ID),
    field("Type", rows::TYPE),
    field("Format", rows::FORMAT),
    field("LCID", rows::LCID),
    field("Language", rows::LANGUAGE),
    field("Sender", rows::SENDER),
    field("Subject", rows::SUBJECT),
    field("CreatedDate", rows::CREATED),
    field("LastUpdated", rows::UPDATED),
    field("LastUpdatedBy", rows::UPDATED_BY),
];
/// What the list offers.
pub(in crate::http) const LIST: List = List::by_id(FIELDS);

/// A template as posted. (Core - Messages, "Add new or edit existing message template")
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct SaveTemplate {
    /// Absent, null or 0: a new record.
    #[serde(rename = "ID")]
    id: Option<i64>,
    /// Nullable for SMS only.
    subject: Option<String>,
    /// `Name <a@b>` or `a@b`; required for e-mail.
    sender: Option<String>,
    /// A MessageType.
    #[schemars(required)]
    r#type: Option<i64>,
    /// A MessageFormat.
    #[schemars(required)]
    format: Option<i64>,
    /// A language tag such as `en-GB`.
    #[schemars(required)]
    language: Option<String>,
    /// The text. May be empty for CombinedEmail with an HTMLBody.
    body: Option<String>,
    /// The HTML of a CombinedEmail.
    #[serde(rename = "HTMLBody")]
    html_body: Option<String>,
}

/// One template: the document's nine fields, then ours.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct OneTemplate {
    #[serde(flatten)]
    mail: MailTemplate,
    guid: String,
    /// A `communicationTemplateId` of the send API.
    type_guid: String,
    created_date: String,
    last_updated: String,
    last_updated_by: String,
}

/// A row of the e-mail lists and of the list of all.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct MailTemplate {
    #[serde(rename = "ID")]
    id: i64,
    format: i64,
    r#type: i64,
    #[serde(rename = "LCID")]
    lcid: i64,
    language: String,
    sender: Option<String>,
    subject: Option<String>,
    body: Option<String>,
    #[serde(rename = "HTMLBody")]
    html_body: Option<String>,
}

/// A row of the SMS list.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct SmsTemplate {
    #[serde(rename = "ID")]
    id: i64,
    format: i64,
    r#type: i64,
    #[serde(rename = "LCID")]
    lcid: i64,
    language: String,
    body: Option<String>,
}

/// A row of the push list.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct PushTemplate {
    #[serde(rename = "ID")]
    id: i64,
    format: i64,
    r#type: i64,
    #[serde(rename = "LCID")]
    lcid: i64,
    language: String,
    subject: Option<String>,
    body: Option<String>,
}

/// Adds a template, or edits the one that a non-zero `ID` names. (Core - Messages, "Add new or edit existing message template")
pub fn save(app: &App, request: &Request) -> Result<Response> {
    let wire: SaveTemplate = request.json()?;
    let id = wire.id.filter(|id| *id != 0).map(TemplateId);
    put(app, request, id, draft(wire)?)
}

/// Checks a draft and stores it: as a new template, or as the one with this id.
///
/// # Errors
/// What the draft breaks; [`Error::Duplicate`] if its place is taken.
pub(super) fn put(
    app: &App,
    request: &Request,
    id: Option<TemplateId>,
    draft: Draft,
) -> Result<Response> {
    let type_id = TypeId(draft.type_id);
    let message_type = app.store.read(|db| types::find(db, type_id))?;
    let template = draft.check(message_type.as_deref(), render::inspect)?;
    let (by, now) = (request.caller()?.name.clone(), app.clock.now());
    let id = app.store.write(move |tx| match id {
        None => rows::insert(tx, &template, &by, now),
        Some(id) => rows::update(tx, id, &template, &by, now).map(|()| id),
    })?;
    Ok(Response::done().location(format!("/api/admin/v1/messages/templates/{id}")))
}

/// Details of one template. (Core - Messages, "Get message template")
pub fn get(app: &App, request: &Request) -> Result<Response> {
    let id = TemplateId(request.id("id")?);
    let (template, settings) = app
        .store
        .read(|db| Ok((rows::get(db, id)?, settings::load(db)?)))?;
    Ok(Response::data(OneTemplate {
        guid: template.guid.to_string(),
        type_guid: template.type_guid.to_string(),
        created_date: shown(template.created),
        last_updated: shown(template.updated),
        last_updated_by: template.updated_by.clone(),
        mail: mail(Arc::unwrap_or_clone(template), &settings.default_sender),
    }))
}

/// Marks a template as deleted. (Core - Messages, "Delete Message Template")
pub fn delete(app: &App, request: &Request) -> Result<Response> {
    let id = TemplateId(request.id("id")?);
    let (by, now) = (request.caller()?.name.clone(), app.clock.now());
    app.store.write(move |tx| rows::delete(tx, id, &by, now))?;
    Ok(Response::done())
}

/// All templates. (Core - Messages, "Get message template list")
pub fn list(app: &App, request: &Request) -> Result<Response> {
    page(app, request, None, mail)
}

/// HTML e-mail templates. (Core - Messages, "Get HTML message templates list")
pub fn combined_email(app: &App, request: &Request) -> Result<Response> {
    page(app, request, Some(Format::CombinedEmail), mail)
}

/// Text e-mail templates. (Core - Messages, "Get simple text message templates list")
pub fn simple_text_email(app: &App, request: &Request) -> Result<Response> {
    page(app, request, Some(Format::SimpleTextEmail), mail)
}

/// SMS templates. (Core - Messages, "Get SMS message templates list")
pub fn sms(app: &App, request: &Request) -> Result<Response> {
    page(app, request, Some(Format::Sms), |t, _| SmsTemplate {
        id: t.id.0,
        format: t.format.number(),
        r#type: t.type_id.0,
        lcid: t.lcid,
        language: t.language,
        body: t.body,
    })
}

/// Push templates. (Core - Messages, "Get push notification message templates list")
pub fn push_notification(app: &App, request: &Request) -> Result<Response> {
    page(app, request, Some(Format::Push), |t, _| PushTemplate {
        id: t.id.0,
        format: t.format.number(),
        r#type: t.type_id.0,
        lcid: t.lcid,
        language: t.language,
        subject: t.subject,
        body: t.body,
    })
}

fn page<T: Serialize>(
    app: &App,
    request: &Request,
    format: Option<Format>,
    wire: impl Fn(StoredTemplate, &str) -> T,
) -> Result<Response> {
    let settings = app.store.read(settings::load)?;
    let fetch = |query: &Query| {
        let mut query = query.clone();
        query
            .filters
            .extend(format.map(|format| (rows::FORMAT, Operand::Int(format.number()))));
        app.store.read(|db| rows::list(db, &query))
    };
    LIST.answer(request, fetch, |template| {
        wire(template, &settings.default_sender)
    })
}

/// A mail template without a sender of its own shows the one it will be sent with.
fn mail(t: StoredTemplate, default_sender: &str) -> MailTemplate {
    let is_mail = matches!(t.format, Format::CombinedEmail | Format::SimpleTextEmail);
    MailTemplate {
        id: t.id.0,
        format: t.format.number(),
        r#type: t.type_id.0,
        lcid: t.lcid,
        language: t.language,
        sender: t
            .sender
            .or_else(|| is_mail.then(|| default_sender.to_owned())),
        subject: t.subject,
        body: t.body,
        html_body: t.html_body,
    }
}

/// The draft of a template as posted.
pub(super) fn draft(wire: SaveTemplate) -> Result<Draft> {
    let SaveTemplate {
        id: _,
        subject,
        sender,
        r#type,
        format,
        language,
        body,
        html_body,
    } = wire;
    Ok(Draft {
        type_id: r#type
            .ok_or_else(|| Error::invalid("Type is missing; it is a message type's ID."))?,
        format: format
            .ok_or_else(|| Error::invalid("Format is missing; it is a MessageFormat, 0 to 3."))?,
        language: language
            .ok_or_else(|| Error::invalid("Language is missing; it is a tag such as en-GB."))?,
        sender,
        subject,
        body,
        html_body,
    })
}
