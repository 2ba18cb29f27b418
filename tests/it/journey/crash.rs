//! kill -9 between "accepted" and delivery. (delivery.md, promises 1 to 3)

use super::{Site, accepted, entries, outcomes, until_sent};
use crate::support::app::until;
use crate::support::outside::{SmtpFaults as _, faults_left};
use herald::simulate::fault::{Fault, Manner, Stage};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// How soon a killed appliance serves again.
const READY_WITHIN: Duration = Duration::from_secs(5);

#[test]
fn a_killed_process_delivers_each_accepted_mail_once_after_its_restart() {
    for stage in [
        Stage::Greeting,
        Stage::Auth,
        Stage::Mail,
        Stage::Data,
        Stage::Dot,
    ] {
        let site = Site::new("&connections=1");
        site.smtp.fault(stage, Fault::Silence);
        let (first, sent) = site.struck(6);
        let log = first.kill();
        assert!(!log.contains("stopping"), "{log}");

        let restarted = Instant::now();
        let second = site.serve();
        let api = second.caller(&site.key);
        api.get("/readyz").expect(200, "ok\n");
        let ready = restarted.elapsed();
        eprintln!("ready {} ms after the restart", ready.as_millis());
        assert!(ready < READY_WITHIN, "{ready:?}");
        until_sent(&api, sent.len());
        let once: BTreeMap<_, _> = sent.iter().map(|guid| (guid.clone(), 1)).collect();
        assert_eq!(site.received(), once, "{stage:?}");
        // The only attempt in flight left a row without a result; the others had not begun.
        let in_flight = |number| {
            if number == 0 {
                vec![None, Some(true)]
            } else {
                vec![Some(true)]
            }
        };
        let wished = sent
            .iter()
            .enumerate()
            .map(|(number, guid)| (guid.clone(), "sent".into(), in_flight(number)));
        assert_eq!(outcomes(&api), wished.collect::<Vec<_>>(), "{stage:?}");
        let said = second.stop();
        assert_eq!(said.code, Some(0));
        assert!(
            said.err.contains(
                "1 messages were being sent when the last process ended; they wait again"
            ),
            "{}",
            said.err
        );
    }
}

#[test]
fn a_mail_comes_twice_only_if_the_process_died_between_acceptance_and_commit() {
    let site = Site::new("&connections=1");
    site.smtp.fault(Stage::Kept, Fault::Silence);
    let (first, sent) = site.struck(4);
    first.kill();

    let second = site.serve();
    let api = second.caller(&site.key);
    until_sent(&api, sent.len());
    let times: Vec<_> = sent.iter().map(|guid| site.received()[guid]).collect();
    assert_eq!(
        times,
        [2, 1, 1, 1],
        "the repeat has the Message-ID of the first"
    );
    assert_eq!(
        outcomes(&api)[0].2,
        [None, Some(true)],
        "the doubt stands in the log"
    );
}

/// How many mails of a batch are through when the process dies.
const THROUGH: usize = 5;

#[test]
fn of_a_batch_only_the_mail_in_flight_comes_twice() {
    let site = Site::new("&connections=1");
    // Batches grow from one mail to two and four: the sixth is in the middle of the third.
    for _ in 0..THROUGH {
        site.smtp
            .fault(Stage::Kept, Fault::Answer(None, Manner::Whole));
    }
    site.smtp.fault(Stage::Kept, Fault::Silence);
    let first = site.serve();
    let api = first.caller(&site.key);
    api.post("/api/admin/v1/outbox/pause", "{}");
    let sent = accepted(&api, &site.user(&api), THROUGH + 3);
    api.post("/api/admin/v1/outbox/resume", "{}");
    until("the last fault has struck", || faults_left(&site.smtp) == 0);
    // What was said to it before is on the disk by now, or never will be.
    until_sent(&api, THROUGH);
    first.kill();

    let second = site.serve();
    until_sent(&second.caller(&site.key), sent.len());
    let times: Vec<_> = sent.iter().map(|guid| site.received()[guid]).collect();
    assert_eq!(times, [1, 1, 1, 1, 1, 2, 1, 1]);
}

#[test]
fn a_killed_process_with_four_connections_loses_nothing_and_repeats_nothing() {
    let site = Site::new("");
    for _ in 0..4 {
        site.smtp.fault(Stage::Dot, Fault::Silence);
    }
    let (first, sent) = site.struck(40);
    first.kill();
    let before = site.received().len();

    let second = site.serve();
    let api = second.caller(&site.key);
    until_sent(&api, sent.len());
    let once: BTreeMap<_, _> = sent.iter().map(|guid| (guid.clone(), 1)).collect();
    assert_eq!(site.received(), once);
    let outcomes = outcomes(&api);
    let nulls = outcomes
        .iter()
        .filter(|(_, _, results)| results[..] == [None, Some(true)])
        .count();
    let straight = outcomes
        .iter()
        .filter(|(_, _, results)| results[..] == [Some(true)])
        .count();
    assert_eq!(nulls + straight, sent.len(), "{outcomes:?}");
    assert!(
        nulls >= 4 && straight >= before,
        "{nulls} without a result, {before} sent before the kill"
    );
}

#[test]
fn mails_that_no_server_took_are_delivered_once_after_kill_and_restart() {
    let site = Site::new("");
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = nobody.local_addr().unwrap().port();
    drop(nobody);
    let first = site.serve_through(&format!(
        "smtp://anna:p%40ss%20w0rd@localhost:{port}?tls=required"
    ));
    let api = first.caller(&site.key);
    let path = site.user(&api);
    let sent = accepted(&api, &path, 8);
    first.until_it_logs("Connection refused");
    first.kill();

    let second = site.serve();
    let api = second.caller(&site.key);
    until_sent(&api, sent.len());
    let once: BTreeMap<_, _> = sent.iter().map(|guid| (guid.clone(), 1)).collect();
    assert_eq!(site.received(), once);
    for entry in entries(&api) {
        let history = entry["History"].as_array().unwrap();
        let (last, before) = history.split_last().unwrap();
        assert_eq!(last["Result"], true, "{entry:#}");
        for attempt in before {
            let word = (attempt["Result"].as_bool(), attempt["Class"].as_str());
            assert!(
                matches!(word, (None, None) | (Some(false), Some("provider"))),
                "{entry:#}"
            );
        }
    }
}
