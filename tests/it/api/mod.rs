//! The API from outside, case by case: each file of `tests/cases/api` is a rule of the documents, the requests that try
//! it, and the whole expected replies.
//!
//! ```text
//! rule: One sentence of the document.
//! # A remark.
//! > POST /api/admin/v1/users          the request: method and path,
//! > Authorization:                    its headers (this one empty: none at all; left out: every scope),
//! >> {"UserName":"<a*128>"}           and its body, where `<a*128>` is written out and `<bytes:ff>` is a byte
//! < 200                               the reply: status,
//! < Location: /api/admin/v1/users/1   the headers of `exchange::SHOWN` that are there, in that order,
//! << {"Result":"OK","Data":{"ID":1,"Guid":"<guid:anna>"}}     and the body, letter by letter
//! * settle                            waits until every message has reached a final state,
//! * settle 2                          or until no more than two are left that have not
//! * advance 86400                     moves the clock, in seconds
//! ```
//!
//! What cannot be known is a hole, `<guid>`, `<key>`, `<secret>`, `<token>`, `<jwt>`, `<ms>` or `<boundary>`; with a
//! name, as in `<guid:anna>`, later lines may say `{anna}`; `{url}` is the appliance's own address. `HERALD_WRITE_CASES=1` fills in replies that differ: read each
//! against the documents before you keep it.

mod beyond;
mod case;
mod exchange;
mod routes;
mod sentences;
mod session;
mod text;

use crate::support::app::TestApp;
use case::{Case, Item};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;
use text::Names;

/// Each case has an appliance of its own, which mostly waits for its disk.
const CASES_AT_ONCE: usize = 4;

#[test]
fn every_case_gets_the_reply_that_the_documents_promise() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/api");
    let wanted = std::env::var("HERALD_CASES").unwrap_or_default();
    let mut paths = files(&root);
    paths.retain(|path| path.to_string_lossy().contains(&wanted));
    assert!(!paths.is_empty(), "no case in {}", root.display());
    let queue = Mutex::new(paths);
    let failures = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..CASES_AT_ONCE {
            scope.spawn(|| {
                while let Some(path) = next(&queue) {
                    let outcome = catch_unwind(AssertUnwindSafe(|| run(&path)));
                    let failure = outcome.unwrap_or_else(|panic| Err(said(panic.as_ref())));
                    if let Err(text) = failure {
                        let name = path.strip_prefix(&root).unwrap().display().to_string();
                        failures.lock().unwrap().push(format!("{name}: {text}"));
                    }
                }
            });
        }
    });
    let mut failures = failures.into_inner().unwrap();
    failures.sort();
    assert!(failures.is_empty(), "\n{}", failures.join("\n\n"));
}

fn next(queue: &Mutex<Vec<PathBuf>>) -> Option<PathBuf> {
    queue.lock().unwrap().pop()
}

fn said(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("it panicked")
        .to_owned()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found
}

fn run(path: &Path) -> Result<(), String> {
    let writes = std::env::var_os("HERALD_WRITE_CASES").is_some();
    let mut case = Case::parse(&std::fs::read_to_string(path).unwrap())?;
    let app = TestApp::start();
    let mut names = Names::with("url", app.url());
    let mut failures = Vec::new();
    for (at, item) in case.items.iter_mut().enumerate() {
        match item {
            Item::Remark(_) => {}
            Item::Settle(waiting) => app.until("the others have reached a final state", || {
                app.pending() == *waiting
            }),
            Item::Advance(seconds) => app.advance(Duration::from_secs_f64(*seconds)),
            Item::Call { request, reply } => {
                let asked = case::request(request, &names)?;
                let actual = exchange::send(&app, &asked);
                let expected = text::expand(&names.filled(&reply.join("\n")));
                if names.match_holes(&expected, &actual) {
                    continue;
                }
                if writes {
                    let recorded = names.with_holes(&actual, &request.join("\n"));
                    *reply = recorded.lines().map(str::to_owned).collect();
                } else {
                    let step = case.lines[at];
                    failures.push(format!(
                        "line {step}: {}\nexpected:\n{expected}\nactual:\n{actual}",
                        request[0]
                    ));
                }
            }
        }
    }
    if writes {
        std::fs::write(path, case.to_string()).unwrap();
    }
    match failures.is_empty() {
        true => Ok(()),
        false => Err(failures.join("\n")),
    }
}
