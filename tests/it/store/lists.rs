//! Pages: sorted and filtered by any column of their table.

use super::{add, all, open};
use herald::domain::ids::UserId;
use herald::error::Result;
use herald::store::page::{Column, Kind, Operand, Page, Query};
use herald::store::{Db, captured, clients, messages, providers, templates, types, users};

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
    ("captured", &[captured::ID, captured::FORMAT, captured::CHANNEL, captured::RECIPIENT, captured::CREATED], |db, query| rows(captured::list(db, query))),
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
                Kind::Text | Kind::Key | Kind::Word(_) | Kind::Pattern(_) => {
                    Operand::Text("nowhere".into())
                }
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
