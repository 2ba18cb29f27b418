//! Gotify's messages, as far as Herald uses them. (gateways.md, 3.5)

use super::book::Message;
use super::gateway::{LookAlike, Site, Verdict};
use super::http::{Request, Response};
use serde_json::{Value, json};

/// The token of the application it knows.
pub const TOKEN: &str = "A0rehearsal.tok";

/// The application's number.
const APPLICATION: u32 = 1;

/// Its line in [`super::LOOK_ALIKES`].
pub const LOOK_ALIKE: LookAlike = LookAlike {
    name: "gotify",
    owns: |request| request.path() == "/message",
    answer,
    url: Some(|Site { address, .. }| format!("gotify+http://{TOKEN}@{address}")),
    file: None,
    reports: None,
};

fn answer(request: &Request) -> Verdict {
    if request.header("x-gotify-key") != Some(TOKEN) {
        let words =
            "you need to provide a valid access token or user credentials to access this api";
        return error(401, "Unauthorized", words).into();
    }
    if request.method != "POST" {
        return error(404, "Not Found", "page not found").into();
    }
    let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    let field = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
    let message = field("message");
    if message.is_empty() {
        return error(400, "Bad Request", "Field 'message' is required").into();
    }
    let (id, _) = uuid::Uuid::new_v4().as_u64_pair();
    // As large as the numbers of a busy server.
    let id = id >> 40;
    let answer = json!({
        "id": id, "appid": APPLICATION, "message": message, "title": field("title"), "priority": 0,
        "extras": body["extras"], "date": "2026-11-22T12:00:00Z",
    });
    Verdict {
        response: Response::json(200, answer.to_string()),
        taken: Some(Message {
            reference: body["extras"]["herald::message"]["id"]
                .as_str()
                .map(str::to_owned),
            id: id.to_string(),
            from: field("title"),
            to: vec![format!("application {APPLICATION}")],
            content: message.into_bytes(),
            ..Message::default()
        }),
    }
}

fn error(status: u16, error: &str, description: &str) -> Response {
    let body = json!({ "error": error, "errorCode": status, "errorDescription": description });
    Response::json(status, body.to_string())
}
