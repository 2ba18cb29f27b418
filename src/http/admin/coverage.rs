//! Which template each recipient would get: by type, format and language. (Ours)
//!
//! The choice is the one of sending (`domain::routing`), made for a language instead of a user.

use crate::app::App;
use crate::domain::format::{Channel, Format};
use crate::domain::ids::TemplateId;
use crate::domain::language::{Language, LanguageReason};
use crate::domain::message_type::MessageType;
use crate::domain::routing::{self, Candidate, Want};
use crate::error::Result;
use crate::http::request::Request;
use crate::http::response::Response;
use crate::store::users::{self, Speakers};
use crate::store::{settings, templates, types};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use uuid::Uuid;

/// What each recipient would get.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct Coverage {
    /// Those that users speak, the most spoken first; then those that only templates have.
    languages: Vec<Spoken>,
    types: Vec<TypeCoverage>,
}

/// A language, and the users who speak it and are not disabled.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct Spoken {
    language: &'static str,
    #[serde(rename = "LCID")]
    lcid: u32,
    users: u64,
    with_email: u64,
    with_mobile: u64,
    with_device: u64,
}

/// A message type.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct TypeCoverage {
    r#type: i64,
    /// The send API's `communicationTemplateId`.
    guid: String,
    slug: String,
    name: String,
    /// What is sent when a format is asked for.
    formats: Vec<FormatCoverage>,
    /// What is sent when a channel is asked for: the best language first, then the richer format.
    channels: Vec<ChannelCoverage>,
}

/// A format of a type.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct FormatCoverage {
    message_format: i64,
    /// In the order of the languages.
    cells: Vec<Cell>,
}

/// A channel of a type.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct ChannelCoverage {
    channel: &'static str,
    /// In the order of the languages.
    cells: Vec<Cell>,
}

/// What the users of a language get.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct Cell {
    language: &'static str,
    found: Found,
    #[serde(rename = "TemplateID")]
    template_id: Option<i64>,
    /// Of that template, as the two that follow.
    guid: Option<String>,
    template_language: Option<&'static str>,
    message_format: Option<i64>,
    /// How many users have the address that it takes.
    users: u64,
}

/// Whether there is a template: in exactly the language, in one of the same primary language, in the default language of
/// the settings, in some other one, or not at all.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "named by the type's own sentence")]
pub enum Found {
    Exact,
    Primary,
    Default,
    Other,
    Nothing,
}

/// What every cell is made with.
struct Known {
    guids: HashMap<TemplateId, Uuid>,
    default: Language,
}

/// What each recipient would get.
pub fn get(app: &App, _request: &Request) -> Result<Response> {
    let (settings, mut speakers, types, guids) = app.store.read(|db| {
        let mut found = Vec::new();
        for message_type in types::all(db)? {
            let candidates = templates::candidates(db, message_type.id)?;
            found.push((message_type, candidates));
        }
        let (settings, speakers) = (settings::load(db)?, users::speakers(db)?);
        Ok((settings, speakers, found, templates::guids(db)?))
    })?;
    let spoken: BTreeSet<_> = speakers.iter().map(|s| s.language).collect();
    let written = types.iter().flat_map(|(_, candidates)| candidates.iter());
    let written: BTreeSet<_> = written.map(|candidate| candidate.language).collect();
    speakers.extend(written.difference(&spoken).map(|language| Speakers {
        language: *language,
        users: 0,
        with_email: 0,
        with_mobile: 0,
        with_device: 0,
    }));
    let known = Known {
        guids,
        default: settings.default_language,
    };
    let of_type = |(t, candidates): (MessageType, Arc<Vec<Candidate>>)| {
        coverage(t, &candidates, &speakers, &known)
    };
    Ok(Response::data(Coverage {
        types: types.into_iter().map(of_type).collect(),
        languages: speakers.iter().map(spoken_by).collect(),
    }))
}

fn spoken_by(speakers: &Speakers) -> Spoken {
    let Speakers {
        language,
        users,
        with_email,
        with_mobile,
        with_device,
    } = *speakers;
    Spoken {
        language: language.tag(),
        lcid: language.lcid(),
        users,
        with_email,
        with_mobile,
        with_device,
    }
}

fn coverage(
    message_type: MessageType,
    candidates: &[Candidate],
    speakers: &[Speakers],
    known: &Known,
) -> TypeCoverage {
    let cells = |want: Want| {
        let cell = |speakers: &Speakers| cell(want, candidates, speakers, known);
        speakers.iter().map(cell).collect()
    };
    let formats = Format::ALL.map(|format| FormatCoverage {
        message_format: format.number(),
        cells: cells(Want::Format(format)),
    });
    let channels = Channel::ALL.map(|channel| ChannelCoverage {
        channel: channel.word(),
        cells: cells(Want::Channel(channel)),
    });
    TypeCoverage {
        r#type: message_type.id.0,
        guid: message_type.guid.to_string(),
        slug: message_type.slug.as_str().to_owned(),
        name: message_type.name,
        formats: formats.into(),
        channels: channels.into(),
    }
}

fn cell(want: Want, candidates: &[Candidate], speakers: &Speakers, known: &Known) -> Cell {
    let best = routing::best(want, candidates, speakers.language, known.default);
    let (template, why) = best.unzip();
    Cell {
        language: speakers.language.tag(),
        found: match why {
            Some(LanguageReason::Exact) => Found::Exact,
            Some(LanguageReason::SamePrimary) => Found::Primary,
            Some(LanguageReason::Default) => Found::Default,
            Some(LanguageReason::LowestLcid) => Found::Other,
            None => Found::Nothing,
        },
        template_id: template.map(|t| t.id.0),
        guid: template
            .and_then(|t| known.guids.get(&t.id))
            .map(Uuid::to_string),
        template_language: template.map(|t| t.language.tag()),
        message_format: template.map(|t| t.format.number()),
        users: match want.channel() {
            Channel::Email => speakers.with_email,
            Channel::Sms => speakers.with_mobile,
            Channel::Push => speakers.with_device,
        },
    }
}
