//! SIGTERM, and a second process on the same directory. (delivery.md, "Stop" and "Engine")

use super::{Site, outcomes};
use crate::support::app::until;
use crate::support::binary::Running;
use crate::support::outside::SmtpFaults as _;
use herald::simulate::fault::{Fault, Stage};
use rustix::process::Signal;
use std::time::Duration;

#[test]
fn sigterm_finishes_the_attempt_in_flight_and_exits_0() {
    let site = Site::new("&connections=1");
    site.smtp.fault(Stage::Kept, Fault::Hold);
    let (server, sent) = site.struck(3);
    server.signal(Signal::TERM);
    let address = server.addresses()[0].replace("http://", "");
    until("it accepts nothing any more", || {
        std::net::TcpStream::connect(&address).is_err()
    });
    // Time enough for a process that does not wait to be gone; one that does waits ten seconds.
    std::thread::sleep(Duration::from_millis(300));
    assert!(!server.log().contains(" stopped\n"), "{}", server.log());
    site.smtp.orders().lift();
    let said = server.ended();
    assert_eq!(said.code, Some(0));
    assert!(said.err.ends_with(" stopped\n"), "{}", said.err);
    assert_eq!(site.received().keys().collect::<Vec<_>>(), [&sent[0]]);
    assert_eq!(site.smtp.commands()[0].last().unwrap(), "QUIT");

    let server = site.serve();
    let api = server.caller(&site.key);
    super::until_sent(&api, sent.len());
    let wished = sent
        .iter()
        .map(|guid| (guid.clone(), "sent".into(), vec![Some(true)]));
    assert_eq!(
        outcomes(&api),
        wished.collect::<Vec<_>>(),
        "nothing was tried twice"
    );
}

#[test]
fn a_second_sigterm_ends_the_process_at_once_and_loses_nothing() {
    let site = Site::new("&connections=1");
    site.smtp.fault(Stage::Dot, Fault::Silence);
    let (server, sent) = site.struck(2);
    server.signal(Signal::TERM);
    server.until_it_logs("stopping: finishing what is in flight");
    server.signal(Signal::TERM);
    let said = server.ended();
    assert_eq!(said.code, Some(1));
    assert!(!said.err.contains(" stopped\n"), "{}", said.err);

    let server = site.serve();
    super::until_sent(&server.caller(&site.key), sent.len());
    assert_eq!(site.received().values().sum::<usize>(), sent.len());
}

#[test]
fn a_second_server_on_the_same_directory_says_what_to_do() {
    let site = Site::new("");
    let server = site.serve();
    let data_dir = site.data_dir();
    let words = ["serve", "--listen", "127.0.0.1:0", "--data-dir", &data_dir];
    let said = Running::start(&words, &[]).ended();
    let sentence = format!(
        "herald: Another herald serves {data_dir} already. Stop it first, or name another directory with --data-dir.\n"
    );
    assert_eq!((said.code, said.err), (Some(1), sentence));
    server.caller(&site.key).get("/readyz").expect(200, "ok\n");
}

#[test]
fn a_clean_stop_leaves_the_database_in_one_file() {
    let site = Site::new("");
    let server = site.serve();
    let api = server.caller(&site.key);
    site.user(&api);
    assert_eq!(server.stop().code, Some(0));
    let mut names: Vec<_> = std::fs::read_dir(site.data_dir())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["herald.db", "herald.lock", "herald.reserve"]);
}
