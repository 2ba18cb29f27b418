//! The whole way of each kind of message, compared whole: the mails, the SMS, the log.

use super::{ACCOUNT, Site, USERS, entries, guid_of, send_path, until_sent};
use crate::support::app::Caller;
use crate::support::binary::Running;
use crate::support::holes::{expect_case, holed};
use crate::support::outside::{gateway, sms_url};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use herald::simulate::book::Message;
use herald::simulate::gateway::Gateway;
use herald::simulate::twilio::{ACCOUNT as SID, TOKEN};
use mailparse::{MailHeaderMap as _, ParsedMail};
use serde_json::{Value, json};
use std::fmt::Write as _;

const TEMPLATES: &str = "/api/admin/v1/messages/templates";

/// What the application asks for, and how many messages it makes.
fn orders(type_guid: &str) -> Vec<(Value, usize)> {
    vec![
        (
            json!({ "deliveryMethod": "both", "communicationTemplateId": type_guid,
            "placeholders": { "title": "Kantina <åpner> igjen", "text": "Suppe & brød\nfra mandag. 🎉" } }),
            2,
        ),
        (
            json!({ "deliveryMethod": "both", "messageType": "welcome" }),
            2,
        ),
        (
            json!({ "deliveryMethod": "email", "messageType": "logininfo" }),
            1,
        ),
        (
            json!({ "deliveryMethod": "sms", "messageType": "forgottenpassword" }),
            1,
        ),
        (
            json!({ "deliveryMethod": "email", "messageType": "forgottenpassword" }),
            1,
        ),
        (
            json!({ "deliveryMethod": "both", "messageBody": {
            "email": { "subject": "{{ user.name }} – no template", "body": ".\n<b>1 & 2</b>\n" },
            "sms": { "body": "{{ user.name }}: é “5 €”…" } } }),
            2,
        ),
        (
            json!({ "deliveryMethod": "email", "messageBody": { "email": { "body": "Without a subject" } } }),
            1,
        ),
    ]
}

