//! Delivery receipts of Vonage: in any of its forms, and of a message that went out in parts. (gateways.md, 3.2)

use super::{PUBLIC, taken};
use crate::support::app::{Reply, TestApp};
use crate::support::outside::{gateway, url_of};
use herald::domain::format::Channel;
use herald::simulate::gateway::Gateway;
use herald::simulate::vonage::KEY;
use serde_json::{Value, json};

/// An appliance that has sent one message through Vonage, whose receipts the test brings itself.
struct Site {
    gateway: Gateway,
    app: TestApp,
}

impl Site {
    /// With a text of so many characters.
    fn sent(length: usize) -> Self {
        let gateway = gateway();
        let lost = "http.report = lost".parse().unwrap();
        gateway.orders().add(vec![lost]).unwrap();
        let app = TestApp::start_with(|mut config| {
            PUBLIC.clone_into(&mut config.base_url);
            config.with_providers(Channel::Sms, vec![url_of(&gateway, "vonage")])
        });
        let anna = r#"{"UserName":"anna","Mobile":"+4712345678"}"#;
        let guid = app.post("/api/admin/v1/users", anna).json()["Data"]["Guid"].take();
        let guid = guid.as_str().unwrap();
        let path = format!("/api/v1.3/communication/messages/{guid}/send");
        let order = json!({ "deliveryMethod": "sms", "messageBody": { "sms": { "body": "x".repeat(length) } } });
        assert_eq!(app.post(&path, &order.to_string()).status, 202);
        app.settled();
        Self { gateway, app }
    }

    fn ids(&self) -> Vec<String> {
        let ids = self.gateway.messages()[0].id.clone();
        ids.split(' ').map(str::to_owned).collect()
    }

    /// The path for receipts.
    fn path(&self) -> String {
        let address = self.gateway.asked()[0].field("callback").unwrap();
        address.strip_prefix(PUBLIC).unwrap().to_owned()
    }

    fn call(&self, method: &str, path: &str, media_type: &str, body: &str) -> Reply {
        let headers = [("authorization", ""), ("content-type", media_type)];
        self.app.call(method, path, &headers, body.as_bytes())
    }

    /// A receipt for this part, as JSON.
    fn report(&self, part: usize, status: &str) -> Reply {
        let body = json!({ "messageId": self.ids()[part], "status": status, "err-code": "0", "api-key": KEY });
        self.call("POST", &self.path(), "application/json", &body.to_string())
    }

    /// Status, and what was reported.
    fn state(&self) -> (String, Value) {
        let entry = self.app.get("/api/admin/v1/messages/logs/entries/1").json()["Data"].take();
        let status = entry["Status"].as_str().unwrap().to_owned();
        (status, entry["History"][0]["Report"].clone())
    }
}

fn state(status: &str, report: &str) -> (String, Value) {
    (status.into(), report.into())
}

#[test]
#[rustfmt::skip] // A table: one case a line.
fn a_receipt_comes_as_json_a_form_or_a_query() {
    for (method, query, media_type, body) in [
        ("POST", "", "application/json", r#"{"messageId":"ID","status":"failed","err-code":"6","api-key":"KEY","new":[1]}"#),
        ("POST", "", "application/json", r#"{"messageId":"ID","status":"failed","err-code":6}"#),
        ("POST", "", "application/x-www-form-urlencoded", "messageId=ID&status=failed&err-code=6&api-key=KEY&new=%C3%A6"),
        ("GET", "?messageId=ID&status=failed&err-code=6&api-key=KEY", "", ""),
    ] {
        let site = Site::sent(1);
        let filled = |text: &str| text.replace("ID", &site.ids()[0]).replace("KEY", KEY);
        let path = site.path() + &filled(query);
        taken(&site.call(method, &path, media_type, &filled(body)));
        assert_eq!(site.state(), state("undelivered", "failed 6"), "{method} {body}");
    }
}

#[test]
#[rustfmt::skip] // A table: one case a line.
fn a_final_receipt_stands_whatever_comes_after_it() {
    for (reports, status, report) in [
        (&["buffered"][..], "sent", "buffered"),
        (&["accepted", "delivered"], "delivered", "delivered"),
        (&["delivered", "buffered", "failed"], "delivered", "delivered"),
        (&["expired", "delivered"], "undelivered", "expired"),
        (&["rejected"], "undelivered", "rejected"),
        (&["unknown"], "sent", "unknown"),
    ] {
        let site = Site::sent(1);
        for status in reports {
            taken(&site.report(0, status));
        }
        assert_eq!(site.state(), state(status, report), "{reports:?}");
    }
}

/// "delivered only when all are" (gateways.md, 3.2)
#[test]
fn a_message_in_parts_has_arrived_when_all_of_them_have() {
    let site = Site::sent(400);
    let ids = site.ids();
    assert_eq!(ids.len(), 3);
    for (part, status, expected) in [
        (1, "buffered", state("sent", "buffered")),
        (
            2,
            "delivered",
            state("sent", &format!("arrived in part: {}", ids[2])),
        ),
        (
            2,
            "delivered",
            state("sent", &format!("arrived in part: {}", ids[2])),
        ),
        (
            1,
            "buffered",
            state("sent", &format!("arrived in part: {}", ids[2])),
        ),
        (
            0,
            "delivered",
            state("sent", &format!("arrived in part: {} {}", ids[0], ids[2])),
        ),
        (1, "delivered", state("delivered", "delivered")),
        (1, "failed", state("delivered", "delivered")),
    ] {
        taken(&site.report(part, status));
        assert_eq!(site.state(), expected);
    }
}

#[test]
fn a_message_in_parts_has_not_arrived_as_soon_as_one_of_them_has_not() {
    let site = Site::sent(400);
    for (part, status) in [(0, "delivered"), (2, "failed"), (1, "delivered")] {
        taken(&site.report(part, status));
    }
    assert_eq!(site.state(), state("undelivered", "failed"));
}

#[test]
fn who_knows_no_address_or_has_another_account_changes_nothing() {
    let site = Site::sent(400);
    let (path, ids) = (site.path(), site.ids());
    let body = |id: &str, key: &str| {
        json!({ "messageId": id, "status": "delivered", "api-key": key }).to_string()
    };
    let call = |path: &str, body: &str| site.call("POST", path, "application/json", body).status;
    assert_eq!(call(&path, &body(&ids[0], "other")), 403);
    // Neither an id that begins another, nor two at once, nor none.
    for id in [
        &ids[0][..15],
        &format!("{} {}", ids[0], ids[1]),
        "",
        " ",
        "%",
    ] {
        assert_eq!(call(&path, &body(id, KEY)), 404, "{id}");
    }
    let twilio = path.replace("vonage", "twilio");
    assert_eq!(call(&twilio, &body(&ids[0], KEY)), 404);
    let (service, token) = path.rsplit_once('/').unwrap();
    let other = if token.starts_with('A') { "B" } else { "A" };
    let other = format!("{service}/{other}{}", &token[1..]);
    assert_eq!(call(&other, &body(&ids[0], KEY)), 404);
    assert_eq!(site.state(), ("sent".into(), Value::Null));
}
