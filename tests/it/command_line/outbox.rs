//! `herald outbox`: looking at what waits, pausing, letting go, throwing away; beside a running server and without one.

use super::{CLIENT, expect_failure, place, sql, texts};
use crate::support::app::{Caller, until};
use crate::support::binary::{Running, Said, done, herald};
use crate::support::holes::holed;
use serde_json::{Value, json};
use tempfile::TempDir;

/// A served data directory with one user, who is called bo.
struct Site {
    _directory: TempDir,
    data_dir: String,
    key: String,
}

impl Site {
    fn new() -> Self {
        let (directory, data_dir) = place();
        let made = done(&CLIENT, &[("HERALD_DATA_DIR", &data_dir)]);
        let made: Value = serde_json::from_str(&made).unwrap();
        let key = made["key"].as_str().unwrap().to_owned();
        Self {
            _directory: directory,
            data_dir,
            key,
        }
    }

    fn serve(&self) -> (Running, Caller) {
        let server = Running::serve(&self.data_dir, &[], &[]);
        let api = server.caller(&self.key);
        (server, api)
    }

    fn run(&self, words: &[&str]) -> Said {
        herald(&[words, &["--data-dir", &self.data_dir]].concat(), &[])
    }

    #[track_caller]
    fn done(&self, words: &[&str]) -> String {
        done(&[words, &["--data-dir", &self.data_dir]].concat(), &[])
    }

    /// Queues the welcome message, and gives back what was said.
    fn send(&self, channels: &[&str]) -> Said {
        let mut words = vec!["send", "--user", "bo", "--type", "welcome"];
        words.extend(channels.iter().flat_map(|channel| ["--channel", channel]));
        self.run(&words)
    }

    fn statuses(&self) -> Vec<String> {
        let database = format!("{}/herald.db", self.data_dir);
        texts(database, "select status from message order by id")
    }
}

fn add_user(api: &Caller) {
    let user = r#"{"UserName":"bo","Email":"bo@example.net","Mobile":"+4790000001"}"#;
    assert_eq!(api.post("/api/admin/v1/users", user).status, 200);
}

#[test]
fn a_running_server_obeys_a_pause_of_the_command_line_and_goes_on_when_told() {
    let site = Site::new();
    let (server, api) = site.serve();
    add_user(&api);
    let paused = site.done(&[
        "outbox",
        "pause",
        "--reason",
        "The mail server is being moved.",
    ]);
    let sentence =
        "The outbox is paused since <time> by command line: The mail server is being moved.\n";
    assert_eq!(holed(&paused), sentence);
    let sent = site.send(&["email", "sms"]);
    assert_eq!(
        (sent.code, holed(&sent.err)),
        (Some(0), sentence.to_owned())
    );
    assert_eq!(sent.out.lines().count(), 2);
    // It has seen both: a message that ends is looked through after them.
    let ends = "
        insert into message (guid, type_id, format, channel, status, lane, recipient, has_content, is_sensitive,
            created_at, created_by, due_at, expires_at)
        select randomblob(16), 1, column1, column2, 'queued', 1, 'x', 1, 0, 0, '', 0, 1
        from (values (0, 'email'), (2, 'sms'))";
    sql(format!("{}/herald.db", site.data_dir), ends);
    until("the senders have looked", || {
        site.statuses()[2..] == ["expired", "expired"]
    });
    assert_eq!(site.statuses()[..2], ["queued", "queued"]);

    let shown = site.done(&["outbox"]);
    let wished = format!(
        "{} Nothing is sent until it is let go: herald outbox resume --data-dir {}
channel  type                          due    later  sending  no content  oldest                newest
email    welcome                         1        0        0           0  <time>                <time>
sms      welcome                         1        0        0           0  <time>                <time>
",
        sentence.trim_end(),
        site.data_dir
    );
    // A hole is shorter than a time, and the columns stand where a time leaves them.
    let padded = holed(&shown).replace("<time>  <time>", "<time>                <time>");
    assert_eq!(padded, wished);
    assert_eq!(site.done(&["outbox", "show"]), shown);

    let resumed = site.done(&["outbox", "resume"]);
    assert_eq!(
        resumed,
        "The outbox goes on. A running server sends within a second.\n"
    );
    until("both are sent", || site.statuses()[..2] == ["sent", "sent"]);
    assert_eq!(
        site.done(&["outbox", "resume"]),
        "The outbox was not paused.\n"
    );
    assert_eq!(
        site.done(&["outbox"]),
        "The outbox is not paused.\nNothing waits.\n"
    );
    assert_eq!(server.stop().code, Some(0));
}

