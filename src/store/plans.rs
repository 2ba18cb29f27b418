//! A test: the statements that run all day find their rows by an index, however long the log has grown.

use super::condition::Condition;
use super::page::{Column, Operand, Query};
use super::{
    Access, Store, back, bulk, causes, claims, idempotency, messages, of_user, queue, retention,
    users, waiting,
};

/// What SQLite says it would do.
fn plan(store: &Store, sql: &str) -> String {
    let steps = store.read(|db| {
        let mut statement = db.0.prepare(&format!("explain query plan {sql}"))?;
        let rows = statement
            .raw_query()
            .mapped(|row| row.get::<_, String>("detail"))
            .collect::<rusqlite::Result<Vec<_>>>()?;
        Ok(rows)
    });
    steps.expect("a plan").join("; ")
}

/// What is picked to be sent again.
fn retried(filter: &str) -> String {
    let ended = bulk::ENDED;
    format!(
        "select m.id from {ended} and {filter} and coalesce(m.last_attempt_at, 0) <= ? limit 1000"
    )
}

/// What is picked to be cancelled.
fn cancelled(part: usize, filter: &str) -> String {
    format!(
        "select m.id from {} and {filter} limit 1000",
        bulk::WAITING[part]
    )
}

/// What fulfils filters by these columns, of which few rows have the value.
fn few(columns: &[Column]) -> String {
    let filter = |column: &Column| (*column, Operand::Int(1));
    let query = Query {
        filters: columns.iter().map(filter).collect(),
        ..Query::default()
    };
    Condition::of(&query, &[], &["message_kind", of_user::INDEX]).sql
}

/// What is picked of them.
fn rare(columns: &[Column]) -> String {
    let rare = few(columns);
    format!(
        "select m.id from {}{rare} order by +m.id desc limit 10001",
        messages::SOURCE
    )
}

/// What a search goes through whose filters are these columns, the leader's among them.
fn searched(columns: &[Column], leader: Option<&str>) -> String {
    let filter = |column: &Column| (*column, Operand::Int(1));
    let query = Query {
        filters: columns.iter().map(filter).collect(),
        after: Some(1),
        ..Query::default()
    };
    back::statement(&messages::LOG, &query, "x", leader).0
}

const SEARCHED: &str = "CORRELATED SCALAR SUBQUERY 1; SEARCH content USING INTEGER PRIMARY KEY (rowid=?); CORRELATED SCALAR SUBQUERY 2; SEARCH a USING PRIMARY KEY (message_id=?); SEARCH r USING PRIMARY KEY (message_id=? AND number=?) LEFT-JOIN";

