//! Firebase Cloud Messaging with the token endpoint before it, as far as Herald uses them. (gateways.md, 3.3)

use super::book::Message;
use super::gateway::{LookAlike, Site, Verdict};
use super::http::{Request, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use ring::signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RsaKeyPair, UnparsedPublicKey};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::{Value, json};
use std::net::SocketAddr;

/// The project it has.
pub const PROJECT: &str = "rehearsal-1";

/// The token that its endpoint gives for the key.
pub const ACCESS_TOKEN: &str = "ya29.rehearsal";

/// How a registration token begins that is known no more.
pub const UNREGISTERED: &str = "unregistered";

/// How a registration token begins that belongs to another project.
pub const FOREIGN: &str = "foreign";

/// What an appliance has to be given.
const KEY_FILE: &str = "service-account.json";
const EMAIL: &str = "rehearsal@rehearsal-1.iam.gserviceaccount.com";
const KEY_ID: &str = "rehearsal-key";

/// Nobody but this look-alike trusts it.
const PRIVATE_KEY: &str = include_str!("fcm.pem");

/// Its line in [`super::LOOK_ALIKES`].
pub const LOOK_ALIKE: LookAlike = LookAlike {
    name: "fcm",
    owns: |request| request.path().starts_with("/v1/projects/"),
    answer,
    url: Some(url),
    file: Some(|address| (KEY_FILE, key_file(address))),
    reports: None,
};

/// The line of the token endpoint.
pub const TOKENS: LookAlike = LookAlike {
    name: "google",
    owns: |request| request.path() == "/token",
    answer: exchange,
    url: None,
    file: None,
    reports: None,
};

fn url(site: &Site) -> String {
    const SPECIAL: &AsciiSet = &CONTROLS.add(b' ').add(b'%').add(b'?').add(b'#').add(b'@');
    let path = site.files.join(KEY_FILE);
    let path = utf8_percent_encode(&path.to_string_lossy(), SPECIAL).to_string();
    format!("fcm+http://{}{path}", site.address)
}

/// As Google's console gives it.
fn key_file(address: SocketAddr) -> String {
    json!({
        "type": "service_account", "project_id": PROJECT, "private_key_id": KEY_ID, "private_key": PRIVATE_KEY,
        "client_email": EMAIL, "client_id": "1", "token_uri": format!("http://{address}/token"),
    })
    .to_string()
}

/// A token for an assertion that the key has signed. (RFC 7523, section 3)
fn exchange(request: &Request) -> Verdict {
    let refused = |error: &str, words: &str| {
        let body = json!({ "error": error, "error_description": words });
        Response::json(400, body.to_string()).into()
    };
    let grant = request.field("grant_type");
    if grant.as_deref() != Some("urn:ietf:params:oauth:grant-type:jwt-bearer") {
        return refused("unsupported_grant_type", "Invalid grant_type");
    }
    let assertion = request.field("assertion").unwrap_or_default();
    let Some(claims) = claims(&assertion) else {
        return refused("invalid_grant", "Invalid JWT Signature.");
    };
    let host = request.header("host").unwrap_or_default();
    let life = claims["exp"].as_i64().zip(claims["iat"].as_i64());
    if life.is_none_or(|(end, begin)| !(1..=3600).contains(&(end - begin))) {
        return refused(
            "invalid_grant",
            "Invalid JWT: it lives for an hour at most.",
        );
    }
    if claims["iss"] != EMAIL || claims["aud"] != format!("http://{host}/token") {
        return refused("invalid_grant", "Invalid JWT: wrong iss or aud.");
    }
    if claims["scope"] != "https://www.googleapis.com/auth/firebase.messaging" {
        return refused("invalid_scope", "Invalid OAuth scope.");
    }
    let token = json!({ "access_token": ACCESS_TOKEN, "expires_in": 3599, "token_type": "Bearer" });
    Response::json(200, token.to_string()).into()
}

/// The claims of a JWT that this key has signed.
fn claims(jwt: &str) -> Option<Value> {
    let (signed, signature) = jwt.rsplit_once('.')?;
    let (header, claims) = signed.split_once('.')?;
    let json = |part: &str| serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok();
    if json(header)? != json!({ "alg": "RS256", "typ": "JWT", "kid": KEY_ID }) {
        return None;
    }
    let key = PrivatePkcs8KeyDer::from_pem_slice(PRIVATE_KEY.as_bytes()).ok()?;
    let key = RsaKeyPair::from_pkcs8(key.secret_pkcs8_der()).ok()?;
    UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key.public_key())
        .verify(signed.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).ok()?)
        .ok()?;
    json(claims)
}

fn answer(request: &Request) -> Verdict {
    if request.header("authorization") != Some(&format!("Bearer {ACCESS_TOKEN}")) {
        let words = "Request had invalid authentication credentials.";
        return error(401, "UNAUTHENTICATED", words, None).into();
    }
    if request.line() != format!("POST /v1/projects/{PROJECT}/messages:send") {
        return error(404, "NOT_FOUND", "Requested entity was not found.", None).into();
    }
    let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    let message = &body["message"];
    let field = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let target = [&message["token"], &message["topic"]].map(field).concat();
    if target.is_empty() || target.contains(char::is_whitespace) {
        let words = "The registration token is not a valid FCM registration token";
        return error(400, "INVALID_ARGUMENT", words, Some("INVALID_ARGUMENT")).into();
    }
    if target.starts_with(UNREGISTERED) {
        let words = "Requested entity was not found.";
        return error(404, "NOT_FOUND", words, Some("UNREGISTERED")).into();
    }
    if target.starts_with(FOREIGN) {
        let words = "SenderId mismatch";
        return error(403, "PERMISSION_DENIED", words, Some("SENDER_ID_MISMATCH")).into();
    }
    let is_checked = body["validate_only"] == true;
    let id = match is_checked {
        true => "fake_message_id".to_owned(),
        false => uuid::Uuid::new_v4().simple().to_string(),
    };
    let name = json!({ "name": format!("projects/{PROJECT}/messages/{id}") });
    let notification = &message["notification"];
    Verdict {
        response: Response::json(200, name.to_string()),
        taken: (!is_checked).then(|| Message {
            reference: message["data"]["herald_id"].as_str().map(str::to_owned),
            id,
            from: field(&notification["title"]),
            to: vec![target],
            content: field(&notification["body"]).into_bytes(),
            ..Message::default()
        }),
    }
}

fn error(status: u16, word: &str, message: &str, code: Option<&str>) -> Response {
    let detail = code.map(|code| {
        json!({ "@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError", "errorCode": code })
    });
    let details: Vec<_> = detail.into_iter().collect();
    let error = json!({ "code": status, "message": message, "status": word, "details": details });
    Response::json(status, json!({ "error": error }).to_string())
}
