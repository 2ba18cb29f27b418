//! What the name of a field says of its value. A name means the same wherever it stands in an API, so that it is described
//! here once instead of in every wire struct; `#[schemars(…)]` beside a field says what is true of that one only.

use crate::clients::LABEL_CHARS_MAX as CLIENT_LABEL_CHARS_MAX;
use crate::domain::device::{LABEL_CHARS_MAX, TOKEN_BYTES_MAX};
use crate::domain::format::{Channel, Format};
use crate::domain::message::Status;
use crate::domain::message_type::{
    EXPIRY_SECS_MAX, NAME_CHARS_MAX as TYPE_NAME_CHARS_MAX, SLUG_BYTES_MAX, WORD_BYTES_MAX,
    WORD_TEXT_CHARS_MAX, WORDS_MAX,
};
use crate::domain::settings::{APP_NAME_CHARS_MAX, APP_URL_BYTES_MAX, LINK_SECRET_BYTES_MAX};
use crate::domain::template::{SOURCE_BYTES_MAX, SUBJECT_CHARS_MAX};
use crate::domain::user::{NAME_CHARS_MAX, USER_NAME_CHARS_MAX};
use crate::http::send::notifications::{MESSAGE_CHARS_MAX, NOTIFICATIONS_MAX, TITLE_CHARS_MAX};
use crate::store::pause::REASON_CHARS_MAX;
use serde_json::{Value, json};

/// The longest text of a field of a struct, and how it looks. Bytes and characters are the same bound for a reader of the
/// document: no text of more characters has fewer bytes.
const TEXTS: &[(&str, &str, usize, &str)] = &[
    ("SaveUser", "UserName", USER_NAME_CHARS_MAX, "anna"),
    ("SaveUser", "Name", NAME_CHARS_MAX, "Anna Berg"),
    ("SaveDevice", "Label", LABEL_CHARS_MAX, "Anna's telephone"),
    ("SaveDevice", "Token", TOKEN_BYTES_MAX, "3f1c0b2e"),
    ("SaveType", "Slug", SLUG_BYTES_MAX, "order-shipped"),
    ("SaveType", "Name", TYPE_NAME_CHARS_MAX, "Order shipped"),
    ("SaveWord", "Name", WORD_BYTES_MAX, "orderNumber"),
    (
        "SaveWord",
        "Meaning",
        WORD_TEXT_CHARS_MAX,
        "The number of the order",
    ),
    ("SaveWord", "Sample", WORD_TEXT_CHARS_MAX, "4711"),
    (
        "SaveTemplate",
        "Subject",
        SUBJECT_CHARS_MAX,
        "Your order is on its way",
    ),
    (
        "SaveTemplate",
        "Body",
        SOURCE_BYTES_MAX,
        "Dear {{ user.name }}, your order is on its way.",
    ),
    (
        "SaveTemplate",
        "HTMLBody",
        SOURCE_BYTES_MAX,
        "<p>Dear {{ user.name }}, your order is on its way.</p>",
    ),
    (
        "Preview",
        "HTMLBody",
        SOURCE_BYTES_MAX,
        "<p>Dear {{ user.name }}, your order is on its way.</p>",
    ),
    (
        "Preview",
        "Subject",
        SUBJECT_CHARS_MAX,
        "Your order is on its way",
    ),
    (
        "Preview",
        "Body",
        SOURCE_BYTES_MAX,
        "Dear {{ user.name }}, your order is on its way.",
    ),
    ("SaveSettings", "AppName", APP_NAME_CHARS_MAX, "Shop"),
    (
        "SaveSettings",
        "AppUrl",
        APP_URL_BYTES_MAX,
        "https://shop.example.com",
    ),
    (
        "SaveSettings",
        "LinkSecret",
        LINK_SECRET_BYTES_MAX,
        "0123456789abcdef0123456789abcdef",
    ),
    (
        "PauseOutbox",
        "Reason",
        REASON_CHARS_MAX,
        "The mail server is being moved.",
    ),
    ("CreateClient", "Label", CLIENT_LABEL_CHARS_MAX, "Shop"),
    ("Notification", "title", TITLE_CHARS_MAX, "Closed on Friday"),
    (
        "Notification",
        "message",
        MESSAGE_CHARS_MAX,
        "The shop is closed on Friday.",
    ),
];

/// Describes the properties of a struct's schema, and of the schemas inside it.
pub(super) fn describe(owner: &str, schema: &mut Value) {
    bound(schema);
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        for (name, property) in properties {
            add(property, &of_text(owner, name));
            add(property, &of_name(owner, name));
            describe(owner, property);
        }
    }
    if let Some(items) = schema.get_mut("items") {
        describe(owner, items);
    }
}

/// No number of either API is below zero, and the largest is JSON's business to know.
fn bound(schema: &mut Value) {
    if schema["format"] == "int64" || schema["format"] == "uint64" {
        add(schema, &json!({ "minimum": 0, "maximum": i64::MAX }));
    }
}

