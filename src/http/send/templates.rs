//! `GET /communication/templates`: message types as the send API sees them. (site; api.md, section 3)
//!
//! A communication template is a message type; a culture is a language in which it has an SMS or an e-mail template.

use crate::app::App;
use crate::clock::shown;
use crate::domain::format::{Channel, Format};
use crate::domain::message_type::MessageType;
use crate::error::{Error, Result};
use crate::http::list::{Field, Takes, Word, field};
use crate::http::request::{Request, whole};
use crate::http::response::Response;
use crate::store::page::{Column, Page, Query};
use crate::store::templates::StoredTemplate;
use crate::store::{Db, templates, types};
use schemars::JsonSchema;
use serde::Serialize;

/// Templates on a page unless the request says otherwise. (site)
const LIMIT_DEFAULT: u32 = 200;
/// The largest page. (site)
const LIMIT_MAX: u32 = 1000;

/// What the list can be sorted by.
const SORTS: &[Field] = &[
    field("name", types::NAME),
    field("creationDateTime", types::CREATED),
    field("lastModifiedDateTime", types::UPDATED),
];

/// The words of the list's query.
pub(in crate::http) const QUERY: &[Word] = &[
    Word {
        name: "limit",
        meaning: "Templates on a page.",
        takes: Takes::Whole {
            min: 1,
            max: LIMIT_MAX as i64,
            default: Some(LIMIT_DEFAULT as i64),
        },
    },
    Word {
        name: "offset",
        meaning: "Templates before the page.",
        takes: Takes::Whole {
            min: 0,
            max: u32::MAX as i64,
            default: Some(0),
        },
    },
    Word {
        name: "sort",
        meaning: "One field; - in front for descending.",
        takes: Takes::Sort(SORTS),
    },
];

/// A page of communication templates.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CommunicationTemplates {
    /// Of all pages.
    count: u64,
    data: Vec<CommunicationTemplate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    previous_url: Option<String>,
}

/// A communication template.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CommunicationTemplate {
    /// A `communicationTemplateId`.
    id: String,
    name: String,
    communication_template_cultures: Vec<Culture>,
    creation_date_time: String,
    last_modified_date_time: String,
}

/// A language in which a communication template has content.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Culture {
    /// A language tag.
    culture_code: String,
    sms: Option<SmsContent>,
    email: Option<EmailContent>,
}

/// The SMS of a culture.
#[derive(Debug, Serialize, JsonSchema)]
pub struct SmsContent {
    body: String,
}

/// The e-mail of a culture: the HTML where there is one.
#[derive(Debug, Serialize, JsonSchema)]
pub struct EmailContent {
    subject: String,
    body: String,
}

/// A page of communication templates.
pub fn list(app: &App, request: &Request) -> Result<Response> {
    let (limit, offset, sort) = window(request)?;
    let query = Query {
        page: 1,
        page_size: limit,
        skip: offset,
        sort: vec![sort],
        ..Query::default()
    };
    let (page, data) = app.store.read(|db| {
        let page = types::list(db, &query)?;
        let data = page
            .rows
            .iter()
            .map(|t| wire(db, t))
            .collect::<Result<Vec<_>>>()?;
        Ok((page, data))
    })?;
    Ok(Response::json(
        200,
        &links(request, &page, data, limit, offset),
    ))
}

/// One communication template.
pub fn get(app: &App, request: &Request) -> Result<Response> {
    let guid = request.guid("id")?;
    let found = app.store.read(|db| {
        let found = types::find_by_guid(db, guid)?;
        found.map(|t| wire(db, &t)).transpose()
    })?;
    let found = found
        .ok_or_else(|| Error::NotFound(format!("No communication template has the id {guid}.")))?;
    Ok(Response::json(200, &found))
}

fn window(request: &Request) -> Result<(u32, u64, (Column, bool))> {
    let (mut limit, mut offset, mut sort) = (LIMIT_DEFAULT, 0, (types::NAME, false));
    for (word, value) in request.query() {
        match word.as_str() {
            "limit" => {
                let number = whole(value).filter(|n| (1..=LIMIT_MAX).contains(n));
                limit = number.ok_or_else(|| {
                    Error::Invalid(format!(
                        "limit must be a whole number from 1 to {LIMIT_MAX}."
                    ))
                })?;
            }
            "offset" => {
                let number = whole::<u32>(value).map(u64::from);
                offset = number
                    .ok_or_else(|| Error::invalid("offset must be a whole number from 0."))?;
            }
            "sort" => {
                let (name, descending) = match value.strip_prefix('-') {
                    Some(name) => (name, true),
                    None => (value.as_str(), false),
                };
                let found = SORTS.iter().find(|known| known.name == name);
                let found = found.ok_or_else(|| {
                    Error::invalid("sort must be name, creationDateTime or lastModifiedDateTime, with - in front for descending.")
                })?;
                sort = (found.column, descending);
            }
            other => {
                return Err(Error::Invalid(format!(
                    "{other:?} is no word of this address; there are limit, offset and sort."
                )));
            }
        }
    }
    Ok((limit, offset, sort))
}

fn links(
    request: &Request,
    page: &Page<MessageType>,
    data: Vec<CommunicationTemplate>,
    limit: u32,
    offset: u64,
) -> CommunicationTemplates {
    let path = request.path();
    let sort = request.query().iter().find(|(word, _)| word == "sort");
    let sort = sort.map_or_else(String::new, |(_, value)| format!("&sort={value}"));
    let at = |offset: u64| format!("{path}?limit={limit}&offset={offset}{sort}");
    let next = offset + u64::from(limit);
    CommunicationTemplates {
        count: page.total,
        data,
        next_url: (next < page.total).then(|| at(next)),
        previous_url: (offset > 0).then(|| at(offset.saturating_sub(u64::from(limit)))),
    }
}

fn wire(db: &Db, message_type: &MessageType) -> Result<CommunicationTemplate> {
    let mut cultures: Vec<Culture> = Vec::new();
    for template in templates::of_type(db, message_type.id)? {
        if template.format.channel() == Channel::Push {
            continue;
        }
        let at = cultures
            .iter()
            .position(|c| c.culture_code == template.language);
        let at = at.unwrap_or_else(|| {
            cultures.push(Culture {
                culture_code: template.language.clone(),
                sms: None,
                email: None,
            });
            cultures.len() - 1
        });
        fill(&mut cultures[at], template);
    }
    let (created, updated) = types::times(db, message_type.id)?;
    Ok(CommunicationTemplate {
        id: message_type.guid.to_string(),
        name: message_type.name.clone(),
        communication_template_cultures: cultures,
        creation_date_time: shown(created),
        last_modified_date_time: shown(updated),
    })
}

/// Templates come in the order of their formats: the HTML mail before the text mail, and the first one stays.
fn fill(culture: &mut Culture, template: StoredTemplate) {
    let StoredTemplate {
        format,
        subject,
        body,
        html_body,
        ..
    } = template;
    match format {
        Format::Sms => {
            culture.sms = Some(SmsContent {
                body: body.unwrap_or_default(),
            });
        }
        _ if culture.email.is_none() => {
            culture.email = Some(EmailContent {
                subject: subject.unwrap_or_default(),
                body: html_body.or(body).unwrap_or_default(),
            });
        }
        _ => {}
    }
}