/// A template in the user's own language, posted over the admin API.
fn norwegian_templates(api: &Caller) {
    let mail = json!({
        "Type": 0, "Format": 0, "Language": "nb-no", "Sender": "Kantina på hjørnet <kantine@example.com>",
        "Subject": "{{ title or app.name }}",
        "Body": "Hei {{ user.name }}!\n\n{{ text }}\n",
        "HTMLBody": "<p>Hei <b>{{ user.name }}</b>!</p>\n{% if title %}<h1>{{ title }}</h1>\n{% endif %}<p>{{ text }}</p>\n",
    });
    let sms = json!({ "Type": 0, "Format": 2, "Language": "nb-NO", "Body": "{{ user.userName }}: {{ text }}" });
    for template in [mail, sms] {
        api.post(TEMPLATES, &template.to_string())
            .expect(200, r#"{"Result":"OK"}"#);
    }
}

fn token(server: &Running, client: &Value) -> String {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("grant_type", "client_credentials")
        .append_pair("scope", "relesys.api");
    for name in ["client_id", "client_secret"] {
        form.append_pair(name, client[name].as_str().unwrap());
    }
    let headers = [
        ("authorization", ""),
        ("content-type", "application/x-www-form-urlencoded"),
    ];
    let reply = server.caller("").call(
        "POST",
        "/login/oauth/authorize",
        &headers,
        form.finish().as_bytes(),
    );
    let shape = r#"{"access_token":"<token>","expires_in":"3600","token_type":"Bearer"}"#;
    assert_eq!((reply.status, holed(&reply.body).as_str()), (200, shape));
    reply.json()["access_token"].as_str().unwrap().to_owned()
}

#[test]
fn every_kind_of_message_arrives_whole_and_the_log_says_so() {
    let site = Site::new("&connections=1");
    let gateway = gateway();
    let client = site.client();
    let (email, sms) = (site.email_url(), sms_url(&gateway));
    let authority = site.path("authority.pem");
    let env = [
        ("SSL_CERT_FILE", authority.as_str()),
        ("HERALD_EMAIL", &email),
        ("HERALD_SMS", &sms),
    ];
    let words = ["--base-url", "http://app.example", "--log-level", "trace"];
    let server = Running::serve(&site.data_dir(), &words, &env);

    let token = token(&server, &client);
    let api = server.caller(&token);
    let user = json!({ "UserName": "bo", "Name": "Bø \"Bo\" Berg", "Email": "bo@example.net", "Mobile": "+4790000001", "Language": "nb-NO" });
    let user = api.post(USERS, &user.to_string());
    assert_eq!(
        holed(&user.body),
        r#"{"Result":"OK","Data":{"ID":1,"Guid":"<guid>"}}"#
    );
    let user_guid = user.json()["Data"]["Guid"].as_str().unwrap().to_owned();
    norwegian_templates(&api);
    let type_guid = api.get("/api/admin/v1/messages/types/0").json()["Data"]["Guid"]
        .as_str()
        .unwrap()
        .to_owned();

    let mut made = Vec::new();
    for (order, count) in orders(&type_guid) {
        let reply = api.post(&send_path(&user_guid), &order.to_string());
        reply.expect(202, "");
        let location = format!("/api/admin/v1/messages/logs/entries/{}", made.len() + 1);
        assert_eq!(reply.header("location"), location, "{order}");
        let guids: Vec<_> = reply
            .headers
            .iter()
            .filter(|(name, _)| name == "x-message-id")
            .collect();
        assert_eq!(guids.len(), count, "{order}");
        made.extend(guids.into_iter().map(|(_, guid)| guid.clone()));
        // One after the other, so that the mails stand in the order of the orders.
        until_sent(&api, made.len());
    }

    let mails = site.smtp.received();
    let log = entries(&api);
    assert_eq!(
        log.iter()
            .map(|e| e["Guid"].as_str().unwrap())
            .collect::<Vec<_>>(),
        made
    );
    for mail in &mails {
        assert!(
            made.contains(&guid_of(&mail.content)),
            "a mail carries the GUID of its message"
        );
    }
    expect_case(
        "journey/mails.txt",
        &mails.iter().map(mail_text).collect::<String>(),
    );
    expect_case("journey/sms.txt", &sms_text(&gateway));
    let whole_log = serde_json::to_string_pretty(&log).unwrap();
    expect_case("journey/entries.json", &holed(&whole_log));
    let list = api.get("/api/admin/v1/messages/logs/1").json();
    expect_case(
        "journey/log.json",
        &holed(&serde_json::to_string_pretty(&list).unwrap()),
    );
    expect_link_for(&user_guid, &mails);

    let said = server.stop();
    assert_eq!((said.code, said.out.as_str()), (Some(0), ""));
    expect_no_secret(
        &said.err,
        &[
            &token,
            &site.key,
            client["key"].as_str().unwrap(),
            client["client_secret"].as_str().unwrap(),
        ],
    );
    let session = ["EHLO app.example", "STARTTLS", "EHLO app.example"];
    let begun: Vec<_> = site
        .smtp
        .commands()
        .iter()
        .map(|lines| lines[1].clone())
        .collect();
    assert!(
        begun.iter().all(|line| line == session[1]),
        "STARTTLS came first: {begun:?}"
    );
}

/// Envelope, headers as a list, parts with their decoded bodies.
fn mail_text(mail: &Message) -> String {
    let Message {
        encrypted,
        user,
        from,
        to,
        content,
        ..
    } = mail;
    let user = user.as_deref();
    let mut text =
        format!("=== envelope from {from} to {to:?}, encrypted {encrypted}, signed in {user:?}\n");
    part_text(&mailparse::parse_mail(content).unwrap(), &mut text);
    text
}

fn part_text(part: &ParsedMail<'_>, text: &mut String) {
    for header in &part.headers {
        let value = match header.get_key().as_str() {
            "Date" => date(&header.get_value()),
            "Content-Type" if !part.subparts.is_empty() => part.ctype.mimetype.clone(),
            _ => holed(&header.get_value()),
        };
        writeln!(text, "{}: {value}", header.get_key()).unwrap();
    }
    if part.subparts.is_empty() {
        let body = part.get_body().unwrap();
        writeln!(text, "\n{}", holed(&body.replace("\r\n", "\n"))).unwrap();
    }
    for part in &part.subparts {
        text.push_str("--- part\n");
        part_text(part, text);
    }
}

/// A date of RFC 5322, of now and in UTC.
fn date(text: &str) -> String {
    let seconds = mailparse::dateparse(text).unwrap();
    let now = jiff::Timestamp::now().as_second();
    assert!(
        (now - 60..=now).contains(&seconds) && text.ends_with(" +0000"),
        "{text}"
    );
    "<date>".into()
}

fn sms_text(gateway: &Gateway) -> String {
    let mut text = String::new();
    for asked in gateway.asked() {
        writeln!(text, "=== {}", asked.line()).unwrap();
        for (name, value) in &asked.headers {
            let value = match name.as_str() {
                "content-length" => "<number>".into(),
                "authorization" => value.replace(
                    &STANDARD.encode(format!("{SID}:{TOKEN}")),
                    "<account and token>",
                ),
                _ => holed(value),
            };
            writeln!(text, "{name}: {value}").unwrap();
        }
        for (name, value) in asked.form() {
            writeln!(text, "  {name} = {}", holed(&value)).unwrap();
        }
    }
    text
}

/// The token in the sign-in link says for whom it is, for what and for how long.
fn expect_link_for(user: &str, mails: &[Message]) {
    let is_login = |mail: &&Message| {
        let parsed = mailparse::parse_mail(&mail.content).unwrap();
        parsed.headers.get_first_value("Subject").unwrap() == "Your sign-in link for Herald"
    };
    let mail = mails.iter().find(is_login).unwrap();
    let text = mailparse::parse_mail(&mail.content).unwrap().subparts[0]
        .get_body()
        .unwrap();
    let token = text
        .split("&token=")
        .nth(1)
        .unwrap()
        .lines()
        .next()
        .unwrap();
    let claims = URL_SAFE_NO_PAD
        .decode(token.split('.').nth(1).unwrap())
        .unwrap();
    let claims: Value = serde_json::from_slice(&claims).unwrap();
    let issued = claims["iat"].as_i64().unwrap();
    let wished = json!({ "sub": user, "purpose": "logininfo", "jti": claims["jti"], "iat": issued, "exp": issued + 3600 });
    assert_eq!(claims, wished);
}

fn expect_no_secret(log: &str, given: &[&str]) {
    let proof = STANDARD.encode(format!("\0{}\0{}", ACCOUNT.0, ACCOUNT.1));
    let basic = STANDARD.encode(format!("{SID}:{TOKEN}"));
    let fixed = [
        ACCOUNT.1,
        "p%40ss%20w0rd",
        &proof,
        TOKEN,
        "t0ken",
        &basic,
        "eyJ",
        "hrld",
    ];
    assert!(
        log.contains("accepted by smtp://anna:***@localhost:"),
        "{log}"
    );
    for secret in fixed.iter().chain(given) {
        assert!(!log.contains(secret), "the log holds {secret}:\n{log}");
    }
}
