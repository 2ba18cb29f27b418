//! `herald health` and `herald version`.

use super::{expect_failure, place};
use crate::support::binary::{Running, done, herald};
use crate::support::outside::{HttpFaults as _, gateway};
use herald::simulate::fault::Fault;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

fn busy() -> Fault {
    Fault::http(503, &[], "")
}

#[test]
fn health_is_0_when_the_server_is_ready_and_1_when_it_is_not() {
    let (_directory, data_dir) = place();
    let server = Running::serve(&data_dir, &[], &[]);
    let url = server.addresses()[0].clone();
    assert_eq!(done(&["health", "--url", &url], &[]), "ready\n");
    assert_eq!(
        done(&["health"], &[("HERALD_URL", &format!("{url}/"))]),
        "ready\n"
    );
    assert_eq!(server.stop().code, Some(0));
    let refused = format!(
        "{url} is not ready. The call failed before the request was sent: io: Connection refused (os error 111)."
    );
    expect_failure(&herald(&["health", "--url", &url], &[]), &refused);
    expect_failure(
        &herald(&["health", "--url", &url, "--wait", "--timeout", "1s"], &[]),
        &refused,
    );
}

#[test]
fn health_does_not_take_another_answer_for_ready() {
    let gateway = gateway();
    gateway.next(busy());
    let url = format!("http://127.0.0.1:{}", gateway.port());
    expect_failure(
        &herald(&["health", "--url", &url], &[]),
        &format!("{url} is not ready: it answers 503."),
    );
    assert_eq!(gateway.asked()[0].line(), "GET /readyz");
}

#[test]
fn health_asks_again_until_it_is_ready() {
    let gateway = gateway();
    gateway
        .next(busy())
        .next(Fault::Close)
        .next(Fault::http(200, &[], "ok\n"));
    let url = format!("http://127.0.0.1:{}", gateway.port());
    assert_eq!(done(&["health", "--wait", "--url", &url], &[]), "ready\n");
    assert_eq!(gateway.asked().len(), 3);
}

#[test]
fn health_ends_in_time_though_the_last_answer_never_comes() {
    let gateway = gateway();
    for _ in 0..15 {
        gateway.next(busy());
    }
    gateway.next(Fault::Silence);
    let url = format!("http://127.0.0.1:{}", gateway.port());
    let started = Instant::now();
    let said = herald(&["health", "--wait", "--timeout", "2s", "--url", &url], &[]);
    assert_eq!(said.code, Some(1));
    assert!(
        started.elapsed() < Duration::from_secs(3),
        "{:?}",
        started.elapsed()
    );
}

#[test]
fn version_names_the_program_the_platform_and_the_database() {
    let (version, sqlite) = (env!("CARGO_PKG_VERSION"), herald::store::engine_version());
    let platform = format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS);
    let whole: Value = serde_json::from_str(&done(&["version", "--json"], &[])).unwrap();
    assert_eq!(
        whole,
        json!({ "version": version, "platform": platform, "sqlite": sqlite })
    );
    assert_eq!(
        done(&["version"], &[]),
        format!("herald {version} ({platform}, SQLite {sqlite})\n")
    );
    assert_eq!(done(&["--version"], &[]), format!("herald {version}\n"));
}
