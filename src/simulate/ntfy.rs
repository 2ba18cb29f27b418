//! ntfy's publishing, as far as Herald uses it. (gateways.md, 3.4)

use super::book::Message;
use super::gateway::{LookAlike, Site, Verdict};
use super::http::{Request, Response};
use crate::channel::ntfy::{MESSAGE_BYTES_MAX, TOPIC_CHARS_MAX};
use serde_json::{Value, json};

/// The access token it knows.
pub const TOKEN: &str = "tk_0rehearsal";

/// Whose token that is.
pub const USER: &str = "rehearsal";

/// Its line in [`super::LOOK_ALIKES`].
pub const LOOK_ALIKE: LookAlike = LookAlike {
    name: "ntfy",
    owns: |request| request.path() == "/" || request.path().starts_with("/v1/"),
    answer,
    url: Some(|Site { address, .. }| format!("ntfy+http://{TOKEN}@{address}")),
    file: None,
    reports: None,
};

fn answer(request: &Request) -> Verdict {
    if request.line() == "GET /v1/health" {
        return Response::json(200, r#"{"healthy":true}"#.into()).into();
    }
    if request.header("authorization") != Some(&format!("Bearer {TOKEN}")) {
        return error(401, 40101, "unauthorized").into();
    }
    match request.line().as_str() {
        "GET /v1/account" => {
            let account = json!({ "username": USER, "role": "user" });
            Response::json(200, account.to_string()).into()
        }
        "POST /" | "PUT /" => publish(request),
        _ => error(404, 40401, "page not found").into(),
    }
}

fn publish(request: &Request) -> Verdict {
    let Ok(body) = serde_json::from_slice::<Value>(&request.body) else {
        let words = "invalid request: request body must be message JSON";
        return error(400, 40017, words).into();
    };
    let field = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
    let (topic, message) = (field("topic"), field("message"));
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    if !(1..=TOPIC_CHARS_MAX).contains(&topic.len()) || !topic.bytes().all(is_plain) {
        return error(400, 40009, "invalid request: topic invalid").into();
    }
    if message.len() > MESSAGE_BYTES_MAX {
        return error(400, 40014, "invalid request: attachments not allowed").into();
    }
    let id = uuid::Uuid::new_v4().simple().to_string()[..12].to_owned();
    let answer = json!({
        "id": id, "time": 1_795_694_400, "expires": 1_795_737_600, "event": "message",
        "sequence_id": field("sequence_id"), "topic": topic, "title": field("title"), "message": message,
    });
    Verdict {
        response: Response::json(200, answer.to_string()),
        taken: Some(Message {
            user: Some(USER.into()),
            reference: body["sequence_id"].as_str().map(str::to_owned),
            id,
            from: field("title"),
            to: vec![topic],
            content: message.into_bytes(),
            ..Message::default()
        }),
    }
}

fn error(status: u16, code: u32, words: &str) -> Response {
    let body = json!({ "code": code, "http": status, "error": words });
    Response::json(status, body.to_string())
}
