//! The invariants that `src/lib.rs` lists, held over the source text.
//!
//! Comments are not looked at, so that a rule may name what it forbids. Each rule also demands that what it confines is
//! found where it belongs: a rule about nothing would hold for ever.

use std::fs;
use std::path::{Path, PathBuf};

/// A source file: its path from the root of the repository, and its lines without comments.
struct Source {
    path: String,
    lines: Vec<String>,
}

/// The Rust files under a directory of the repository.
fn sources(directory: &str) -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut waiting = vec![root.join(directory)];
    let mut found: Vec<PathBuf> = Vec::new();
    while let Some(place) = waiting.pop() {
        for entry in fs::read_dir(place).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                waiting.push(path);
            } else if path.extension().is_some_and(|kind| kind == "rs") {
                found.push(path);
            }
        }
    }
    found.sort();
    let read = |path: PathBuf| Source {
        lines: fs::read_to_string(&path)
            .unwrap()
            .lines()
            .map(|line| match line.trim_start().starts_with("//") {
                true => String::new(),
                false => line.to_owned(),
            })
            .collect(),
        path: path.strip_prefix(root).unwrap().display().to_string(),
    };
    found.into_iter().map(read).collect()
}

/// Whether a line has this word, not as a part of a longer one.
fn has(line: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        !line[..at].ends_with(is_part) && !line[at + word.len()..].starts_with(is_part)
    })
}

/// Demands that these words stand only in files whose paths begin like this, and that they do stand there.
#[track_caller]
fn only_in(words: &[&str], places: &[&str]) {
    let mut inside = 0;
    let mut outside = Vec::new();
    for source in sources("src") {
        for (number, line) in source.lines.iter().enumerate() {
            if !words.iter().any(|word| has(line, word)) {
                continue;
            }
            if places.iter().any(|place| source.path.starts_with(place)) {
                inside += 1;
            } else {
                outside.push(format!("{}:{}: {}", source.path, number + 1, line.trim()));
            }
        }
    }
    assert_eq!(outside, [""; 0], "{words:?} belong into {places:?}");
    assert!(inside > 0, "{words:?} are nowhere in {places:?}");
}

/// The roots of the paths that a file names in its `use` lines, `crate::x` as a whole.
fn imports(source: &Source) -> Vec<String> {
    let uses = source.lines.iter().filter_map(|line| {
        let line = line.trim_start();
        let line = line.strip_prefix("pub ").unwrap_or(line);
        line.strip_prefix("use ")
    });
    uses.map(|path| {
        let mut parts = path.trim_end_matches(';').split("::");
        match (parts.next(), parts.next()) {
            (Some("crate"), Some(module)) => format!("crate::{module}"),
            (Some(root), _) => root.to_owned(),
            (None, _) => String::new(),
        }
    })
    .collect()
}

#[test]
fn the_domain_imports_only_itself_and_what_has_no_effects() {
    let allowed = [
        "crate::domain",
        "crate::error",
        "super",
        "std",
        // Values: a time, an id, an alphabet. Neither asks the machine for anything as it is used there.
        "jiff",
        "uuid",
        "deunicode",
    ];
    let mut seen = 0;
    for source in sources("src/domain") {
        for import in imports(&source) {
            assert!(
                allowed.contains(&import.as_str()),
                "{} imports {import}",
                source.path
            );
            seen += 1;
        }
        for foreign in [
            "serde",
            "serde_json",
            "rusqlite",
            "tiny_http",
            "minijinja",
            "ureq",
            "mail_send",
            "tokio",
            "std::fs",
            "std::net",
            "std::thread",
            "getrandom",
        ] {
            let named = source.lines.iter().find(|line| has(line, foreign));
            assert_eq!(named, None, "{} names {foreign}", source.path);
        }
    }
    assert!(seen > 20, "the domain has {seen} imports");
}

#[test]
fn only_the_store_has_sql() {
    only_in(&["rusqlite"], &["src/store/"]);
    only_in(
        &[
            "select count",
            "select exists",
            "insert into",
            "delete from",
            "returning id",
            "begin immediate",
            "where id",
            "order by",
        ],
        &["src/store/"],
    );
}

