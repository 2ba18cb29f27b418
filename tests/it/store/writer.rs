//! The writer: what shares a commit, and what an error takes with it.

use super::{add, names, open};
use herald::domain::ids::UserId;
use herald::error::{Error, Result};
use herald::store::Tx;
use std::sync::mpsc;

#[test]
fn writers_at_once_are_all_on_disk_and_an_error_takes_only_its_own_part() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    for group in 0..5 {
        // Behind a write that waits for them, so that they share a commit.
        let (go, gate) = mpsc::channel::<()>();
        let first = store.begin_write(move |_| gate.recv().map_err(Error::internal));
        let written: Vec<_> = (0..8)
            .map(|number| {
                let name = format!("user-{group}-{number}");
                store.begin_write(move |tx| {
                    add(tx, &name)?;
                    match number % 4 {
                        1 => Err(Error::invalid("changed my mind")),
                        2 => panic!("on purpose"),
                        3 => add(tx, &name),
                        _ => Ok(UserId(0)),
                    }
                })
            })
            .collect();
        go.send(()).unwrap();
        first.recv().unwrap().unwrap();
        let expected = [
            Ok(()),
            Err("err_InvalidElement"),
            Err("post_generic"),
            Err("err_DuplicateElement"),
        ];
        for (number, done) in written.iter().enumerate() {
            let written = done.recv().unwrap();
            let outcome = written.as_ref().map_err(Error::code).map(drop);
            assert_eq!(outcome, expected[number % 4], "{written:?}");
        }
    }
    drop(store);
    let kept = |group| [0, 4].map(|number| format!("user-{group}-{number}"));
    let expected: Vec<_> = (0..5).flat_map(kept).collect();
    assert_eq!(open(directory.path()).read(names).unwrap(), expected);
}

#[test]
fn what_waits_meanwhile_shares_one_commit() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let (inside, is_inside) = mpsc::channel();
    let (let_go, wait) = mpsc::channel::<()>();
    let first = store.begin_write(move |tx| {
        inside.send(()).unwrap();
        wait.recv().unwrap_or(());
        add(tx, "first")
    });
    is_inside.recv().unwrap();
    // The second sees the first, whose commit is still to come: they are in one transaction.
    let second = store.begin_write(|tx| {
        add(tx, "second")?;
        names(tx)
    });
    assert_eq!(store.read(names).unwrap(), [""; 0]);
    drop(let_go);
    assert_eq!(second.recv().unwrap().unwrap(), ["first", "second"]);
    // Answers go out after the commit.
    assert_eq!(store.read(names).unwrap(), ["first", "second"]);
    first.recv().unwrap().unwrap();
}
/// Queues these behind a write that waits for them, so that they share a commit; what each was told, and the names kept.
fn together(writes: &[fn(&Tx<'_>) -> Result<UserId>]) -> (Vec<String>, Vec<String>) {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let (go, gate) = mpsc::channel();
    let first = store.begin_write(move |_| gate.recv().map_err(Error::internal));
    let (tell, told) = mpsc::channel();
    for (number, write) in writes.iter().enumerate() {
        let tell = tell.clone();
        store.write_then(*write, move |done| {
            let said = done.map_or_else(|error| error.details(), |_| "kept".into());
            tell.send((number, said)).unwrap();
        });
    }
    go.send(()).unwrap();
    drop(first.recv());
    let mut said: Vec<_> = writes.iter().map(|_| told.recv().unwrap()).collect();
    said.sort();
    let kept = store.read(names).unwrap();
    (said.into_iter().map(|(_, said)| said).collect(), kept)
}

#[test]
fn a_write_without_a_savepoint_fails_alone_unless_it_has_changed_something() {
    let early = together(&[
        |tx| add(tx, "one"),
        |_| Err(Error::invalid("No.")),
        |tx| add(tx, "two"),
    ]);
    let all = |words: [&str; 3]| words.map(str::to_owned).to_vec();
    assert_eq!(early.0, all(["kept", "No.", "kept"]));
    assert_eq!(early.1, ["one", "two"]);
    let late = together(&[
        |tx| add(tx, "one"),
        |tx| add(tx, "half").and(Err(Error::invalid("Too late."))),
        |tx| add(tx, "two"),
    ]);
    let unavailable = Error::Unavailable {
        retry_after_secs: 5,
        cause: String::new(),
    };
    let busy = unavailable.details();
    assert_eq!(late.0, all([&busy, "Too late.", &busy]));
    assert_eq!(late.1, [""; 0]);
}
