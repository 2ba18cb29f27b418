//! Commands beside a running server. (cli.md: "Works beside a running server")

use super::{Site, outcomes, send_path, until_sent};
use crate::support::binary::{done, herald};
use crate::support::holes::holed;

#[test]
fn the_server_delivers_what_the_command_line_queued() {
    let site = Site::new("");
    let server = site.serve();
    let api = server.caller(&site.key);
    site.user(&api);
    let data_dir = site.data_dir();
    let words = [
        "send",
        "--user",
        "bo",
        "--type",
        "announcement",
        "--channel",
        "email",
        "--set",
        "text=We = back",
        "--data-dir",
        &data_dir,
    ];
    let printed = done(&words, &[]);
    assert_eq!(
        holed(&printed),
        "queued\t<guid>\tCombinedEmail\tbo@example.net\tlog entry 1\n"
    );
    until_sent(&api, 1);
    let guid = printed.split('\t').nth(1).unwrap();
    assert_eq!(
        outcomes(&api),
        [(guid.to_owned(), "sent".to_owned(), vec![Some(true)])]
    );
    assert_eq!(site.received().keys().collect::<Vec<_>>(), [guid]);
}

#[test]
fn what_cannot_be_sent_is_refused_with_its_reason() {
    let site = Site::new("");
    let server = site.serve();
    site.user(&server.caller(&site.key));
    for (words, sentence) in [
        (
            "--user nobody --type welcome",
            "No user has the name nobody.",
        ),
        (
            "--user bo --type nothing",
            "No message type has the slug nothing.",
        ),
        (
            "--user bo --type announcement --channel email",
            "The placeholder 'text' has no value, and the message type 'announcement' requires it; the message is not sent.",
        ),
        (
            "--user bo --type welcome --channel sms",
            "Nothing can be sent. The user has no mobile number.",
        ),
    ] {
        let data_dir = site.data_dir();
        let words: Vec<_> = ["send", "--data-dir", &data_dir]
            .into_iter()
            .chain(words.split(' '))
            .collect();
        let said = herald(&words, &[]);
        assert_eq!(
            (said.code, said.out.as_str(), said.err),
            (Some(1), "", format!("herald: {sentence}\n"))
        );
    }
}

#[test]
fn a_client_made_beside_the_server_works_at_once_and_ends_when_revoked() {
    let site = Site::new("");
    let server = site.serve();
    let data_dir = site.data_dir();
    let key = site.client()["key"].as_str().unwrap().to_owned();
    let api = server.caller(&key);
    site.user(&api);
    let listed = done(&["client", "list", "--json", "--data-dir", &data_dir], &[]);
    let one = |id| {
        format!(
            r#"{{"id":{id},"client_id":"<guid>","label":"app","scopes":"relesys.api","created":"<time>","expires":null,"last_used":LAST}}"#
        )
    };
    let used = r#""<time>""#;
    let wished = format!(
        "[{},{}]\n",
        one(1).replace("LAST", "null"),
        one(2).replace("LAST", used)
    );
    assert_eq!(holed(&listed), wished);
    let revoked = done(&["client", "revoke", "2", "--data-dir", &data_dir], &[]);
    assert_eq!(revoked, "Client 2 was revoked.\n");
    let path = send_path("00000000-0000-4000-8000-000000000000");
    assert_eq!(
        api.post(&path, "{}").status,
        401,
        "the key is worth nothing any more"
    );
    assert_eq!(
        server.caller(&site.key).get(super::USERS).status,
        200,
        "the other client is as before"
    );
}
