//! Putting a backup in the place of a data directory's database.
//!
//! The order of the steps is what keeps the promise: the backup is looked through before anything is touched; the copy of
//! it is whole, paused and on disk before the database before gets a second name; and one rename changes the one for the
//! other. Whatever interrupts it, the directory holds the old state or the new one. (Only what is too damaged to be a state
//! may be found in pieces: all of it, under its second names.)

use super::aside::{is_there, set_aside};
use super::copies::{self, RESTORE, Stage, Watch};
use super::directory::{self, Lock};
use super::providers::{self, Stored};
use super::unfinished::Unfinished;
use super::{Db, Tx, check};
use crate::clock::shown;
use jiff::Timestamp;
use std::path::{Path, PathBuf};

/// What was restored.
#[derive(Debug, Clone)]
pub struct Restored {
    /// Where the database before is now.
    pub kept: Option<PathBuf>,
    /// When the backup was made, if herald backup made it.
    pub made: Option<Timestamp>,
    /// Messages in the backup, of whatever state.
    pub messages: u64,
    /// Messages in it that will be sent when the outbox is let go.
    pub waiting: u64,
    /// Its stored providers, which need the right key.
    pub providers: Vec<Stored>,
}

/// Puts a copy of `file` in the place of the database of a data directory that nobody serves. It starts paused.
///
/// # Errors
/// A sentence; then the directory has the database that it had.
pub fn restore(
    data_dir: &Path,
    file: &Path,
    may_replace: bool,
    now: Timestamp,
    watch: &Watch<'_>,
) -> Result<Restored, String> {
    // A directory that is there is taken first, so that a running server is named at once; one that is not there is made
    // only when there is something to put into it.
    let held = match data_dir.exists() {
        true => Some(take(data_dir, may_replace)?),
        false => None,
    };
    let source = copies::open(file, watch).map_err(untouched)?;
    watch.enter(Stage::Checking("integrity"));
    let problems = check::integrity(&source);
    if watch.is_stopped() {
        return Err(untouched("Interrupted.".into()));
    }
    if let Some(problem) = problems.first() {
        return Err(untouched(format!(
            "{} is damaged ({problem}).",
            file.display()
        )));
    }
    let (place, _lock) = match held {
        Some(held) => held,
        None => take(data_dir, may_replace)?,
    };
    let (unfinished, mut restored) = copy(&source, &place, file, now, watch)?;
    drop(source);
    if watch.is_stopped() {
        return Err(untouched("Interrupted.".into()));
    }
    watch.enter(Stage::Finishing);
    restored.kept = set_aside(&place, now)?;
    unfinished.finish(true)?;
    Ok(restored)
}

fn untouched(sentence: String) -> String {
    format!("{sentence} Nothing was changed.")
}

/// Takes a directory from every server, and looks whether it may be changed.
fn take(data_dir: &Path, may_replace: bool) -> Result<(PathBuf, Lock), String> {
    let place = directory::enter(data_dir)?;
    let lock = Lock::take(data_dir)?;
    match is_there(&place) && !may_replace {
        true => Err(format!(
            "{} is there already. Say --force to put the backup in its place; it is kept under another name.",
            place.display()
        )),
        false => Ok((place, lock)),
    }
}

/// The whole copy beside its place, paused, and what it holds.
fn copy(
    source: &Db,
    place: &Path,
    file: &Path,
    now: Timestamp,
    watch: &Watch<'_>,
) -> Result<(Unfinished, Restored), String> {
    let not_written = |fault: String| copies::not_written(place, &fault, watch);
    let unfinished = Unfinished::begin(place)?;
    watch.enter(Stage::Copying {
        into: unfinished.path().to_owned(),
        bytes: copies::size(source),
    });
    let uri = unfinished
        .uri()
        .map_err(|fault| not_written(fault.to_string()))?;
    let copied = source.0.execute("vacuum into ?1", [uri]);
    copied.map_err(|fault| not_written(fault.to_string()))?;
    let made = copies::made(source).map_err(not_written)?;
    let made_at = made.map_or(String::new(), |made| format!(", made at {}", shown(made)));
    let reason = format!(
        "Restored from {}{made_at}: what waits may have been sent since.",
        file.display()
    );
    let db = copies::open_unfinished(&unfinished, watch).and_then(|db| {
        db.0.execute_batch("begin")?;
        copies::hold(&Tx(&db), RESTORE, &reason, now)?;
        // Whoever was signed in where the copy comes from is not signed in here.
        db.0.execute_batch("delete from session; commit")?;
        Ok(db)
    });
    let db = db.map_err(|fault| not_written(fault.to_string()))?;
    let (messages, waiting) = copies::counts(&db).map_err(not_written)?;
    let providers = providers::stored(&db).map_err(|fault| not_written(fault.to_string()))?;
    let restored = Restored {
        kept: None,
        made,
        messages,
        waiting,
        providers,
    };
    Ok((unfinished, restored))
}

#[cfg(test)]
mod tests {
    use super::super::aside::beside;
    use super::super::{Access, Store, operators};
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::AtomicBool;

    fn at(time: &str) -> Timestamp {
        time.parse().expect("a time")
    }

