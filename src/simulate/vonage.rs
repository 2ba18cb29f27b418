//! Vonage's classic SMS API, as far as Herald uses it. (gateways.md, 3.2)

use super::book::Message;
use super::gateway::{LookAlike, Site, Verdict};
use super::http::{Request, Response};
use super::reports::Reports;
use crate::channel::http::Call;
use crate::channel::vonage::is_gsm;
use serde_json::{Value, json};

/// The API key it knows.
pub const KEY: &str = "abcd1234";

/// The key's secret.
pub const SECRET: &str = "s3cret/with+signs";

/// Its line in [`super::LOOK_ALIKES`].
pub const LOOK_ALIKE: LookAlike = LookAlike {
    name: "vonage",
    owns: |request| matches!(request.path(), "/sms/json" | "/account/get-balance"),
    answer,
    url: Some(url),
    file: None,
    reports: Some(Reports {
        course: &["buffered", "delivered"],
        calls,
    }),
};

fn url(Site { address, .. }: &Site) -> String {
    let secret: String = form_urlencoded::byte_serialize(SECRET.as_bytes()).collect();
    format!("vonage+http://{KEY}:{secret}@{address}?from=Acme")
}

/// A delivery receipt for each part, where the request named a `callback`.
fn calls(request: &Request, message: &Message, status: &str, code: Option<u32>) -> Vec<Call> {
    let Some(url) = request.field("callback") else {
        return Vec::new();
    };
    let receipt = |id: &str| {
        let receipt = json!({
            "msisdn": message.to.concat(), "to": message.from, "network-code": "24201", "messageId": id,
            "price": "0.03330000", "status": status, "scts": "2611221200", "api-key": KEY,
            "err-code": code.unwrap_or_default().to_string(), "client-ref": message.reference,
            "message-timestamp": "2026-11-22 12:00:00",
        });
        Call::json(url.clone(), &receipt)
    };
    message.id.split(' ').map(receipt).collect()
}

fn answer(request: &Request) -> Verdict {
    if request.line() == "GET /account/get-balance" {
        return match request.basic() == Some((KEY.to_owned(), SECRET.to_owned())) {
            true => Response::json(200, r#"{"value":10.28,"autoReload":false}"#.into()).into(),
            false => Response::json(
                401,
                r#"{"error-code":"401","error-code-label":"authentication failed"}"#.into(),
            )
            .into(),
        };
    }
    if request.line() != "POST /sms/json" {
        return Response::json(405, "{}".into()).into();
    }
    let field = |name| request.field(name).unwrap_or_default();
    for name in ["api_key", "api_secret", "from", "to", "text"] {
        if field(name).is_empty() {
            return refused("2", &format!("Missing {name} param"));
        }
    }
    if (field("api_key").as_str(), field("api_secret").as_str()) != (KEY, SECRET) {
        return refused("4", "Bad Credentials");
    }
    let to = field("to");
    if !(7..=15).contains(&to.len()) || !to.bytes().all(|b| b.is_ascii_digit()) {
        return refused("3", "Invalid value for param: to");
    }
    take(request, to, field("text"))
}

/// The most characters of a message, and of each part of a longer one.
const GSM_CHARS_MAX: (usize, usize) = (160, 153);
const UNICODE_CHARS_MAX: (usize, usize) = (70, 67);

fn take(request: &Request, to: String, text: String) -> Verdict {
    let is_unicode = request.field("type").as_deref() == Some("unicode");
    if !is_unicode && !is_gsm(&text) {
        // Vonage would send question marks.
        return refused("6", "The text is not in the GSM alphabet");
    }
    let (whole, part) = if is_unicode {
        UNICODE_CHARS_MAX
    } else {
        GSM_CHARS_MAX
    };
    let length = text.chars().count();
    let parts = if length <= whole {
        1
    } else {
        length.div_ceil(part)
    };
    let id = |_| uuid::Uuid::new_v4().simple().to_string()[..16].to_uppercase();
    let ids: Vec<String> = (0..parts).map(id).collect();
    let reference = request.field("client-ref");
    let messages = ids.iter().map(|id| {
        json!({
            "to": to, "message-id": id, "status": "0", "remaining-balance": "10.25", "message-price": "0.03330000",
            "network": "24201", "client-ref": reference,
        })
    });
    let response = listed(messages.collect());
    Verdict {
        response,
        taken: Some(Message {
            user: Some(KEY.into()),
            reference,
            id: ids.join(" "),
            from: request.field("from").unwrap_or_default(),
            to: vec![to],
            content: text.into_bytes(),
            ..Message::default()
        }),
    }
}

fn refused(status: &str, words: &str) -> Verdict {
    listed(vec![json!({ "status": status, "error-text": words })]).into()
}

/// Every answer is 200, whatever it says.
fn listed(messages: Vec<Value>) -> Response {
    let count = messages.len().to_string();
    let body = json!({ "message-count": count, "messages": messages });
    Response::json(200, body.to_string())
}
