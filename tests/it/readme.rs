//! README tells the truth where a test can say so.

use herald::http::routes::ROUTES;
use std::fmt::Write;

const README: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");

#[test]
fn the_api_list_is_the_route_table() {
    let readme = std::fs::read_to_string(README).unwrap();
    let (before, rest) = readme.split_once("<!-- routes -->\n").unwrap();
    let (listed, after) = rest.split_once("<!-- /routes -->").unwrap();
    let mut expected = String::from("| method | path | |\n|---|---|---|\n");
    for route in ROUTES {
        writeln!(
            expected,
            "| {} | `{}` | {} |",
            route.method, route.pattern, route.summary
        )
        .unwrap();
    }
    if std::env::var_os("HERALD_WRITE_CASES").is_some() {
        let text = format!("{before}<!-- routes -->\n{expected}<!-- /routes -->{after}");
        std::fs::write(README, text).unwrap();
        return;
    }
    assert_eq!(
        listed, expected,
        "HERALD_WRITE_CASES=1 writes the list anew"
    );
}