    fn now() -> Timestamp {
        at("2026-11-22T12:00:00Z")
    }

    fn watch() -> Watch<'static> {
        Watch {
            enter: &|_| {},
            stop: Arc::new(AtomicBool::new(false)),
        }
    }

    /// A data directory whose only operator has this name, closed again.
    fn directory_of(place: &Path, operator: &'static str) -> PathBuf {
        let data_dir = place.join(operator);
        let store = Store::open(&data_dir, Access::Exclusive, now()).expect("open");
        let insert = |tx: &super::super::Tx<'_>| operators::insert(tx, operator, "hash", now());
        store.write(insert).expect("an operator");
        data_dir
    }

    fn operators_of(data_dir: &Path) -> Vec<String> {
        let store = Store::open(data_dir, Access::Exclusive, now()).expect("open");
        let list = store.read(operators::list).expect("a list");
        list.into_iter()
            .map(|operator| operator.user_name)
            .collect()
    }

    /// The steps up to the one before which the process dies, in a directory whose operator was `old`; what is left of it
    /// is used, and then a whole restore is done.
    fn dies_before(step: usize) -> (tempfile::TempDir, Vec<String>, Vec<String>) {
        let place = tempfile::tempdir().expect("a directory");
        let data_dir = directory_of(place.path(), "old");
        let backup = directory_of(place.path(), "new").join("herald.db");
        let file = data_dir.join("herald.db");
        let held = take(&data_dir, true).expect("taken");
        let source = copies::open(&backup, &watch()).expect("a source");
        let copied = copy(&source, &file, &backup, now(), &watch());
        let (unfinished, _) = copied.expect("copied");
        if step > 1 {
            set_aside(&file, now()).expect("set aside");
        }
        match step > 2 {
            true => unfinished.finish(true).expect("finished"),
            false => unfinished.abandon(),
        }
        drop((source, held));
        let left = operators_of(&data_dir);
        restore(
            &data_dir,
            &backup,
            true,
            at("2026-11-22T12:00:01Z"),
            &watch(),
        )
        .expect("restored");
        let restored = operators_of(&data_dir);
        (place, left, restored)
    }

    #[test]
    fn a_process_that_dies_between_any_two_steps_leaves_the_old_state_or_the_new_one() {
        for (step, state) in [(1, "old"), (2, "old"), (3, "new")] {
            let (_place, left, restored) = dies_before(step);
            assert_eq!(
                (left, restored),
                (vec![state.to_owned()], vec!["new".to_owned()])
            );
        }
    }

    #[test]
    fn one_that_dies_on_an_empty_directory_leaves_one_that_can_be_served() {
        let place = tempfile::tempdir().expect("a directory");
        let backup = directory_of(place.path(), "new").join("herald.db");
        let data_dir = place.path().join("data");
        let (file, lock) = take(&data_dir, false).expect("taken");
        let source = copies::open(&backup, &watch()).expect("a source");
        let copied = copy(&source, &file, &backup, now(), &watch());
        copied.expect("copied").0.abandon();
        drop((source, lock));
        assert_eq!(operators_of(&data_dir), [""; 0]);
    }

    #[test]
    fn a_stop_before_the_change_leaves_everything_as_it_was() {
        for stage in ["integrity", "copying", "finishing"] {
            let place = tempfile::tempdir().expect("a directory");
            let data_dir = directory_of(place.path(), "old");
            let backup = directory_of(place.path(), "new").join("herald.db");
            let stop = Arc::new(AtomicBool::new(false));
            let stops = Arc::clone(&stop);
            let enter = move |now: Stage| {
                let name = match now {
                    Stage::Checking(_) => "integrity",
                    Stage::Copying { .. } => "copying",
                    Stage::Finishing => "finishing",
                };
                if name == stage {
                    stops.store(true, std::sync::atomic::Ordering::Relaxed);
                }
            };
            let watch = Watch {
                enter: &enter,
                stop,
            };
            let restored = restore(&data_dir, &backup, true, now(), &watch);
            // Past the last look there is no way back, and no need of one.
            let state = match stage {
                "finishing" => "new",
                _ => "old",
            };
            assert_eq!(restored.is_ok(), state == "new", "{stage}");
            if let Err(sentence) = restored {
                assert_eq!(sentence, "Interrupted. Nothing was changed.", "{stage}");
            }
            assert_eq!(operators_of(&data_dir), [state], "{stage}");
            assert!(!beside(&data_dir.join("herald.db"), ".unfinished").exists());
        }
    }

    #[test]
    fn what_is_kept_has_a_name_of_its_own_each_time() {
        let place = tempfile::tempdir().expect("a directory");
        let data_dir = directory_of(place.path(), "old");
        let backup = directory_of(place.path(), "new").join("herald.db");
        let kept = [(); 3].map(|()| {
            let restored = restore(&data_dir, &backup, true, now(), &watch()).expect("restored");
            let kept = restored.kept.expect("kept");
            kept.strip_prefix(&data_dir)
                .expect("in it")
                .display()
                .to_string()
        });
        let name = "herald.db.before-restore-20261122T120000Z";
        assert_eq!(
            kept,
            [name.to_owned(), format!("{name}-2"), format!("{name}-3")]
        );
    }
}