#[test]
fn a_server_that_starts_paused_says_so_and_what_to_do() {
    let site = Site::new();
    site.done(&["outbox", "pause"]);
    let (server, api) = site.serve();
    let outbox = api.get("/api/admin/v1/outbox").json()["Data"].take();
    let counts = |channel| json!({ "Channel": channel, "Waiting": 0, "Scheduled": 0, "Sending": 0, "OldestDue": null });
    let mut shown = outbox;
    assert_eq!(holed(shown["Since"].take().as_str().unwrap()), "<time>");
    let wished = json!({
        "Paused": true, "Since": null, "By": "command line", "Reason": null,
        "Channels": [counts("email"), counts("sms"), counts("push")],
    });
    assert_eq!(shown, wished);
    let said = server.stop();
    let data_dir = &site.data_dir;
    let banner = format!(
        "The outbox is paused: what is accepted waits, and nothing is sent.

  herald outbox --data-dir {data_dir}            says why, and what would be sent
  herald outbox resume --data-dir {data_dir}     lets it go

"
    );
    assert_eq!(said.out, banner);
    let warning = "<time> WARN  The outbox is paused since <time> by command line.";
    assert!(
        holed(&said.err).lines().any(|line| line == warning),
        "{}",
        said.err
    );
}

/// Five messages in a paused outbox without a server, two of them for another time and older than the others.
fn waiting() -> Site {
    let site = Site::new();
    let (server, api) = site.serve();
    add_user(&api);
    site.done(&["outbox", "pause"]);
    for channels in [&["email", "sms"][..], &["email"]] {
        assert_eq!(site.send(channels).code, Some(0));
    }
    assert_eq!(server.stop().code, Some(0));
    let rows = "
        insert into message (guid, type_id, format, channel, status, lane, recipient, has_content, is_sensitive,
            created_at, created_by, due_at, expires_at)
        values
            (x'00000000000040008000000000000001', 2, 2, 'sms', 'scheduled', 0, '+4790000002', 0, 1, 1000, '', 9e12, 9.1e12),
            (x'00000000000040008000000000000002', 77, 0, 'email', 'queued', 1, 'cy@example.net', 1, 0, 2000, '', 9e12, 9.1e12)";
    sql(format!("{}/herald.db", site.data_dir), rows);
    site
}

#[test]
fn what_waits_is_counted_by_channel_and_type_and_listed_one_by_one() {
    let site = waiting();
    let shown: Value = serde_json::from_str(&site.done(&["outbox", "show", "--json"])).unwrap();
    let line = |channel: &str, slug: &str, counts: [i64; 3], times: Option<(&str, &str)>| {
        let [due, later, without_content] = counts;
        let (oldest, newest) = times.unwrap_or(("<time>", "<time>"));
        json!({
            "channel": channel, "type": slug, "due": due, "later": later, "sending": 0,
            "without_content": without_content, "oldest": oldest, "newest": newest,
        })
    };
    let second = |second| format!("1970-01-01T00:00:0{second}Z");
    let (one, two) = (second(1), second(2));
    let wished = json!([
        line("email", "77", [0, 1, 0], Some((&two, &two))),
        line("email", "welcome", [2, 0, 0], None),
        line("sms", "logininfo", [0, 1, 1], Some((&one, &one))),
        line("sms", "welcome", [1, 0, 0], None),
    ]);
    let now = |waiting: &mut Value| {
        for at in [1, 3] {
            for time in ["oldest", "newest"] {
                let shown = holed(waiting[at][time].as_str().unwrap());
                waiting[at][time] = shown.into();
            }
        }
    };
    let mut waiting = shown["waiting"].clone();
    now(&mut waiting);
    assert_eq!(waiting, wished);

    let listed = site.done(&["outbox", "show", "--list"]);
    let wished = "<guid>\temail\tbo@example.net\twelcome\t<time>\t<time>
<guid>\tsms\t+4790000001\twelcome\t<time>\t<time>
<guid>\temail\tbo@example.net\twelcome\t<time>\t<time>
<guid>\tsms\t+4790000002\tlogininfo\t<time>\t<time>
<guid>\temail\tcy@example.net\t77\t<time>\t<time>
";
    assert_eq!(holed(&listed), wished);
    let array: Value = serde_json::from_str(&site.done(&["outbox", "--list", "--json"])).unwrap();
    let array = array.as_array().unwrap();
    assert_eq!(array.len(), 5);
    let last = json!({
        "guid": "00000000-0000-4000-8000-000000000002", "channel": "email", "recipient": "cy@example.net", "type": "77",
        "due": "2255-03-14T16:00:00Z", "expires": "2258-05-15T01:46:40Z",
    });
    assert_eq!(array[4], last);
    site.done(&["outbox", "cancel", "--all", "--yes"]);
    assert_eq!(site.done(&["outbox", "--list"]), "");
    assert_eq!(site.done(&["outbox", "--list", "--json"]), "[]\n");
}

