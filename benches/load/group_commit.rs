//! The bare loop: callers that do nothing but insert messages through the store's group commit.

use crate::Result;
use herald::domain::format::Format;
use herald::domain::ids::{TemplateId, TypeId};
use herald::domain::message::{Decision, NewMessage, Status};
use herald::store::{Access, Store, messages};
use jiff::{SignedDuration, Timestamp};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

pub(crate) fn inserts_per_sec(disk: &Path, callers: usize, span: Duration) -> Result<f64> {
    let directory = tempfile::tempdir_in(disk)?;
    let store = Store::open(
        &directory.path().join("data"),
        Access::Exclusive,
        Timestamp::now(),
    )?;
    let (over, inserted) = (AtomicBool::new(false), AtomicU64::new(0));
    let started = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..callers {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    let new = message();
                    store
                        .write(move |tx| messages::insert(tx, &new))
                        .expect("an insert into a new database works");
                    inserted.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        std::thread::park_timeout(span);
        over.store(true, Ordering::Relaxed);
    });
    Ok(inserted.into_inner() as f64 / started.elapsed().as_secs_f64())
}

/// As large as the built-in welcome mail with its trace.
pub(crate) fn message() -> NewMessage {
    let now = Timestamp::now();
    NewMessage {
        guid: uuid::Uuid::now_v7(),
        user_id: None,
        type_id: TypeId(1),
        template_id: Some(TemplateId(1)),
        format: Format::CombinedEmail,
        status: Status::Queued,
        is_system: true,
        recipient: "user@example.com".into(),
        recipient_name: Some("A User".into()),
        sender: None,
        subject: Some("Welcome to Herald".into()),
        body: Some("x".repeat(500)),
        html_body: Some("x".repeat(1000)),
        is_sensitive: false,
        created: now,
        created_by: "bench".into(),
        due: now,
        expires: now + SignedDuration::from_hours(24),
        by_the_minute: false,
        is_released: false,
        error: None,
        cause: None,
        trace: vec![Decision::new(
            "request",
            "welcome over email",
            "x".repeat(200),
        )],
    }
}