#[test]
fn what_runs_all_day_uses_its_index() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let now = "2026-11-22T12:00:00Z".parse().expect("a time");
    let store = Store::open(&directory.path().join("data"), Access::Exclusive, now).expect("open");
    #[rustfmt::skip] // A table: one statement a line.
    let plans = [
        (claims::DUE.to_owned(), "SEARCH message USING INDEX message_due (channel=? AND lane=? AND due_at<?); SEARCH content USING INTEGER PRIMARY KEY (rowid=?) LEFT-JOIN"),
        (waiting::NEXT_DUE.to_owned(), "SEARCH message USING COVERING INDEX message_due (channel=? AND lane=?)"),
        (claims::PROMOTE.to_owned(), "SEARCH message USING INDEX message_scheduled (channel=? AND due_at<?)"),
        (waiting::NEXT_SCHEDULED.to_owned(), "SEARCH message USING COVERING INDEX message_scheduled (channel=?)"),
        (format!("select id from message where {}", waiting::OPEN), "SEARCH message USING COVERING INDEX message_open (status=?)"),
        (waiting::PENDING.to_owned(), "SCAN CONSTANT ROW; SCALAR SUBQUERY 1; SCAN message USING COVERING INDEX message_due; SCALAR SUBQUERY 2; SEARCH message USING COVERING INDEX message_open (status=?)"),
        (idempotency::FIND.to_owned(), "SEARCH idempotency USING PRIMARY KEY (owner=? AND key=?)"),
        (idempotency::FORGET.to_owned(), "SEARCH idempotency USING INDEX idempotency_age (created_at<?)"),
        (rare(&[messages::USER]), "SEARCH m USING COVERING INDEX message_user (<expr>=? AND user_id=?); LIST SUBQUERY 4; MATERIALIZE part; SETUP; SEARCH message; RECURSIVE STEP; SCAN part; SCALAR SUBQUERY 2; SEARCH message; SCAN part; USE TEMP B-TREE FOR ORDER BY"),
        (format!("select count(*) from (select 1 from {}{} limit 10001)", messages::SOURCE, few(&[messages::USER])), "CO-ROUTINE (subquery-5); SEARCH m USING COVERING INDEX message_user (<expr>=? AND user_id=?); LIST SUBQUERY 4; MATERIALIZE part; SETUP; SEARCH message; RECURSIVE STEP; SCAN part; SCALAR SUBQUERY 2; SEARCH message; SCAN part; SCAN (subquery-5)"),
        (of_user::ids(" and m.status in ('queued', 'scheduled')"), "SEARCH m USING INDEX message_user (<expr>=? AND user_id=?); LIST SUBQUERY 4; MATERIALIZE part; SETUP; SEARCH message; RECURSIVE STEP; SCAN part; SCALAR SUBQUERY 2; SEARCH message; SCAN part"),
        (of_user::REPLACED.to_owned(), "SEARCH message USING INDEX message_minute (user_id=? AND due_at=?)"),
        (messages::ATTEMPTS.to_owned(), "SEARCH attempt USING PRIMARY KEY (message_id=?); SEARCH report USING PRIMARY KEY (message_id=? AND number=?) LEFT-JOIN"),
        (waiting::CLOCK_WENT_BACK.to_owned(), "SEARCH message USING INDEX message_due (channel=? AND lane=? AND due_at>?)"),
        (retention::OLDEST_MESSAGES.to_owned(), "SEARCH message USING INTEGER PRIMARY KEY (rowid>?)"),
        (retention::OLDEST_CAPTURED.to_owned(), "SEARCH captured USING INTEGER PRIMARY KEY (rowid>?)"),
        (waiting::OVERDUE.to_owned(), "SEARCH message USING COVERING INDEX message_due (channel=?)"),
        (queue::COUNTS[0].to_owned(), "SCAN message USING COVERING INDEX message_due"),
        (queue::COUNTS[1].to_owned(), "SCAN message USING COVERING INDEX message_scheduled"),
        (queue::COUNTS[2].replace("OPEN", waiting::OPEN), "SEARCH message USING INDEX message_open (status=?); USE TEMP B-TREE FOR GROUP BY"),
        (format!("select m.* from {} and m.cause = ? order by m.id desc limit 200", messages::SOURCE), "SEARCH m USING INDEX message_cause (cause=?)"),
        (format!("select m.* from {} and m.cause = ? and m.id < ? order by m.id desc limit 200", messages::SOURCE), "SEARCH m USING INDEX message_cause (cause=? AND rowid<?)"),
        (format!("select count(*) from (select 1 from {} and m.cause = ? limit 10001)", messages::SOURCE), "CO-ROUTINE (subquery-1); SEARCH m USING COVERING INDEX message_cause (cause=?); SCAN (subquery-1)"),
        (format!("select m.id from {} and m.status = 'failed' order by +m.id desc limit 10001", messages::SOURCE), "SEARCH m USING COVERING INDEX message_unsent (status=?); USE TEMP B-TREE FOR ORDER BY"),
        (format!("select m.id from {} and m.status = 'queued' order by +m.id desc limit 10001", messages::SOURCE), "SCAN m USING COVERING INDEX message_due; USE TEMP B-TREE FOR ORDER BY"),
        (format!("select m.id from {} and m.status = 'scheduled' order by +m.id desc limit 10001", messages::SOURCE), "SCAN m USING COVERING INDEX message_scheduled; USE TEMP B-TREE FOR ORDER BY"),
        (format!("select m.id from {} and m.status = 'undelivered' order by +m.id desc limit 10001", messages::SOURCE), "SEARCH m USING COVERING INDEX message_rare (status=?); USE TEMP B-TREE FOR ORDER BY"),
        (format!("select m.id from {} and +m.status = 'failed' order by m.id desc limit 10001", messages::SOURCE), "SCAN m"),
        (rare(&[messages::TYPE]), "SEARCH m USING COVERING INDEX message_kind (type_id=?); USE TEMP B-TREE FOR ORDER BY"),
        (rare(&[messages::FORMAT]), "SEARCH m USING COVERING INDEX message_kind (type_id=? AND format=?); USING ROWID SEARCH ON TABLE message_type FOR IN-OPERATOR; USE TEMP B-TREE FOR ORDER BY"),
        (rare(&[messages::FORMAT, messages::TYPE]), "SEARCH m USING COVERING INDEX message_kind (type_id=? AND format=?); USING ROWID SEARCH ON TABLE message_type FOR IN-OPERATOR; USE TEMP B-TREE FOR ORDER BY"),
        ("select count(*) from (select 1 from message where type_id = ?1 limit 1)".into(), "CO-ROUTINE (subquery-1); SEARCH message USING COVERING INDEX message_kind (type_id=?); SCAN (subquery-1)"),
        (format!("select {} from {} {}", causes::COLUMNS, causes::SOURCE, causes::GROUPS), "SEARCH m USING COVERING INDEX message_unsent (status=?)"),
        (format!("select {} from {} and m.format = ? and m.created_at >= ? {}", causes::COLUMNS, causes::SOURCE, causes::GROUPS), "SEARCH m USING COVERING INDEX message_unsent (status=? AND format=? AND cause>?)"),
        (causes::NEXT_CAUSE.to_owned(), "SEARCH m USING COVERING INDEX message_unsent (status=? AND format=? AND cause>?)"),
        (causes::recent_count(), "CO-ROUTINE (subquery-1); SEARCH m USING COVERING INDEX message_unsent (status=? AND format=? AND cause=? AND created_at>?); SCAN (subquery-1)"),
        (causes::recent_newest(), "SEARCH m USING INDEX message_unsent (status=? AND format=? AND cause=? AND created_at>?)"),
        (format!("select count(*) from (select 1 from {} limit 10001)", queue::BACKLOG[0]), "CO-ROUTINE (subquery-1); SEARCH message USING COVERING INDEX message_due (channel=?); SCAN (subquery-1)"),
        (format!("select count(*) from (select 1 from {} limit 10001)", queue::BACKLOG[1]), "CO-ROUTINE (subquery-1); SEARCH message USING COVERING INDEX message_scheduled (channel=?); SCAN (subquery-1)"),
        (users::SPEAKERS.to_owned(), "SCAN speaker"),
        ("select c.* from captured c where true and c.id in (select id from captured indexed by captured_recipient where recipient like ? escape '\\') and c.id < ? order by c.id desc limit 30".into(), "SEARCH c USING INTEGER PRIMARY KEY (rowid=?); LIST SUBQUERY 1; SCAN captured USING COVERING INDEX captured_recipient"),
        (searched(&[], None), format!("SEARCH m USING INTEGER PRIMARY KEY (rowid<?); {SEARCHED}").leak()),
        (searched(&[messages::STATUS, messages::CREATED], None), format!("SEARCH m USING INTEGER PRIMARY KEY (rowid<?); {SEARCHED}").leak()),
        (searched(&[messages::USER, messages::TYPE], Some(of_user::INDEX)), format!("SEARCH m USING INTEGER PRIMARY KEY (rowid=?); LIST SUBQUERY 7; SEARCH m USING COVERING INDEX message_user (<expr>=? AND user_id=?); LIST SUBQUERY 6; MATERIALIZE part; SETUP; SEARCH message; RECURSIVE STEP; SCAN part; SCALAR SUBQUERY 4; SEARCH message; SCAN part; {SEARCHED}").leak()),
        (searched(&[messages::CAUSE], None), format!("SEARCH m USING INDEX message_cause (cause=? AND rowid<?); {SEARCHED}").leak()),
        (retried("m.cause = ?"), "SEARCH m USING INDEX message_cause (cause=?); CORRELATED SCALAR SUBQUERY 1; SEARCH u USING INTEGER PRIMARY KEY (rowid=?)"),
        (retried("m.created_at >= ?"), "SEARCH m USING INDEX message_unsent (status=?); CORRELATED SCALAR SUBQUERY 1; SEARCH u USING INTEGER PRIMARY KEY (rowid=?)"),
        (retried("m.status = 'failed'"), "SEARCH m USING INDEX message_unsent (status=?); CORRELATED SCALAR SUBQUERY 1; SEARCH u USING INTEGER PRIMARY KEY (rowid=?)"),
        (retried(few(&[messages::USER]).trim_start_matches(" and ")), "SEARCH m USING INDEX message_unsent (status=?); LIST SUBQUERY 5; MATERIALIZE part; SETUP; SEARCH message; RECURSIVE STEP; SCAN part; SCALAR SUBQUERY 3; SEARCH message; SCAN part; CREATE BLOOM FILTER; CORRELATED SCALAR SUBQUERY 1; SEARCH u USING INTEGER PRIMARY KEY (rowid=?)"),
        (cancelled(0, few(&[messages::USER]).trim_start_matches(" and ")), "SEARCH m USING INDEX message_user (<expr>=? AND user_id=?); LIST SUBQUERY 4; MATERIALIZE part; SETUP; SEARCH message; RECURSIVE STEP; SCAN part; SCALAR SUBQUERY 2; SEARCH message; SCAN part"),
        (cancelled(0, "m.channel = ?"), "SEARCH m USING COVERING INDEX message_due (channel=?)"),
        (cancelled(0, "m.created_at < ?"), "SCAN m USING INDEX message_due"),
        (cancelled(1, "m.created_at < ?"), "SCAN m USING INDEX message_scheduled"),
    ];
    for (sql, expected) in plans {
        assert_eq!(plan(&store, &sql), expected, "{sql}");
    }
}