#[test]
fn no_public_function_of_the_store_names_its_engine() {
    let mut seen = 0;
    for source in sources("src/store") {
        let text = source.lines.join("\n");
        for signature in text.split("pub fn ").skip(1) {
            let signature = signature.split(['{', ';']).next().unwrap_or_default();
            for engine in ["rusqlite", "Connection", "Row", "Statement", "Value"] {
                assert!(!has(signature, engine), "{}: {signature}", source.path);
            }
            seen += 1;
        }
    }
    assert!(seen > 50, "the store has {seen} public functions");
}

#[test]
fn only_http_knows_status_codes_and_the_names_of_the_apis() {
    only_in(&["StatusCode", "tiny_http"], &["src/http/"]);
    only_in(&["Serialize", "JsonSchema"], &["src/http/"]);
    // A gateway's JSON is its provider's business.
    only_in(&["Deserialize"], &["src/http/", "src/channel/"]);
    // What a command prints as --json, and a line of the log for machines, are promises of those two; what a simulated
    // service says is its own.
    only_in(
        &["serde", "serde_json"],
        &[
            "src/http/",
            "src/channel/",
            "src/cli/",
            "src/logger.rs",
            "src/simulate/",
        ],
    );
}

#[test]
fn only_a_channel_opens_outgoing_connections() {
    only_in(&["ureq"], &["src/channel/"]);
    only_in(&["tokio", "mail_send"], &["src/channel/email"]);
    only_in(
        &["tokio_rustls", "rustls_platform_verifier", "ClientConfig"],
        &["src/channel/"],
    );
    // A Unix socket leads nowhere outside: the guard knocks at its own to see whether somebody is there.
    only_in(
        &["TcpStream::connect", "UdpSocket", "mail_send"],
        &["src/channel/"],
    );
}

#[test]
fn only_the_guard_and_the_simulated_world_listen() {
    only_in(
        &["TcpListener", "UnixListener"],
        &["src/http/guard/", "src/simulate/"],
    );
    only_in(&["rustls"], &["src/channel/", "src/simulate/"]);
    only_in(&["ServerConfig", "rcgen"], &["src/simulate/"]);
}

#[test]
fn the_appliance_and_the_simulated_world_do_not_know_each_other() {
    only_in(&["simulate"], &["src/cli/", "src/simulate/", "src/lib.rs"]);
    for source in sources("src/simulate") {
        for import in imports(&source) {
            let inner = import.strip_prefix("crate::").unwrap_or_default();
            assert!(
                ["", "simulate", "channel"].contains(&inner),
                "{} imports {import}",
                source.path
            );
        }
    }
}

#[test]
fn only_the_configuration_reads_the_environment() {
    only_in(
        &["env::var", "env::var_os", "env::vars"],
        &["src/config.rs"],
    );
    // clap reads the variable that a flag names, so the name stands beside the flag: the server's in the configuration,
    // a command's in its own file. Each begins with HERALD_.
    let mut declared = 0;
    for source in sources("src") {
        let may = source.path == "src/config.rs" || source.path.starts_with("src/cli/");
        for line in source.lines.iter().filter(|line| line.contains("env = \"")) {
            assert!(
                may && line.contains("env = \"HERALD_"),
                "{}: {line}",
                source.path
            );
            declared += 1;
        }
    }
    assert!(declared > 8, "{declared} variables are declared");
}

#[test]
fn only_the_clock_reads_the_time_of_day() {
    // An Instant is no time of day: it may be taken anywhere for measuring and waiting.
    only_in(
        &["Timestamp::now", "SystemTime", "Zoned::now", "UNIX_TIME"],
        &["src/clock.rs"],
    );
}

#[test]
fn whoever_talks_to_a_socket_does_not_know_the_store() {
    // So no transaction can be open while it does. The capture channel talks to nobody.
    for place in ["src/channel", "src/http/guard", "src/simulate"] {
        for source in sources(place) {
            let knows = source
                .lines
                .iter()
                .any(|line| line.contains("crate::store"));
            assert_eq!(
                knows,
                source.path == "src/channel/capture.rs",
                "{}",
                source.path
            );
        }
    }
}

