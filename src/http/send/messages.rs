//! `POST /communication/messages/{userId}/send`. (Send Message; api.md, section 3)

use crate::accept::{self, Choice, Commit, Custom, OnceKey, Order, What};
use crate::app::App;
use crate::domain::format::Channel;
use crate::domain::settings::MessageWord;
use crate::error::{Error, Result};
use crate::http::object::Object;
use crate::http::reply::Reply;
use crate::http::request::Request;
use crate::http::response::Response;
use crate::http::values;
use crate::store::{self, Db, idempotency};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};
use uuid::Uuid;

/// The longest `Idempotency-Key`, in characters. (api.md, section 3, rule 5)
const KEY_CHARS_MAX: usize = 255;

/// What to send, and how.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("examples" = [{ "deliveryMethod": "email", "messageBody": { "email": { "subject": "Hello", "body": "Your order is on its way." } } }]))]
pub struct SendMessage {
    /// A message type's Guid. Wins over `messageType`.
    communication_template_id: Option<String>,
    /// `sms`, `email` or `both`.
    #[schemars(required)]
    delivery_method: Option<String>,
    /// `welcome`, `logininfo` or `forgottenpassword`. Wins over `messageBody`.
    message_type: Option<String>,
    /// The caller's own text.
    #[schemars(with = "Option<MessageBody>")]
    message_body: Option<Object<MessageBody>>,
    /// Values for the type's own words (ours).
    placeholders: Option<Map<String, Value>>,
}

/// The caller's own text: data, never a template.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct MessageBody {
    /// HTML-encoded exactly once; line ends become `<br>`.
    #[schemars(with = "Option<EmailBody>")]
    email: Option<Object<EmailBody>>,
    /// Transliterated to ASCII.
    #[schemars(with = "Option<SmsBody>")]
    sms: Option<Object<SmsBody>>,
}

/// The text of a mail.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct EmailBody {
    /// Default: the application's name.
    subject: Option<String>,
    body: Option<String>,
}

/// The text of an SMS.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct SmsBody {
    body: Option<String>,
}

/// Sends a message to the user. (Send Message)
pub fn send(app: &App, db: &Db, request: &Request) -> Result<Reply<Result<Response>>> {
    let caller = request.caller()?;
    let once = once_key(db, request)?;
    let held = match &once {
        Some(once) => Some(
            app.hold_key(once.owner, &once.key)
                .ok_or_else(accept::still_running)?,
        ),
        None => None,
    };
    if let Some(answer) = kept_answer(db, once.as_ref(), app.clock.now())? {
        // What can be seen need not be on disk: a flush may have failed, or the process been killed before it. An empty
        // write is answered after the next flush.
        let store = app.store.clone();
        return Ok(Reply::later(move |finish| {
            store.write_then(
                |_| Ok(()),
                move |flushed| {
                    drop(held);
                    finish(flushed.map(|()| answer));
                },
            );
        }));
    }
    let wire: SendMessage = request.json()?;
    let channels = channels(wire.delivery_method.as_deref())?;
    let user_guid = request.guid("userId")?;
    let order = Order {
        user: store::users::get_by_guid(db, user_guid)?,
        what: what(db, wire, &channels)?,
        choice: Choice::Channels(channels),
        send_at: None,
        by: caller.name.clone(),
    };
    let prepared = accept::prepare(app, db, order)?.require_a_way()?;
    let commit = Commit::new(app, prepared, once);
    Ok(Reply::later(move |finish| {
        commit.then(move |accepted| {
            drop(held);
            finish(accepted.map(|accepted| {
                answer(
                    &accept::queued_guids(&accepted),
                    &accept::first_id(&accepted),
                )
            }));
        });
    }))
}

/// 202 without a body, an `X-Message-Id` per queued message, the first log entry as `Location`.
fn answer(guids: &str, first_id: &str) -> Response {
    let location = format!("/api/admin/v1/messages/logs/entries/{first_id}");
    guids
        .split(' ')
        .fold(Response::empty(202).location(location), |response, guid| {
            response.header("X-Message-Id", guid)
        })
}

