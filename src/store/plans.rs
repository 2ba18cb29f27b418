//! A test: the statements that run all day find their rows by an index, however long the log has grown.

use super::{Access, Store, idempotency, messages, outbox, waiting};

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

#[test]
fn what_runs_all_day_uses_its_index() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let now = "2026-11-22T12:00:00Z".parse().expect("a time");
    let store = Store::open(&directory.path().join("data"), Access::Exclusive, now).expect("open");
    #[rustfmt::skip] // A table: one statement a line.
    let plans = [
        (outbox::DUE.to_owned(), "SEARCH message USING INDEX message_due (channel=? AND lane=? AND due_at<?)"),
        (waiting::NEXT_DUE.to_owned(), "SEARCH message USING COVERING INDEX message_due (channel=? AND lane=?)"),
        (outbox::PROMOTE.to_owned(), "SEARCH message USING INDEX message_scheduled (channel=? AND due_at<?)"),
        (waiting::NEXT_SCHEDULED.to_owned(), "SEARCH message USING COVERING INDEX message_scheduled (channel=?)"),
        (format!("select id from message where {}", waiting::OPEN), "SEARCH message USING COVERING INDEX message_open (status=?)"),
        (waiting::PENDING.to_owned(), "SCAN CONSTANT ROW; SCALAR SUBQUERY 1; SCAN message USING COVERING INDEX message_due; SCALAR SUBQUERY 2; SEARCH message USING COVERING INDEX message_open (status=?)"),
        (idempotency::FIND.to_owned(), "SEARCH idempotency USING PRIMARY KEY (owner=? AND key=?)"),
        (idempotency::FORGET.to_owned(), "SEARCH idempotency USING INDEX idempotency_age (created_at<?)"),
        (format!("select m.* from {} and m.user_id = ? order by m.id desc limit 10 offset 0", messages::SOURCE), "SEARCH m USING INDEX message_user (user_id=?)"),
        (format!("select count(*) from {} and m.user_id = ?", messages::SOURCE), "SEARCH m USING COVERING INDEX message_user (user_id=?)"),
        (messages::ATTEMPTS.to_owned(), "SEARCH attempt USING PRIMARY KEY (message_id=?); SEARCH report USING PRIMARY KEY (message_id=? AND number=?) LEFT-JOIN"),
    ];
    for (sql, expected) in plans {
        assert_eq!(plan(&store, &sql), expected, "{sql}");
    }
}