/// Adds facts that the schema does not have yet. A closed list of values of a nullable field holds null too.
fn add(schema: &mut Value, facts: &Value) {
    let nullable = schema["type"]
        .as_array()
        .is_some_and(|kinds| kinds.contains(&json!("null")));
    let Some(schema) = schema.as_object_mut() else {
        return;
    };
    for (word, fact) in facts.as_object().into_iter().flatten() {
        let mut fact = fact.clone();
        if let (true, "enum", Some(members)) = (nullable, word.as_str(), fact.as_array_mut()) {
            members.push(Value::Null);
        }
        schema.entry(word.clone()).or_insert(fact);
    }
}

fn of_text(owner: &str, name: &str) -> Value {
    let found = TEXTS.iter().find(|(o, n, ..)| (*o, *n) == (owner, name));
    found.map_or_else(
        || json!({}),
        |(_, _, max, example)| json!({ "maxLength": max, "examples": [example] }),
    )
}

fn of_name(owner: &str, name: &str) -> Value {
    match name {
        "Guid" | "TypeGuid" | "guid" | "userId" | "channelId" | "communicationTemplateId" => guid(),
        // A preview looks at the template as posted, whatever its id.
        "ID" if owner == "Preview" => json!({ "minimum": i64::MIN }),
        "id" if owner == "CommunicationTemplate" => guid(),
        "creationDateTime"
        | "lastModifiedDateTime"
        | "sendAt"
        | "SendAt"
        | "CreatedDate"
        | "LastUpdated"
        | "LastSendingAttempt"
        | "Started"
        | "Since"
        | "OldestDue"
        | "Oldest"
        | "Newest"
        | "Before"
        | "DueDate"
        | "ExpiryDate"
        | "LastUsedDate" => json!({ "format": "date-time" }),
        "Language" | "DefaultLanguage" | "cultureCode" => json!({
            "pattern": "^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$",
            "examples": ["en-GB"],
        }),
        "LCID" => json!({ "examples": [2057] }),
        "Email" => json!({ "examples": ["anna@example.com"] }),
        "Mobile" => json!({ "examples": ["+4712345678"] }),
        "Sender" | "DefaultSender" => json!({ "examples": ["Shop <shop@example.com>"] }),
        "Recipient" => json!({ "examples": ["anna@example.com"] }),
        "Url" => json!({ "examples": ["capture:"] }),
        "LoginUrl" => json!({ "examples": ["{{ app.url }}/login?token={{ token }}"] }),
        "ResetUrl" => json!({ "examples": ["{{ app.url }}/reset?token={{ token }}"] }),
        "scope" => json!({ "examples": ["relesys.api.users:write"] }),
        "Scopes" => json!({ "minItems": 1, "examples": [["relesys.api.users:write"]] }),
        "notifications" => json!({ "minItems": 1, "maxItems": NOTIFICATIONS_MAX }),
        "Placeholders" if owner == "WireType" => json!({}),
        "Placeholders" if owner == "SaveType" => json!({ "maxItems": WORDS_MAX + 10 }),
        "Placeholders" | "placeholders" | "Attributes" => json!({ "examples": [{}] }),
        "ExpirySeconds" => json!({ "minimum": 1, "maximum": EXPIRY_SECS_MAX, "examples": [86400] }),
        _ => of_word(owner, name),
    }
}

/// Fields whose values are a closed list of numbers or words.
fn of_word(owner: &str, name: &str) -> Value {
    let formats = Format::ALL.map(Format::number);
    match name {
        "Format" | "MessageFormat" if owner != "Enumerations" => {
            json!({ "enum": formats, "description": "A MessageFormat." })
        }
        "Formats" if owner != "TypeCoverage" => json!({
            "items": { "type": "integer", "enum": formats },
            "minItems": 1,
            "uniqueItems": true,
            "examples": [[0]],
        }),
        "Status" => json!({ "enum": Status::ALL.map(Status::word) }),
        "DefaultFormats" => {
            let words = Channel::ALL.map(Channel::word);
            json!({ "items": { "type": "string", "enum": words }, "minItems": 1, "examples": [["email"]] })
        }
        "Class" => {
            json!({ "enum": ["provider", "configuration", "temporary", "permanent", "in_doubt", "unregistered"] })
        }
        "Channel" if owner == "WireQueue" => json!({ "enum": Channel::ALL.map(Channel::word) }),
        "Encoding" => json!({ "enum": ["GSM-7", "UCS-2"] }),
        "deliveryMethod" => json!({ "enum": ["email", "sms", "both"] }),
        "messageType" => json!({ "enum": ["welcome", "logininfo", "forgottenpassword"] }),
        "grant_type" => json!({ "enum": ["client_credentials"] }),
        "token_type" => json!({ "enum": ["Bearer"] }),
        _ => json!({}),
    }
}

fn guid() -> Value {
    json!({ "format": "uuid", "examples": ["8c5f7a6e-6f0b-4a7a-9a55-1d0c3a7f2b10"] })
}
