//! The store: what shares a commit, what an error takes with it, what happens when the disk says no.

use crate::support::app::NOW;
use herald::domain::ids::{Owner, UserId};
use herald::domain::language::Language;
use herald::domain::user::UserDraft;
use herald::error::{Error, Result};
use herald::store::idempotency::{self, Kept};
use herald::store::page::{Column, Kind, Operand, Page, Query};
use herald::store::{
    Access, Db, Store, Tx, captured, clients, messages, providers, settings, templates, types,
    users,
};
use jiff::{SignedDuration, Timestamp};
use std::path::Path;
use std::sync::{Arc, Barrier, mpsc};
use std::time::Duration;
use uuid::Uuid;

fn now() -> Timestamp {
    NOW.parse().unwrap()
}

fn open(directory: &Path) -> Store {
    Store::open(&directory.join("data"), Access::Exclusive, now()).unwrap()
}

fn add(tx: &Tx<'_>, user_name: &str) -> Result<UserId> {
    let draft = UserDraft {
        user_name: user_name.into(),
        name: None,
        email: None,
        mobile: None,
        language: None,
        is_disabled: false,
        attributes: "{}".into(),
    };
    let profile = draft.check(Language::parse("en").unwrap())?;
    users::insert(tx, &profile, Uuid::new_v4(), now())
}

fn all(sort: Vec<(Column, bool)>) -> Query {
    Query {
        page: 1,
        page_size: 1000,
        sort,
        ..Query::default()
    }
}

fn names(db: &Db) -> Result<Vec<String>> {
    let page = users::list(db, &all(vec![(users::USER_NAME, false)]))?;
    Ok(page
        .rows
        .into_iter()
        .map(|user| user.profile.user_name)
        .collect())
}

#[test]
fn writers_at_once_are_all_on_disk_and_an_error_takes_only_its_own_part() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let start = Barrier::new(8);
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let (store, start) = (&store, &start);
            scope.spawn(move || {
                start.wait();
                for round in 0..20 {
                    let name = format!("user-{thread}-{round:02}");
                    let written = store.write(move |tx| {
                        add(tx, &name)?;
                        match round % 4 {
                            1 => Err(Error::invalid("changed my mind")),
                            2 => panic!("on purpose"),
                            3 => add(tx, &name),
                            _ => Ok(UserId(0)),
                        }
                    });
                    let outcome = written.as_ref().map_err(Error::code).map(drop);
                    let expected = [
                        Ok(()),
                        Err("err_InvalidElement"),
                        Err("post_generic"),
                        Err("err_DuplicateElement"),
                    ];
                    assert_eq!(outcome, expected[round % 4], "{written:?}");
                }
            });
        }
    });
    drop(store);
    let mut expected: Vec<_> = (0..8)
        .flat_map(|thread| {
            (0..20)
                .step_by(4)
                .map(move |round| format!("user-{thread}-{round:02}"))
        })
        .collect();
    expected.sort();
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

#[test]
fn a_reader_sees_one_moment() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    store.write(|tx| add(tx, "before")).unwrap();
    let seen = store.read(|db| {
        let first = names(db)?;
        store.write(|tx| add(tx, "meanwhile"))?;
        Ok((first, names(db)?))
    });
    let before = vec!["before".to_owned()];
    assert_eq!(seen.unwrap(), (before.clone(), before));
    assert_eq!(store.read(names).unwrap(), ["before", "meanwhile"]);
}

#[test]
fn a_read_that_panics_gives_its_connection_back() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    for _ in 0..20 {
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            store.read(|_| -> Result<()> { panic!("on purpose") })
        }));
        assert!(panicked.is_err());
    }
    assert_eq!(store.read(names).unwrap(), [""; 0]);
}

