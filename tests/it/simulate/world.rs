//! A running `herald simulate`.

use crate::support::app::Caller;
use crate::support::binary::Running;
use serde_json::Value;
use std::collections::BTreeMap;

const FREE: [&str; 5] = ["simulate", "--smtp", "127.0.0.1:0", "--http", "127.0.0.1:0"];

/// A running simulator.
pub(super) struct World {
    pub(super) running: Running,
    /// Where faults are ordered.
    pub(super) control: Caller,
    /// What it has printed to paste, by service.
    pub(super) urls: BTreeMap<String, String>,
}

impl World {
    pub(super) fn start(words: &[&str]) -> Self {
        let running = Running::start(&[&FREE, words].concat(), &[]);
        running.until_it_prints("/simulate/faults");
        let lines = running.printed();
        let lines = lines.lines().map(serde_json::from_str::<Value>);
        let urls = lines.map_while(|line| {
            let line = line.ok()?;
            let text = |name: &str| line[name].as_str().map(str::to_owned);
            Some((text("Service")?, text("Url")?))
        });
        let urls: BTreeMap<_, _> = urls.collect();
        let base = urls
            .get("faults")
            .map_or("", |url| url.strip_suffix("/simulate/faults").unwrap());
        Self {
            control: Caller::new(base, ""),
            urls,
            running,
        }
    }

    pub(super) fn order(&self, faults: &str) {
        let reply = self
            .control
            .call("POST", "/simulate/faults", &[], faults.as_bytes());
        assert_eq!(reply.status, 201, "{}", reply.body);
    }

    pub(super) fn lift(&self) {
        self.control
            .delete("/simulate/faults")
            .expect(200, r#"{"Faults":[]}"#);
    }

    pub(super) fn messages(&self) -> Vec<Value> {
        let answer = self.control.get("/simulate/messages").json();
        answer["Messages"].as_array().unwrap().clone()
    }

    /// What was printed after the addresses, by what is in it.
    pub(super) fn printed(&self, field: &str) -> Vec<Value> {
        let lines = self.running.printed();
        let lines = lines
            .lines()
            .map(|line| serde_json::from_str(line).unwrap());
        lines
            .filter(|line: &Value| !line[field].is_null())
            .collect()
    }
}
