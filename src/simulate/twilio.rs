//! Twilio's Messages API, as far as Herald uses it. (gateways.md, 3.1)

use super::book::Message;
use super::gateway::{LookAlike, Site, Verdict};
use super::http::{Request, Response};
use super::reports::Reports;
use crate::channel::http::Call;
use crate::channel::twilio::signature;

/// The account it knows.
pub const ACCOUNT: &str = "AC0123";

/// The account's token; its signs have to be percent-encoded in a provider URL.
pub const TOKEN: &str = "t0ken/with+signs";

/// Its line in [`super::LOOK_ALIKES`].
pub const LOOK_ALIKE: LookAlike = LookAlike {
    name: "twilio",
    owns: |request| request.path().starts_with("/2010-04-01/"),
    answer,
    url: Some(url),
    file: None,
    reports: Some(Reports {
        course: &["sent", "delivered"],
        calls: |request, message, status, code| {
            call(request, message, status, code).into_iter().collect()
        },
    }),
};

fn url(Site { address, .. }: &Site) -> String {
    let token: String = form_urlencoded::byte_serialize(TOKEN.as_bytes()).collect();
    format!("twilio+http://{ACCOUNT}:{token}@{address}?from=%2B15550001111")
}

/// A status callback, where the request named a `StatusCallback`.
fn call(request: &Request, message: &Message, status: &str, code: Option<u32>) -> Option<Call> {
    let url = request.field("StatusCallback")?;
    let mut fields = vec![
        ("AccountSid", ACCOUNT.to_owned()),
        ("From", message.from.clone()),
        ("MessageSid", message.id.clone()),
        ("MessageStatus", status.to_owned()),
        ("SmsSid", message.id.clone()),
        ("SmsStatus", status.to_owned()),
        ("To", message.to.concat()),
    ];
    fields.extend(code.map(|code| ("ErrorCode", code.to_string())));
    let signature = signature(TOKEN, &url, &fields).ok()?;
    Some(Call::form(url, &fields).header("X-Twilio-Signature", signature))
}

fn answer(request: &Request) -> Verdict {
    if request.basic() != Some((ACCOUNT.to_owned(), TOKEN.to_owned())) {
        return error(401, 20003, "Authenticate").into();
    }
    match request.line().as_str() {
        line if line == format!("GET /2010-04-01/Accounts/{ACCOUNT}.json") => {
            let account =
                format!(r#"{{"sid":"{ACCOUNT}","friendly_name":"Simulated","status":"active"}}"#);
            Response::json(200, account).into()
        }
        line if line == format!("POST /2010-04-01/Accounts/{ACCOUNT}/Messages.json") => {
            create(request)
        }
        _ => error(404, 20404, "Not found").into(),
    }
}

fn create(request: &Request) -> Verdict {
    let field = |name| request.field(name);
    let sender = match (field("From"), field("MessagingServiceSid")) {
        (Some(sender), None) | (None, Some(sender)) => sender,
        _ => {
            return error(
                400,
                21603,
                "One of From and MessagingServiceSid is required",
            )
            .into();
        }
    };
    let (Some(to), Some(body)) = (field("To"), field("Body")) else {
        return error(400, 21604, "To and Body are required").into();
    };
    let id = format!("SM{}", uuid::Uuid::new_v4().simple());
    let answer =
        format!(r#"{{"sid":"{id}","status":"queued","error_code":null,"error_message":null}}"#);
    Verdict {
        response: Response::json(201, answer),
        taken: Some(Message {
            user: Some(ACCOUNT.into()),
            id,
            from: sender,
            to: vec![to],
            content: body.into_bytes(),
            ..Message::default()
        }),
    }
}

fn error(status: u16, code: u32, message: &str) -> Response {
    let body = format!(r#"{{"code":{code},"message":"{message}","status":{status}}}"#);
    Response::json(status, body)
}
