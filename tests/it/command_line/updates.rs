//! A data directory of an older version, as the next command of this one finds it and leaves it.

use super::{first_version, place, sql, texts};
use crate::support::binary::{Running, done};

/// What any command does first.
fn update(data_dir: &str) {
    done(&["client", "list", "--data-dir", data_dir], &[]);
    done(&["check", "--data-dir", data_dir], &[]);
}

/// Status, attempts, recipient, error, and the last attempt's class and code of a message of the first version; the
/// cause that it has afterwards.
type Ended = (
    &'static str,
    i64,
    &'static str,
    Option<&'static str>,
    Option<(Option<&'static str>, Option<i64>)>,
    Option<&'static str>,
);

#[rustfmt::skip] // A table: one message a line.
const ENDED: [Ended; 14] = [
    ("sent", 1, "bo", None, Some((None, Some(250))), None),
    ("queued", 1, "bo", Some("Not now."), Some((Some("temporary"), Some(451))), None),
    ("cancelled", 0, "bo", Some("Cancelled by bo."), None, None),
    ("suppressed", 0, "", Some("The user wants none."), None, None),
    ("expired", 0, "bo", Some("Its life ended before a provider accepted it."), None, Some("expired")),
    ("expired", 2, "bo", Some("Its life ends before it may be tried again. No."), Some((Some("temporary"), None)), Some("expired")),
    ("failed", 1, "bo", Some("No such user."), Some((Some("permanent"), Some(550))), Some("permanent 550")),
    ("failed", 1, "bo", Some("It cannot be written."), Some((Some("permanent"), None)), Some("permanent")),
    ("failed", 1, "bo", Some("in_doubt: the provider may have taken it."), Some((Some("in_doubt"), Some(502))), Some("in_doubt")),
    ("failed", 50, "bo", Some("Gave up after 50 attempts. Busy."), Some((Some("temporary"), Some(451))), Some("gave_up temporary 451")),
    ("failed", 3, "bo", Some("crashed: the process ended 3 times while sending this message."), Some((None, None)), Some("crashed")),
    ("failed", 0, "", Some("The user has no mobile number."), None, Some("no_address")),
    ("failed", 0, "", Some("The message type has no sms template in any language."), None, Some("no_template")),
    ("failed", 0, "bo", Some("The channel has no provider any more that sends."), None, Some("no_provider")),
];

fn quoted(text: Option<&str>) -> String {
    text.map_or("null".into(), |text| format!("'{text}'"))
}

#[test]
fn what_ended_before_causes_were_kept_is_given_its_cause() {
    let (_directory, data_dir) = place();
    let mut rows = String::new();
    for (id, (status, attempts, recipient, error, last, _)) in (1..).zip(ENDED) {
        rows += &format!(
            "insert into message (id, guid, type_id, format, channel, status, lane, recipient, body, is_sensitive, created_at,
                created_by, due_at, expires_at, attempts, error, trace)
            values ({id}, randomblob(16), 0, 0, 'email', '{status}', 1, '{recipient}', 'x', 0, 0, '', 0, 9e12, {attempts}, {},
                '');",
            quoted(error)
        );
        let (class, code) = last.unwrap_or_default();
        let code = code.map_or("null".into(), |code: i64| code.to_string());
        rows += &format!(
            "with recursive n (number) as (select 1 where {attempts} > 0 union all select number + 1 from n where number < {attempts})
            insert into attempt (message_id, number, provider, started_at, class, code)
            select {id}, number, 'smtp:', 0, {}, {code} from n;",
            quoted(class)
        );
    }
    first_version(&data_dir, &rows);
    update(&data_dir);
    let causes = texts(
        format!("{data_dir}/herald.db"),
        "select coalesce(cause, 'none') from message order by id",
    );
    let wished = ENDED.map(|(.., cause)| cause.unwrap_or("none"));
    assert_eq!(causes, wished);
}

#[test]
fn messages_keep_their_content_their_attempts_and_the_ids_that_are_gone() {
    let (_directory, data_dir) = place();
    let columns = "guid, type_id, format, channel, status, lane, recipient, subject, body, html_body, is_sensitive, created_at,
        created_by, due_at, expires_at, attempts, trace";
    first_version(
        &data_dir,
        &format!(
            "insert into message ({columns}) values
                (randomblob(16), 1, 0, 'email', 'sent', 1, 'bo', 's', 'b', '<p>', 0, 0, 'me', 0, 9e12, 1, 'why'),
                (randomblob(16), 1, 2, 'sms', 'sent', 1, '+47', null, null, null, 1, 0, 'me', 0, 9e12, 0, ''),
                (randomblob(16), 1, 2, 'sms', 'sent', 1, '+47', null, 'gone', null, 0, 0, 'me', 0, 9e12, 0, '');
            insert into attempt (message_id, number, provider, started_at) values (1, 1, 'smtp:', 7);
            delete from message where id = 3;"
        ),
    );
    update(&data_dir);
    let own = format!("{data_dir}/herald.db");
    let rows = "
        select concat_ws('|', id, has_content, recipient, created_by, trace, subject, body, html_body, provider, started_at)
        from message join content on content.message_id = id left join attempt on attempt.message_id = id order by id";
    assert_eq!(
        texts(&own, rows),
        ["1|1|bo|me|why|s|b|<p>|smtp:|7", "2|0|+47|me|"]
    );
    let columns = columns.replace("subject, body, html_body", "has_content");
    let columns = columns.replace(", trace", "");
    sql(
        &own,
        &format!(
            "insert into message ({columns}) values (randomblob(16), 1, 2, 'sms', 'sent', 1, '+47', 0, 0, 0, '', 0, 0, 0)"
        ),
    );
    assert_eq!(texts(&own, "select max(id) || '' from message"), ["4"]);
}

/// Of a database of 100 MB. What is there besides is the program.
const UPDATE_KIB_MAX: usize = 100 << 10;

#[test]
fn an_update_does_not_take_memory_as_large_as_the_database() {
    let (_directory, data_dir) = place();
    first_version(
        &data_dir,
        "with recursive n (i) as (select 1 union all select i + 1 from n where i < 40000)
        insert into message (guid, type_id, format, channel, status, lane, recipient, body, is_sensitive, created_at,
            created_by, due_at, expires_at, trace)
        select randomblob(16), 1, 0, 'email', 'sent', 1, 'bo', hex(randomblob(1250)), 0, 0, '', 0, 9e12, '' from n",
    );
    let server = Running::serve(&data_dir, &[], &[]);
    let memory = server.memory_peak_kib();
    assert!(memory < UPDATE_KIB_MAX, "it took {memory} KiB");
    drop(server);
}
