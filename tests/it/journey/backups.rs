//! A backup is whole and holds no secret, whatever goes on while it is made. (delivery.md, promises 1 and 5)

use super::{Site, send_path};
use crate::support::app::{Caller, until};
use crate::support::binary::done;
use crate::support::outside::{SmtpFaults as _, faults_left};
use crate::support::traces::{Traces, bytes_of};
use herald::simulate::fault::{Fault, Stage};
use rusqlite::Connection;
use serde_json::json;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

const BACKUPS: usize = 20;
const CLIENTS: usize = 8;
/// How long a client rests between two messages, so that the providers' books can hold them all.
const PACE: Duration = Duration::from_millis(10);

/// The GUIDs of all messages in a database.
fn guids(file: &str) -> BTreeSet<String> {
    guids_where(file, "true")
}

/// The GUIDs of those for which this holds.
fn guids_where(file: &str, condition: &str) -> BTreeSet<String> {
    let database = Connection::open(file).unwrap();
    let sql = format!("select guid from message where {condition}");
    let mut statement = database.prepare(&sql).unwrap();
    let rows = statement
        .query_map([], |row| row.get::<_, [u8; 16]>(0))
        .unwrap();
    rows.map(|guid| uuid::Uuid::from_bytes(guid.unwrap()).to_string())
        .collect()
}

fn mail(number: usize) -> String {
    let body = format!("Number {number}");
    json!({ "deliveryMethod": "email", "messageBody": { "email": { "body": body } } }).to_string()
}

/// Messages go on being accepted and sent while backups are made.
fn under_load(api: &Caller, path: &str, accepted: &Mutex<BTreeSet<String>>, work: impl FnOnce()) {
    let goes_on = AtomicBool::new(true);
    let send = || {
        for number in 0.. {
            if !goes_on.load(Ordering::Relaxed) {
                break;
            }
            let reply = api.post(path, &mail(number));
            let guid = reply.expect(202, "").header("x-message-id").to_owned();
            accepted.lock().unwrap().insert(guid);
            std::thread::park_timeout(PACE);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(send);
        }
        // However the work ends, the clients end too.
        let done = catch_unwind(AssertUnwindSafe(work));
        goes_on.store(false, Ordering::Relaxed);
        done.unwrap_or_else(|fault| resume_unwind(fault));
    });
}

#[test]
fn twenty_backups_under_load_are_whole_and_hold_all_that_was_accepted_before() {
    let site = Site::new("");
    let server = site.serve();
    let api = server.caller(&site.key);
    let path = site.user(&api);
    let accepted = Mutex::default();
    let data_dir = site.data_dir();
    let mut held = 0;
    under_load(&api, &path, &accepted, || {
        until("some are accepted", || accepted.lock().unwrap().len() > 20);
        for number in 0..BACKUPS {
            let before = accepted.lock().unwrap().clone();
            let file = site.path(&format!("{number}.db"));
            done(&["backup", "--data-dir", &data_dir, &file], &[]);
            done(&["check", &file], &[]);
            let kept = guids(&file);
            assert!(kept.is_superset(&before), "{number} lacks some");
            assert!(
                kept.len() > held,
                "more were accepted since the backup before"
            );
            held = kept.len();
            let paused = "select count(*) from setting where key = 'outbox_paused_at'";
            let paused: i64 = Connection::open(&file)
                .unwrap()
                .query_row(paused, [], |row| row.get(0))
                .unwrap();
            assert_eq!(paused, 1);
        }
    });
    // Nobody was held up for good, and nothing was lost by being copied.
    let all = accepted.into_inner().unwrap();
    until("all are sent", || site.received().len() == all.len());
    done(&["check", "--data-dir", &data_dir], &[]);
    assert_eq!(server.stop().code, Some(0));
    assert!(site.received().keys().eq(all.iter()));
}

