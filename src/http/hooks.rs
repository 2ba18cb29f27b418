//! Where providers report what became of a message they took. (gateways.md, "Callback"; delivery.md, "States")
//!
//! No caller signs in here: the address is a secret of its message, and the provider proves who it is in its own way.

use super::list::{Takes, Word};
use super::request::Request;
use super::response::Response;
use crate::app::App;
use crate::channel::{Callback, twilio, vonage};
use crate::domain::format::Channel;
use crate::error::{Error, Result};
use crate::providers;
use crate::store::reports;
use schemars::JsonSchema;
use serde::Deserialize;

/// What Twilio sends; there is more, and more may be added.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
#[expect(
    dead_code,
    reason = "it is read by the provider, which checks its signature first"
)]
pub struct TwilioReport {
    message_sid: String,
    /// Such as sent, delivered or undelivered.
    message_status: String,
    error_code: Option<String>,
}

/// Takes Twilio's word on a message.
/// (<https://www.twilio.com/docs/messaging/guides/outbound-message-status-in-status-callbacks>)
pub fn of_twilio(app: &App, request: &Request) -> Result<Response> {
    take(app, request, twilio::HOOK, "x-twilio-signature")
}

/// What Vonage sends; there is more, and more may be added.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[expect(dead_code, reason = "it is read by the provider")]
pub struct VonageReport {
    #[serde(rename = "messageId")]
    message_id: String,
    /// Such as delivered, expired or failed.
    status: String,
    err_code: Option<String>,
    api_key: Option<String>,
}

/// The words of its query, where the account wants its receipts so.
pub const VONAGE_QUERY: &[Word] = &[
    text(
        "messageId",
        "Vonage's id of the message, or of a part of it.",
    ),
    text("status", "Such as delivered, expired or failed."),
    text("err-code", "Why it has not arrived."),
    text("api-key", "The account."),
];

const fn text(name: &'static str, meaning: &'static str) -> Word {
    Word {
        name,
        meaning,
        takes: Takes::Text,
    }
}

/// Takes Vonage's word on a message, as JSON, a form or a query. It does not sign; the address is a secret of the message.
/// (<https://developer.vonage.com/en/messaging/sms/guides/delivery-receipts>)
pub fn of_vonage(app: &App, request: &Request) -> Result<Response> {
    take(app, request, vonage::HOOK, "")
}

fn take(app: &App, request: &Request, service: &str, signature: &str) -> Result<Response> {
    let unknown = || Error::not_found("No message has this address for reports.");
    let hooks = app.hooks.as_ref().ok_or_else(unknown)?;
    let message = hooks
        .message(service, &request.param("token")?)
        .ok_or_else(unknown)?;
    let callback = Callback {
        service,
        url: &hooks.address(service, message),
        signature: request.header(signature).unwrap_or_default(),
        query: request.query(),
        body: request.body(),
    };
    let report = providers::read_report(app, Channel::Sms, &callback).ok_or_else(|| {
        Error::Exceeding("No provider that is in use has signed this; behind a proxy, --base-url must be the public address.".into())
    })?;
    let now = app.clock.now();
    app.store
        .write(move |tx| reports::take(tx, message, &report, now))?;
    Ok(Response::empty(204))
}