#[test]
fn a_database_that_another_process_holds_is_unavailable_and_comes_back() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    store.set_patience(Duration::from_millis(20)).unwrap();
    let data = directory.path().join("data");
    let other = Store::open(&data, Access::Shared, now()).unwrap();
    let (inside, is_inside) = mpsc::channel();
    let (let_go, wait) = mpsc::channel::<()>();
    let held = other.begin_write(move |_| {
        inside.send(()).unwrap();
        wait.recv().unwrap_or(());
        Ok(())
    });
    is_inside.recv().unwrap();
    let refused = store.write(|tx| add(tx, "too early")).unwrap_err();
    let Error::Unavailable {
        retry_after_secs, ..
    } = refused
    else {
        panic!("{refused:?}");
    };
    assert_eq!(retry_after_secs, 5);
    assert_eq!(store.read(names).unwrap(), [""; 0]);
    drop(let_go);
    held.recv().unwrap().unwrap();
    store.write(|tx| add(tx, "in time")).unwrap();
    assert_eq!(store.read(names).unwrap(), ["in time"]);
}

#[test]
fn a_second_server_is_refused_and_a_command_is_not() {
    let directory = tempfile::tempdir().unwrap();
    let _server = open(directory.path());
    let data = directory.path().join("data");
    let refused = Store::open(&data, Access::Exclusive, now()).err().unwrap();
    let expected = format!(
        "Another herald serves {} already. Stop it first, or name another directory with --data-dir.",
        data.display()
    );
    assert_eq!(refused, expected);
    Store::open(&data, Access::Shared, now()).unwrap();
}

#[test]
fn an_idempotency_key_is_remembered_for_a_day_per_client() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let kept = Kept {
        request_hash: [7; 32],
        guids: "a b".into(),
        location: "1".into(),
    };
    let copy = kept.clone();
    store
        .write(move |tx| idempotency::keep(tx, Owner(1), "key", &copy, now()))
        .unwrap();
    let at = |hours: i64, millis: i64| {
        now() + SignedDuration::from_hours(hours) + SignedDuration::from_millis(millis)
    };
    let find = |client, key: &str, now| {
        store
            .read(|db| idempotency::find(db, Owner(client), key, now))
            .unwrap()
    };
    assert_eq!(find(1, "key", at(24, -1)), Some(kept.clone()));
    assert_eq!(find(1, "key", at(24, 0)), None);
    assert_eq!(find(1, "Key", now()), None);
    assert_eq!(find(2, "key", now()), None);
    // The same key twice is a fault of ours, and after its day it may come again.
    let copy = kept.clone();
    let again = store.write(move |tx| idempotency::keep(tx, Owner(1), "key", &copy, at(24, -1)));
    assert!(again.is_err());
    store
        .write(move |tx| idempotency::keep(tx, Owner(1), "key", &kept, at(24, 0)))
        .unwrap();
}

/// The columns of a list and a look at one page of it.
type List = (
    &'static str,
    &'static [Column],
    fn(&Db, &Query) -> Result<usize>,
);

fn rows<T>(page: Result<Page<T>>) -> Result<usize> {
    page.map(|page| page.rows.len())
}

#[rustfmt::skip] // A table: one list a line.
const LISTS: [List; 7] = [
    ("templates", &[templates::ID, templates::TYPE, templates::FORMAT, templates::LCID, templates::LANGUAGE, templates::SENDER, templates::SUBJECT, templates::CREATED, templates::UPDATED, templates::UPDATED_BY], |db, query| rows(templates::list(db, query))),
    ("types", &[types::ID, types::SLUG, types::NAME, types::IS_SYSTEM, types::IS_NOTIFICATION], |db, query| rows(types::list(db, query))),
    ("users", &[users::ID, users::USER_NAME, users::NAME, users::EMAIL, users::MOBILE, users::LANGUAGE, users::LCID, users::IS_DISABLED, users::CREATED, users::UPDATED], |db, query| rows(users::list(db, query))),
    ("clients", &[clients::ID, clients::LABEL, clients::CREATED, clients::LAST_USED, clients::EXPIRES], |db, query| rows(clients::list(db, query))),
    ("captured", &[captured::ID, captured::FORMAT, captured::RECIPIENT, captured::CREATED], |db, query| rows(captured::list(db, query))),
    ("providers", &[providers::ID, providers::CHANNEL, providers::POSITION, providers::IS_LOCKED, providers::CREATED, providers::UPDATED], |db, query| rows(providers::list(db, query))),
    ("messages", &[messages::ID, messages::CREATED, messages::FORMAT, messages::TYPE, messages::LAST_ATTEMPT, messages::LAST_RESULT, messages::STATUS, messages::USER, messages::CAUSE], |db, query| rows(messages::list_of_user(db, UserId(1), query))),
];

