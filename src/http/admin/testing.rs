//! Testing a template. (Core - Messages, "Test message")

use crate::accept::test::{self, Test};
use crate::app::App;
use crate::domain::ids::TemplateId;
use crate::error::Result;
use crate::http::request::Request;
use crate::http::response::Response;
use crate::http::values;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

/// On whom to try a template.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct TestTemplate {
    /// An e-mail address, a mobile number, or for push a user name.
    #[schemars(required)]
    recipient: Option<String>,
    /// Values for the type's own words; the samples of the catalogue fill the rest.
    placeholders: Option<Map<String, Value>>,
}

/// Sends a template through the real channel and says whether it was accepted. (Core - Messages, "Test message")
pub fn test(app: &App, request: &Request) -> Result<Response> {
    let template = TemplateId(request.id("id")?);
    let TestTemplate {
        recipient,
        placeholders,
    } = request.json()?;
    let test = Test {
        template,
        recipient: recipient.unwrap_or_default(),
        values: values(placeholders),
        by: request.caller()?.name.clone(),
    };
    Ok(Response::data(test::test(app, &test)?))
}