#[test]
fn a_copy_made_under_load_sends_nothing_until_told_to_and_then_what_waited_in_it() {
    let site = Site::new("");
    let server = site.serve();
    let api = server.caller(&site.key);
    let path = site.user(&api);
    let accepted = Mutex::<BTreeSet<_>>::default();
    let (data_dir, file) = (site.data_dir(), site.path("b.db"));
    under_load(&api, &path, &accepted, || {
        until("some are sent", || site.received().len() > 20);
        let outage = vec!["smtp.connect = refuse".parse().unwrap()];
        site.smtp.orders().add(outage).unwrap();
        let before = accepted.lock().unwrap().len();
        until("some wait", || accepted.lock().unwrap().len() > before + 20);
        done(&["backup", "--data-dir", &data_dir, &file], &[]);
    });
    server.kill();
    std::fs::remove_dir_all(&data_dir).unwrap();
    site.smtp.orders().lift();
    let waiting = guids_where(&file, "status in ('queued', 'sending')");
    let sent = guids_where(&file, "status = 'sent'");
    assert!(waiting.len() >= 20 && sent.len() >= 20);
    let before = site.received();
    assert!(sent.iter().eq(before.keys()));

    done(&["restore", "--data-dir", &data_dir, &file], &[]);
    let server = site.serve();
    let api = server.caller(&site.key);
    // Each wakes a sender, which looks for what waits.
    let new = super::accepted(&api, &path, 20);
    assert_eq!(site.received(), before, "it is paused");
    done(&["outbox", "resume", "--data-dir", &data_dir], &[]);
    let all = sent.len() + waiting.len() + new.len();
    until("all are sent", || site.received().len() == all);
    super::until_sent(&api, all);
    let all = sent.into_iter().chain(waiting).chain(new);
    assert_eq!(site.received(), all.map(|guid| (guid, 1)).collect());
}

/// Asks for a sign-in link with this end, which is short enough to stand on one page of the database.
pub(super) fn ask_for_link(api: &Caller, path: &str, method: &str, secret: &str) {
    let url = format!("https://app.example/in?{secret}");
    let body = json!({ "deliveryMethod": method, "messageType": "logininfo", "placeholders": { "loginUrl": url } });
    api.post(path, &body.to_string()).expect(202, "");
}

#[test]
fn what_is_sensitive_is_in_no_byte_of_a_backup() {
    let site = Site::new("&connections=1");
    site.smtp.fault(Stage::Dot, Fault::Silence);
    let server = site.serve();
    let api = server.caller(&site.key);
    let user = json!({ "UserName": "bo", "Email": "bo@example.net", "Mobile": "+4790000001" });
    let user = api.post(super::USERS, &user.to_string());
    let path = send_path(user.json()["Data"]["Guid"].as_str().unwrap());
    let secrets =
        ["caught", "flying", "waiting"].map(|word| format!("{word}=Sésame/ouvre-toi&{word}"));
    let [caught, flying, waiting] = &secrets;
    // SMS are captured here, and what was captured keeps its content; the first mail hangs in its attempt.
    ask_for_link(&api, &path, "sms", caught);
    ask_for_link(&api, &path, "email", flying);
    until("the mail hangs", || faults_left(&site.smtp) == 0);
    ask_for_link(&api, &path, "email", waiting);
    let captured = || api.get("/api/admin/v1/captured").json()["Paging"]["TotalRecords"] == 1;
    until("the SMS is captured", captured);
    // What is not sensitive is kept, and so is what was captured of it.
    let open = json!({ "deliveryMethod": "both", "messageBody": { "email": { "body": "What is plain stays plain é" }, "sms": { "body": "What is a plain sms stays" } } });
    api.post(&path, &open.to_string()).expect(202, "");
    until("it is captured", || !captured());

    // Whoever may see what was captured sees it all the same.
    assert!(api.get("/api/admin/v1/captured").body.contains(caught));
    let file = site.path("b.db");
    done(&["backup", "--data-dir", &site.data_dir(), &file], &[]);
    let (live, backup) = (bytes_of(&site.data_dir()), std::fs::read(&file).unwrap());
    let traces = Traces::of(&secrets);
    assert_eq!(traces.found_in(&live), None, "sealed where it comes from");
    assert_eq!(traces.found_in(&backup), None);
    for kept in ["What is plain stays plain é", "What is a plain sms stays"] {
        assert!(Traces::of(&[kept]).found_in(&backup).is_some());
    }
    done(&["check", &file], &[]);
    let counts = "select (select count(*) from message) || ' ' || (select count(*) from captured)";
    let counts: String = Connection::open(&file)
        .unwrap()
        .query_row(counts, [], |row| row.get(0))
        .unwrap();
    assert_eq!(counts, "5 1");
    server.kill();
}
