//! Where providers report what became of a message they took. (gateways.md, "Callback"; delivery.md, "States")
//!
//! No caller signs in here: the address is a secret of its message, and the provider proves who it is in its own way.

use super::request::Request;
use super::response::Response;
use crate::app::App;
use crate::channel::Callback;
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
pub fn twilio(app: &App, request: &Request) -> Result<Response> {
    take(app, request, "twilio", "x-twilio-signature")
}

fn take(app: &App, request: &Request, service: &str, signature: &str) -> Result<Response> {
    let unknown = || Error::not_found("No message has this address for reports.");
    let hooks = app.hooks.as_ref().ok_or_else(unknown)?;
    let message = hooks
        .message(service, &request.param("token")?)
        .ok_or_else(unknown)?;
    let callback = Callback {
        url: &hooks.address(service, message),
        signature: request.header(signature).unwrap_or_default(),
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
