//! Several providers for one channel, in order.

use super::{Bench, Puppet, entry, failure, insert, line, mail, now, stop, tried};
use crate::support::app::TestApp;
use crate::support::outside::{SmtpFaults as _, mail_server};
use herald::channel::{Class, Receipt};
use herald::domain::format::Channel;
use herald::domain::message::Status;
use herald::simulate::fault::{Fault, Stage};
use herald::simulate::smtp::{MailServer, Options};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

fn two_servers() -> (MailServer, MailServer, TestApp) {
    let (first, second) = (
        mail_server(Options::default()),
        mail_server(Options::default()),
    );
    let urls = [&first, &second]
        .map(|server| format!("smtp://localhost:{}?tls=none", server.port()))
        .to_vec();
    let app = TestApp::start_with(|config| config.with_providers(Channel::Email, urls));
    (first, second, app)
}

#[test]
fn the_next_provider_takes_what_the_first_cannot() {
    for (greeting, class, code) in [
        ("421 4.3.2 Down", "provider", 421),
        ("554 5.7.1 Not you", "configuration", 554),
    ] {
        let (first, second, app) = two_servers();
        first.fault(Stage::Greeting, Fault::reply(greeting));
        let id = super::put(&app.server().app, mail());
        app.settled();
        let attempts: Vec<_> = entry(&app.server().app, id)
            .attempts
            .into_iter()
            .map(|a| (a.number, a.provider, a.started, a.result, a.class, a.code))
            .collect();
        let name = |server: &MailServer| format!("smtp://localhost:{}?tls=none", server.port());
        let failed = (
            1,
            name(&first),
            now(),
            Some(false),
            Some(class.to_owned()),
            Some(code),
        );
        let sent = (2, name(&second), now(), Some(true), None, Some(250));
        assert_eq!(attempts, [failed, sent]);
        assert_eq!((first.received().len(), second.received().len()), (0, 1));
        assert_eq!(line(&app.server().app, id), (Status::Sent, 2, None));
    }
}

#[test]
fn after_a_doubt_or_a_word_about_the_message_no_other_provider_is_asked() {
    for (stage, fault, status) in [
        (Stage::Dot, Fault::Close, Status::Queued),
        (Stage::Rcpt, Fault::reply("452 4.3.1 Full"), Status::Queued),
        (
            Stage::Rcpt,
            Fault::reply("550 5.1.1 Unknown"),
            Status::Failed,
        ),
    ] {
        let (first, second, app) = two_servers();
        let app = app.may_end_waiting();
        first.fault(stage, fault);
        let id = super::put(&app.server().app, mail());
        let entry = tried(&app, id, 1);
        assert_eq!((entry.line.status, entry.attempts.len()), (status, 1));
        assert_eq!((first.commands().len(), second.commands().len()), (1, 0));
    }
}

#[test]
fn while_the_first_is_known_to_be_gone_the_second_is_asked_at_once() {
    let bench = Bench::new();
    let first = Puppet::new("first:", |_| Err(failure(Class::Provider)));
    let second = Puppet::new("second:", |_| Ok(Receipt::default()));
    let given = (first.given(), second.given());
    for _ in 0..20 {
        insert(&bench.app, mail());
    }
    let outbox = bench.start(vec![(Channel::Email, first), (Channel::Email, second)]);
    bench.settled();
    stop(outbox);
    let counts = (given.0.lock().unwrap().len(), given.1.lock().unwrap().len());
    assert_eq!(counts, (5, 20));
}

#[test]
fn when_both_fail_the_message_waits_for_the_last_word() {
    let bench = Bench::new();
    let first = Puppet::new("first:", |_| Err(failure(Class::Provider)));
    let second = Puppet::new("second:", |_| Err(failure(Class::Permanent)));
    let id = insert(&bench.app, mail());
    let outbox = bench.start(vec![(Channel::Email, first), (Channel::Email, second)]);
    bench.settled();
    stop(outbox);
    let error = Some("No.".to_owned());
    assert_eq!(line(&bench.app, id), (Status::Failed, 2, error));
}

#[test]
fn what_expires_at_the_first_provider_is_not_given_to_the_second() {
    let bench = Bench::new();
    let app = bench.app.clone();
    let first = Puppet::new("first:", move |_| {
        app.clock.advance(Duration::from_secs(60));
        Err(failure(Class::Provider))
    });
    let second = Puppet::new("second:", |_| Ok(Receipt::default()));
    let given = second.given();
    let mut message = mail();
    message.expires = super::after(60);
    let id = insert(&bench.app, message);
    let outbox = bench.start(vec![(Channel::Email, first), (Channel::Email, second)]);
    bench.settled();
    stop(outbox);
    assert_eq!(line(&bench.app, id).0, Status::Expired);
    assert_eq!(given.lock().unwrap().len(), 0);
}

#[test]
fn a_provider_never_has_more_connections_than_it_allows() {
    let bench = Bench::new();
    let most = Arc::new((Mutex::new((0, 0)), Condvar::new()));
    let shared = most.clone();
    let first = Puppet::new("first:", move |_| {
        {
            let mut inside = shared.0.lock().unwrap();
            inside.0 += 1;
            inside.1 = inside.1.max(inside.0);
        }
        std::thread::yield_now();
        shared.0.lock().unwrap().0 -= 1;
        Ok(Receipt::default())
    });
    let mut second = Puppet::new("second:", |_| Ok(Receipt::default()));
    second.connections = 4;
    let given = (first.given(), second.given());
    for _ in 0..40 {
        insert(&bench.app, mail());
    }
    let outbox = bench.start(vec![(Channel::Email, first), (Channel::Email, second)]);
    bench.settled();
    stop(outbox);
    let counts = (given.0.lock().unwrap().len(), given.1.lock().unwrap().len());
    assert_eq!((most.0.lock().unwrap().1, counts), (1, (40, 0)));
}
