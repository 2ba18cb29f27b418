//! A gateway of no name, for the provider that sends to any: it takes `to` and `text` as a form or as JSON.

use super::book::Message;
use super::gateway::{LookAlike, Site, Verdict};
use super::http::{Request, Response};
use serde_json::{Value, json};

/// The key that it wants in the header `X-Key`.
pub const KEY: &str = "rehearsal-key";

/// Its line in [`super::LOOK_ALIKES`].
pub const LOOK_ALIKE: LookAlike = LookAlike {
    name: "webhook",
    owns: |request| request.path().starts_with("/webhook"),
    answer,
    url: Some(|Site { address, .. }| {
        format!("webhook+http://{address}/webhook?id=id&header.X-Key={KEY}")
    }),
    file: None,
    reports: None,
};

fn answer(request: &Request) -> Verdict {
    if request.header("x-key") != Some(KEY) {
        return said(401, "Who are you?").into();
    }
    match request.method.as_str() {
        "OPTIONS" => Response {
            status: 204,
            headers: vec![("Allow".into(), "OPTIONS, POST, PUT".into())],
            body: Vec::new(),
        }
        .into(),
        "POST" | "PUT" => take(request),
        _ => said(405, "POST or PUT a message.").into(),
    }
}

fn take(request: &Request) -> Verdict {
    let json: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    let field = |name: &str| match json.is_object() {
        true => json[name].as_str().map(str::to_owned),
        false => request.field(name),
    };
    let (Some(to), Some(text)) = (field("to"), field("text")) else {
        return said(400, "A message has to and text.").into();
    };
    Verdict {
        response: said(202, "Taken"),
        taken: Some(Message {
            reference: field("id"),
            from: field("from").unwrap_or_default(),
            to: vec![to],
            content: text.into_bytes(),
            ..Message::default()
        }),
    }
}

fn said(status: u16, words: &str) -> Response {
    Response::json(status, json!({ "said": words }).to_string())
}
