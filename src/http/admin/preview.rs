//! What a template becomes, without storing or sending anything. (api.md, POST `/v1/messages/templates/preview`)

use super::templates::{SaveTemplate, draft};
use crate::accept;
use crate::app::App;
use crate::domain::format::Format;
use crate::domain::ids::{TypeId, UserId};
use crate::domain::message_type::MessageType;
use crate::domain::segments::{Measure, SEGMENTS_MAX, measure};
use crate::domain::template::Template;
use crate::error::{Error, Result};
use crate::http::request::Request;
use crate::http::response::Response;
use crate::http::values;
use crate::render::{self, Parts, Rendered};
use crate::store::{templates, types, users};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A template as for saving, and for whom to show it.
#[derive(JsonSchema)]
#[expect(
    dead_code,
    reason = "It describes the body for OpenAPI; a flattened struct loses the names of wrong fields."
)]
pub struct Preview {
    #[serde(flatten)]
    template: SaveTemplate,
    #[serde(flatten)]
    with: PreviewWith,
}

/// For whom to show a template.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct PreviewWith {
    /// Whose values to use; none: the samples of the placeholder catalogue.
    user_id: Option<i64>,
    /// Values for the type's own words; the samples fill the rest.
    placeholders: Option<Map<String, Value>>,
}

/// What the recipient would see.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct Previewed {
    subject: Option<String>,
    body: String,
    #[serde(rename = "HTMLBody")]
    html_body: Option<String>,
    /// SMS only: messages that are paid for.
    segments: Option<usize>,
    /// SMS only: `GSM-7` or `UCS-2`.
    encoding: Option<&'static str>,
    /// SMS only: septets or 16-bit units.
    units: Option<usize>,
    /// SMS only: the characters that force UCS-2.
    offending: Option<String>,
    warnings: Vec<String>,
}

/// Renders a template, saved or not.
pub fn preview(app: &App, request: &Request) -> Result<Response> {
    let draft = draft(request.json()?)?;
    let PreviewWith {
        user_id,
        placeholders,
    } = request.json()?;
    let (message_type, user, candidates) = app.store.read(|db| {
        let message_type = types::find(db, TypeId(draft.type_id))?;
        let user = user_id.map(|id| users::get(db, UserId(id))).transpose()?;
        let candidates = templates::candidates(db, TypeId(draft.type_id))?;
        Ok((message_type, user, candidates))
    })?;
    let template = draft.check(message_type.as_deref(), render::inspect)?;
    let message_type =
        message_type.ok_or_else(|| Error::internal("a checked template without its type"))?;
    let values = accept::sample_values(app, &message_type, user.as_ref(), values(placeholders))?;
    let rendered = render::render(&Parts::from(&template), &values)?;
    let is_covered = user.is_none_or(|user| {
        let language = user.profile.language;
        let same = |c: &crate::domain::routing::Candidate| {
            c.format == template.format() && c.language == language
        };
        template.language() == language || candidates.iter().any(same)
    });
    Ok(Response::data(previewed(
        &message_type,
        &template,
        rendered,
        is_covered,
    )))
}

fn previewed(
    message_type: &MessageType,
    template: &Template,
    rendered: Rendered,
    is_covered: bool,
) -> Previewed {
    let measured = (template.format() == Format::Sms).then(|| measure(&rendered.body));
    let mut warnings = Vec::new();
    if !is_covered {
        warnings.push(format!(
            "{} has no {} template in the user's language; this one in {} would be a fallback.",
            message_type.name,
            template.format().name(),
            template.language().tag()
        ));
    }
    if template.format() == Format::CombinedEmail && template.body().is_none() {
        warnings
            .push("The text part is made from the HTML; write a Body to choose its words.".into());
    }
    if let Some(Measure { segments, .. }) = &measured
        && *segments > SEGMENTS_MAX
    {
        warnings.push(format!(
            "{segments} segments are more than the {SEGMENTS_MAX} that arrive everywhere."
        ));
    }
    let Rendered {
        subject,
        body,
        html_body,
    } = rendered;
    Previewed {
        subject,
        body,
        html_body,
        segments: measured.as_ref().map(|m| m.segments),
        encoding: measured.as_ref().map(|m| m.encoding.word()),
        units: measured.as_ref().map(|m| m.units),
        offending: measured.map(|m| m.offending.into_iter().collect()),
        warnings,
    }
}
