//! Not faster than a provider wants it, and not more to anybody than is wanted. (delivery.md, "Retry policy", rate limits)

use super::{USER, after, entry, line, mail, now, put, sms};
use crate::support::app::TestApp;
use crate::support::outside::mail_server;
use herald::domain::format::{Channel, Format};
use herald::domain::ids::TypeId;
use herald::domain::message::{NewMessage, Status};
use herald::simulate::smtp::Options;
use std::time::Duration;

#[test]
fn a_provider_gets_no_more_messages_a_second_than_its_url_says() {
    let server = mail_server(Options::default());
    let url = format!("smtp://127.0.0.1:{}?tls=none&rate=3", server.port());
    let app = TestApp::start_with(|config| config.with_providers(Channel::Email, vec![url]));
    for _ in 0..10 {
        put(&app.server().app, mail());
    }
    for sent in [3, 6, 9] {
        app.until("a second's worth is sent", || app.pending() == 10 - sent);
        // Nobody gets a message that is not due by the clock, which stands still.
        assert_eq!(server.received().len() as i64, sent);
        app.advance(Duration::from_secs(1));
    }
    app.settled();
    assert_eq!(server.received().len(), 10);
}

#[test]
fn a_recipient_gets_no_more_of_a_type_within_the_hour_than_is_allowed() {
    let app = TestApp::start_with(|mut config| {
        config.limits.policy.recipient_type_per_hour = 2;
        config
    });
    let inside = &app.server().app;
    let to = |recipient: &str, type_id| NewMessage {
        recipient: recipient.into(),
        type_id: TypeId(type_id),
        user_id: Some(USER),
        ..mail()
    };
    let many: Vec<_> = (0..3)
        .map(|_| put(inside, to("bo@example.net", 0)))
        .collect();
    let others = [
        put(inside, to("bo@example.net", 1)),
        put(inside, to("anna@example.net", 0)),
        // A test of a template is nobody's message.
        put(
            inside,
            NewMessage {
                user_id: None,
                ..to("bo@example.net", 0)
            },
        ),
        put(
            inside,
            NewMessage {
                format: Format::Sms,
                ..sms()
            },
        ),
    ];
    app.until("all but one are sent", || app.pending() == 1);
    let waits = many.iter().find(|id| line(inside, **id).0 != Status::Sent);
    let waits = *waits.unwrap();
    assert!(others.iter().all(|id| line(inside, *id).0 == Status::Sent));
    let why = "The recipient has had as many messages of this type within the hour as are allowed; it waits.";
    assert_eq!(
        line(inside, waits),
        (Status::Queued, 0, Some(why.to_owned()))
    );
    assert_eq!(entry(inside, waits).due, after(1800));
    app.advance(Duration::from_secs(1800));
    app.settled();
    assert_eq!(line(inside, waits), (Status::Sent, 1, None));
    assert_eq!(entry(inside, waits).attempts[0].started, after(1800));
    assert!(entry(inside, waits).line.created == now());
}
