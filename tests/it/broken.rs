//! The patches in `tests/broken` each break a promise of delivery.md, and name the test that must notice. Whether it does is
//! what `make broken` tries, which takes long; here it is held that all of them still can be tried.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// What is promised. Each has a patch, and each patch one of these.
const PROMISES: [&str; 21] = [
    "accepted means on disk",
    "nothing vanishes",
    "at least once, honestly",
    "a failure names itself",
    "secrets fade",
    "states",
    "attempt row before connecting",
    "retry table",
    "backoff",
    "lanes",
    "channels",
    "breaker",
    "failover",
    "poison",
    "expiry",
    "idempotency in one transaction",
    "wipe",
    "crash",
    "stop",
    "one process",
    "group commit",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The patches by name.
fn patches() -> Vec<(String, String)> {
    let files = fs::read_dir(root().join("tests/broken")).unwrap();
    let patches = files
        .map(|file| file.unwrap().path())
        .filter(|path| path.extension().is_some_and(|kind| kind == "patch"));
    let mut patches: Vec<_> = patches
        .map(|path| {
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            (name, fs::read_to_string(path).unwrap())
        })
        .collect();
    patches.sort();
    patches
}

/// A line of a patch's head.
fn head<'a>(patch: &'a str, field: &str) -> &'a str {
    let mut lines = patch.lines().take_while(|line| !line.is_empty());
    let line = lines.find_map(|line| line.strip_prefix(field)?.strip_prefix(": "));
    line.unwrap_or_default()
}

#[test]
fn every_promise_has_a_broken_build() {
    let patches = patches();
    let broken = patches
        .iter()
        .map(|(_, patch)| head(patch, "promise").split(": ").next().unwrap());
    let broken: BTreeSet<_> = broken.collect();
    assert_eq!(broken, PROMISES.into_iter().collect());
}

/// The lines before and after each hunk, with the file that they are of.
fn hunks(patch: &str) -> Vec<(&str, String)> {
    let mut hunks: Vec<(&str, String)> = Vec::new();
    let mut file = "";
    for line in patch.lines() {
        if let Some(path) = line.strip_prefix("--- a/") {
            file = path;
        } else if line.starts_with("@@ ") {
            hunks.push((file, String::new()));
        } else if let (Some((_, before)), Some(text)) =
            (hunks.last_mut(), line.strip_prefix([' ', '-']))
        {
            before.push_str(text);
            before.push('\n');
        }
    }
    hunks
}

#[test]
fn every_broken_build_can_still_be_made() {
    for (name, patch) in patches() {
        let hunks = hunks(&patch);
        assert!(!hunks.is_empty(), "{name} changes nothing");
        for (file, before) in hunks {
            assert!(file.starts_with("src/"), "{name} breaks {file}");
            let source = fs::read_to_string(root().join(file)).unwrap();
            let places = source.matches(&before).count();
            assert_eq!(places, 1, "{name} in {file}:\n{before}");
        }
    }
}

#[test]
fn every_broken_build_names_a_test_that_is_there() {
    for (name, patch) in patches() {
        let test = head(&patch, "test");
        let (kind, path) = test.split_once(' ').unwrap();
        let (module, function) = path.rsplit_once("::").unwrap();
        let module = module.replace("::", "/");
        let directory = match kind {
            "it" => root().join("tests/it"),
            "lib" => root().join("src"),
            _ => panic!("{name} names {test}"),
        };
        let places: [PathBuf; 2] =
            [format!("{module}.rs"), format!("{module}/mod.rs")].map(|place| directory.join(place));
        let sources = places
            .iter()
            .filter_map(|place| fs::read_to_string(place).ok());
        let declared = format!("#[test]\nfn {function}() {{");
        assert!(
            sources.into_iter().any(|source| source.contains(&declared)),
            "{name} names {test}"
        );
    }
}