#[test]
fn one_writer_thread_owns_the_only_connection_that_writes() {
    // The writer's, the one that copies its log into the database, and two to files that nobody uses: a copy before it has
    // its name, a database before it loses its.
    let writes = [
        "src/store/aside.rs",
        "src/store/checkpointer.rs",
        "src/store/copies.rs",
        "src/store/migrate.rs",
    ];
    only_in(&["SQLITE_OPEN_READ_WRITE"], &writes);
    let opens = sources("src").into_iter().flat_map(|source| {
        let lines = source.lines.into_iter();
        let opening = lines.filter(|line| line.contains("OpenFlags::SQLITE_OPEN_READ_WRITE"));
        opening.map(move |_| source.path.clone())
    });
    assert_eq!(opens.collect::<Vec<_>>(), writes);
    // Without flags a connection may write, and make a file: to memory it may.
    only_in(&["Connection::open_in_memory"], &["src/store/check.rs"]);
    for source in sources("src/store") {
        let mut lines = source.lines.iter();
        let plain = lines.find(|line| line.contains("Connection::open("));
        // A test there makes another program's database.
        assert!(
            plain.is_none() || source.path == "src/store/migrate.rs",
            "{}",
            source.path
        );
    }
    only_in(&["migrate::open"], &["src/store/mod.rs"]);
    only_in(&["Writer::start"], &["src/store/mod.rs"]);
}

#[test]
fn templates_and_values_meet_only_where_they_are_rendered() {
    only_in(&["minijinja"], &["src/render/"]);
}

#[test]
fn nothing_is_unsafe() {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let manifest = fs::read_to_string(manifest).unwrap();
    // The compiler holds this one: what is forbidden cannot be allowed again further down.
    assert!(manifest.contains("\n[lints.rust]\nunsafe_code = \"forbid\"\n"));
}

/// Files that are longer: a table of cases.
const LONG_FILES: [&str; 1] = ["tests/it/render.rs"];

/// Functions that are longer: each is a table of cases, but for the one journey.
const LONG_FUNCTIONS: [&str; 8] = [
    "cases",
    "an_operator_that_cannot_be_is_refused_with_its_reason",
    "what_cannot_be_used_is_refused_with_a_sentence_that_names_it_and_holds_no_secret",
    "wrong_usage_says_what_is_wrong_and_exits_2",
    "every_kind_of_message_arrives_whole_and_the_log_says_so",
    "each_rule_refuses_with_its_own_sentence",
    "the_built_in_types_are_those_of_the_contract",
    "templates_do_what_authors_need",
];

#[test]
fn files_stay_below_400_lines_and_functions_below_70() {
    let mut long_files = Vec::new();
    let mut long_functions = Vec::new();
    for source in sources("src").into_iter().chain(sources("tests")) {
        if source.lines.len() >= 400 {
            long_files.push(source.path.clone());
        }
        let long = functions(&source).filter(|(_, lines)| *lines >= 70);
        long_functions
            .extend(long.map(|(name, lines)| format!("{}: {name} has {lines}", source.path)));
    }
    long_files.retain(|path| !LONG_FILES.contains(&path.as_str()));
    long_functions.retain(|long| !LONG_FUNCTIONS.iter().any(|name| has(long, name)));
    assert_eq!((long_files, long_functions), (Vec::new(), Vec::new()));
}

/// Each function's name and how many lines it has: down to the brace that stands below its `fn`, as rustfmt puts it.
fn functions(source: &Source) -> impl Iterator<Item = (&str, usize)> {
    source.lines.iter().enumerate().filter_map(|(at, line)| {
        let indent = line.len() - line.trim_start().len();
        let (before, name) = line.split_once("fn ")?;
        let is_item = before
            .split_whitespace()
            .all(|word| ["pub", "const", "async"].contains(&word) || word.starts_with("pub("));
        let name = name.split(['(', '<']).next().filter(|_| is_item)?;
        let close = format!("{}}}", " ".repeat(indent));
        let lines = source.lines[at..].iter().position(|line| *line == close)?;
        Some((name, lines + 1))
    })
}