#[test]
fn every_column_of_every_list_can_be_sorted_by_and_filtered_on() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    store.write(|tx| add(tx, "bo")).unwrap();
    for (name, columns, list) in LISTS {
        for column in columns {
            for descending in [false, true] {
                let query = all(vec![(*column, descending)]);
                store
                    .read(|db| list(db, &query))
                    .unwrap_or_else(|fault| panic!("{name} by {column:?}: {fault}"));
            }
            let nowhere = match column.kind {
                Kind::Text | Kind::Key => Operand::Text("nowhere".into()),
                Kind::Int | Kind::Time | Kind::Bool => Operand::Int(i64::MAX),
            };
            let query = Query {
                filters: vec![(*column, nowhere)],
                ..all(Vec::new())
            };
            let found = store.read(|db| list(db, &query));
            assert_eq!(found.unwrap(), 0, "{name} where {column:?}");
        }
    }
}

#[test]
fn a_sorted_and_filtered_page_is_the_one_asked_for() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    for name in ["anna", "Bo", "carl", "dora", "eva"] {
        store.write(move |tx| add(tx, name)).unwrap();
    }
    let page =
        |page, sort: Vec<(Column, bool)>, filters: Vec<(Column, Operand)>, search: Option<&str>| {
            let query = Query {
                page,
                page_size: 2,
                sort,
                filters,
                search: search.map(str::to_owned),
                ..Query::default()
            };
            let page = store.read(|db| users::list(db, &query)).unwrap();
            let names: Vec<_> = page
                .rows
                .into_iter()
                .map(|user| user.profile.user_name)
                .collect();
            (names.join(" "), page.total)
        };
    let down = vec![(users::ID, true)];
    assert_eq!(page(1, down.clone(), vec![], None), ("eva dora".into(), 5));
    assert_eq!(page(3, down, vec![], None), ("anna".into(), 5));
    assert_eq!(page(4, vec![], vec![], None), (String::new(), 5));
    let bo = vec![(users::USER_NAME, Operand::Text("bO".into()))];
    assert_eq!(page(1, vec![], bo, None), ("Bo".into(), 1));
    let enabled = vec![(users::IS_DISABLED, Operand::Int(0))];
    assert_eq!(page(1, vec![], enabled, Some("A")), ("anna carl".into(), 4));
    // Ties are broken by the id.
    let same = vec![(users::CREATED, true)];
    assert_eq!(page(1, same, vec![], None), ("anna Bo".into(), 5));
}

#[test]
fn what_is_kept_in_memory_is_what_the_database_says() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let beside = Store::open(&directory.path().join("data"), Access::Shared, now()).unwrap();
    let app_name = |store: &Store| store.read(settings::load).unwrap().app_name.clone();
    let rename = |store: &Store, name: &'static str, keep: bool| {
        let done = store.write(move |tx| {
            let mut changed = Arc::unwrap_or_clone(settings::load(tx)?);
            changed.app_name = name.into();
            settings::save(tx, &changed)?;
            // What this write itself reads is what it has written.
            assert_eq!(settings::load(tx)?.app_name, name);
            match keep {
                true => Ok(()),
                false => Err(Error::invalid("no")),
            }
        });
        assert_eq!(done.is_ok(), keep);
    };
    assert_eq!(app_name(&store), "Herald");
    rename(&store, "Rolled back", false);
    assert_eq!(app_name(&store), "Herald");
    rename(&store, "Ours", true);
    assert_eq!(app_name(&store), "Ours");
    rename(&beside, "Theirs", true);
    assert_eq!(app_name(&store), "Theirs");
    // A snapshot that was opened before a change goes on seeing what was.
    let seen = store.read(|db| {
        let before = settings::load(db)?.app_name.clone();
        rename(&store, "Later", true);
        assert_eq!(app_name(&store), "Later");
        Ok([before, settings::load(db)?.app_name.clone()])
    });
    assert_eq!(seen.unwrap(), ["Theirs", "Theirs"]);
    assert_eq!(app_name(&store), "Later");
}