fn channels(delivery_method: Option<&str>) -> Result<Vec<Channel>> {
    match delivery_method {
        Some("email") => Ok(vec![Channel::Email]),
        Some("sms") => Ok(vec![Channel::Sms]),
        Some("both") => Ok(vec![Channel::Email, Channel::Sms]),
        Some(_) => Err(Error::invalid("deliveryMethod must be sms, email or both.")),
        None => Err(Error::invalid(
            "deliveryMethod is missing; it must be sms, email or both.",
        )),
    }
}

/// The first of the three sources that is there; it does not fall through to the next. (api.md, section 3, rule 2)
fn what(db: &Db, wire: SendMessage, channels: &[Channel]) -> Result<What> {
    let values = values(wire.placeholders);
    if let Some(id) = wire.communication_template_id {
        let guid = Uuid::try_parse(&id)
            .map_err(|_| Error::invalid("communicationTemplateId must be a GUID."))?;
        let message_type = store::types::find_by_guid(db, guid)?.ok_or_else(|| {
            Error::NotFound(format!("No communication template has the id {guid}."))
        })?;
        return Ok(What::Typed(message_type, values));
    }
    if let Some(word) = wire.message_type {
        let word = MessageWord::parse(&word).ok_or_else(|| {
            Error::invalid("messageType must be welcome, logininfo or forgottenpassword.")
        })?;
        let behind = store::settings::load(db)?.type_behind(word);
        let message_type = store::types::get(db, behind)?;
        return Ok(What::Typed(message_type, values));
    }
    let Some(Object(body)) = wire.message_body else {
        return Err(Error::invalid(
            "One of communicationTemplateId, messageType and messageBody is needed.",
        ));
    };
    if !values.is_empty() {
        return Err(Error::invalid(
            "placeholders go with a communicationTemplateId or a messageType; messageBody is sent as it is.",
        ));
    }
    custom(body, channels).map(What::Custom)
}

fn custom(body: MessageBody, channels: &[Channel]) -> Result<Custom> {
    let filled = |text: Option<String>| text.filter(|t| !t.trim().is_empty());
    let (subject, email) = match body.email {
        Some(Object(EmailBody { subject, body })) => (filled(subject), filled(body)),
        None => (None, None),
    };
    let sms = body.sms.and_then(|Object(sms)| filled(sms.body));
    for (channel, part) in [(Channel::Email, &email), (Channel::Sms, &sms)] {
        if channels.contains(&channel) && part.is_none() {
            return Err(Error::Invalid(format!(
                "deliveryMethod asks for {channel}, so messageBody.{channel}.body is needed."
            )));
        }
    }
    Ok(Custom {
        subject,
        email,
        sms,
        ..Custom::default()
    })
}

/// The request's key, with a fingerprint of what it asks: the address and the body.
fn once_key(db: &Db, request: &Request) -> Result<Option<OnceKey>> {
    let Some(key) = request.header("idempotency-key") else {
        return Ok(None);
    };
    if !(1..=KEY_CHARS_MAX).contains(&key.chars().count()) {
        return Err(Error::Invalid(format!(
            "Idempotency-Key must be 1 to {KEY_CHARS_MAX} characters."
        )));
    }
    let user = request.param("userId")?.to_ascii_lowercase();
    let asked = [user.as_bytes(), &[0], request.body()].concat();
    Ok(Some(OnceKey {
        owner: request.caller()?.who.owner(),
        key: key.to_owned(),
        request_hash: idempotency::fingerprint(db, &asked)?,
    }))
}

fn kept_answer(db: &Db, once: Option<&OnceKey>, now: Timestamp) -> Result<Option<Response>> {
    let Some(once) = once else { return Ok(None) };
    let kept = idempotency::find(db, once.owner, &once.key, now)?;
    match kept {
        None => Ok(None),
        Some(kept) if kept.request_hash == once.request_hash => {
            Ok(Some(answer(&kept.guids, &kept.location)))
        }
        Some(_) => Err(Error::KeyReused(
            "This Idempotency-Key came before with another request.".into(),
        )),
    }
}