#[test]
fn what_is_thrown_away_is_what_the_words_say_and_only_when_confirmed() {
    let queued = "queued";
    let all = [queued, queued, queued, "scheduled", queued];
    for (words, gone) in [
        (&["--channel", "email"][..], &[0, 2, 4][..]),
        (&["--channel", "sms"], &[1, 3]),
        (&["--type", "logininfo"], &[3]),
        (&["--type", "welcome", "--channel", "sms"], &[1]),
        (&["--created-before", "1970-01-01T00:00:02Z"], &[3]),
        (&["--created-before", "1970-01-01T00:00:02.001Z"], &[3, 4]),
        (
            &[
                "--created-before",
                "2001-01-01T01:01:01Z",
                "--channel",
                "email",
            ],
            &[4],
        ),
        (&["--channel", "push"], &[]),
        (&["--all"], &[0, 1, 2, 3, 4]),
    ] {
        let site = waiting();
        let cancel = [&["outbox", "cancel"], words].concat();
        let sentence = format!(
            "{} messages would be cancelled. Nothing was done; say --yes to cancel them.",
            gone.len()
        );
        expect_failure(&site.run(&cancel), &sentence);
        assert_eq!(site.statuses(), all, "{words:?}");
        let said = site.done(&[&cancel[..], &["--yes"]].concat());
        assert_eq!(said, format!("{} messages were cancelled.\n", gone.len()));
        let mut left = all;
        gone.iter().for_each(|at| left[*at] = "cancelled");
        assert_eq!(site.statuses(), left, "{words:?}");
        let errors = texts(
            format!("{}/herald.db", site.data_dir),
            "select error from message where status = 'cancelled'",
        );
        assert_eq!(errors, vec!["Cancelled by command line."; gone.len()]);
    }
    let site = waiting();
    let unknown = site.run(&["outbox", "cancel", "--type", "nothing", "--yes"]);
    expect_failure(&unknown, "No message type has the slug nothing.");
    assert_eq!(site.statuses(), all);
}

#[test]
fn more_than_one_write_takes_are_thrown_away_all_the_same() {
    let site = Site::new();
    let rows = "
        insert into message (guid, type_id, format, channel, status, lane, recipient, has_content, is_sensitive,
            created_at, created_by, due_at, expires_at)
        with recursive n(i) as (select 1 union all select i + 1 from n where i < 2500)
        select randomblob(16), 1, 2, 'sms', 'queued', 1, 'x', 1, 0, 0, '', 0, 9e12 from n";
    sql(format!("{}/herald.db", site.data_dir), rows);
    let said = site.done(&["outbox", "cancel", "--channel", "sms", "--yes"]);
    assert_eq!(said, "2500 messages were cancelled.\n");
    assert!(site.statuses().iter().all(|status| status == "cancelled"));
}

#[test]
fn a_reason_is_one_line_of_bounded_length() {
    let site = Site::new();
    let pause = |reason: &str| site.run(&["outbox", "pause", "--reason", reason]);
    expect_failure(&pause("one\ntwo"), "The reason must be one line.");
    expect_failure(
        &pause(&"é".repeat(501)),
        "Reason must be at most 500 characters.",
    );
    assert_eq!(
        site.done(&["outbox"]),
        "The outbox is not paused.\nNothing waits.\n"
    );
    assert_eq!(pause(&"é".repeat(500)).code, Some(0));
}
