//! A whole appliance in this process: port 0, a temporary directory, a clock that stands still, one client with every
//! scope. Dropped with messages that no one looked after, it fails the test.

use herald::app::Server;
use herald::clients::{self, Draft};
use herald::clock::Clock;
use herald::config::Config;
use herald::store;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Where the clock of every test stands.
pub(crate) const NOW: &str = "2026-11-22T12:00:00Z";

/// How long a test waits for something that must happen.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct TestApp {
    server: Option<Server>,
    caller: Caller,
    /// A bearer key with every scope.
    pub(crate) key: String,
    /// Removed when the test ends.
    directory: TempDir,
    may_wait: bool,
}

/// What came back: status, headers with lower-case names, body.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl TestApp {
    /// Captures everything.
    pub(crate) fn start() -> Self {
        Self::start_with(|config| config)
    }

    /// With another configuration, such as real providers.
    pub(crate) fn start_with(configure: impl FnOnce(Config) -> Config) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let listen = vec!["127.0.0.1:0".parse().unwrap()];
        let config = Config::capturing(listen, directory.path().join("data")).unwrap();
        let server = Server::start(&configure(config), Clock::fixed(NOW.parse().unwrap())).unwrap();
        let draft = Draft {
            label: "tests".into(),
            scopes: "relesys.api".into(),
            expires: None,
        };
        let key = clients::create(&server.app, draft, None, "tests")
            .unwrap()
            .key;
        Self {
            caller: Caller::new(&server.addresses[0], &key),
            server: Some(server),
            key,
            directory,
            may_wait: false,
        }
    }

    /// Stops it before its time; whether it did so in time.
    pub(crate) fn stop(&mut self) -> bool {
        self.may_wait = true;
        self.server.take().is_some_and(Server::stop)
    }

    pub(crate) fn server(&self) -> &Server {
        self.server.as_ref().unwrap()
    }

    /// The file of its database.
    pub(crate) fn database(&self) -> std::path::PathBuf {
        self.directory.path().join("data/herald.db")
    }

    /// Where it listens.
    pub(crate) fn url(&self) -> &str {
        &self.server().addresses[0]
    }

    pub(crate) fn get(&self, path: &str) -> Reply {
        self.caller.get(path)
    }

    pub(crate) fn delete(&self, path: &str) -> Reply {
        self.caller.delete(path)
    }

    pub(crate) fn post(&self, path: &str, json: &str) -> Reply {
        self.caller.post(path, json)
    }

    /// See [`Caller::call`].
    pub(crate) fn call(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Reply {
        self.caller.call(method, path, headers, body)
    }

    /// Moves the clock and wakes the senders.
    pub(crate) fn advance(&self, by: Duration) {
        let app = &self.server().app;
        app.clock.advance(by);
        for channel in herald::domain::format::Channel::ALL {
            app.bells.summon(channel);
        }
        app.alarm.ring();
    }

    /// Messages that have not reached a final state.
    pub(crate) fn pending(&self) -> i64 {
        self.server()
            .app
            .store
            .read(store::waiting::pending)
            .unwrap()
    }

    /// Waits until every message has reached a final state.
    #[track_caller]
    pub(crate) fn settled(&self) {
        self.until("every message has reached a final state", || {
            self.pending() == 0
        });
    }

    /// Waits for a condition, and fails when patience ends.
    #[track_caller]
    pub(crate) fn until(&self, what: &str, condition: impl Fn() -> bool) {
        until(what, condition);
    }

    /// This test ends with messages that still wait, on purpose.
    pub(crate) fn may_end_waiting(mut self) -> Self {
        self.may_wait = true;
        self
    }
}

/// Waits for a condition, and fails when patience ends.
#[track_caller]
pub(crate) fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < deadline, "gave up waiting until {what}");
        std::thread::park_timeout(Duration::from_millis(2));
    }
}

/// An application that calls the API with its key.
pub(crate) struct Caller {
    agent: ureq::Agent,
    url: String,
    key: String,
}

impl Caller {
    pub(crate) fn new(url: &str, key: &str) -> Self {
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .proxy(None)
            .timeout_global(Some(PATIENCE))
            .build()
            .into();
        Self {
            agent,
            url: url.into(),
            key: key.into(),
        }
    }

    pub(crate) fn get(&self, path: &str) -> Reply {
        self.call("GET", path, &[], b"")
    }

    pub(crate) fn delete(&self, path: &str) -> Reply {
        self.call("DELETE", path, &[], b"")
    }

    pub(crate) fn post(&self, path: &str, json: &str) -> Reply {
        self.call(
            "POST",
            path,
            &[("content-type", "application/json")],
            json.as_bytes(),
        )
    }

    /// Any call; the key goes along unless an `authorization` header is given (an empty one means none at all).
    pub(crate) fn call(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Reply {
        self.try_call(method, path, headers, body).unwrap()
    }

    /// The same of a server that may not be there.
    pub(crate) fn try_call(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Result<Reply, ureq::Error> {
        let mut request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.url));
        if !headers.iter().any(|(name, _)| *name == "authorization") {
            request = request.header("authorization", format!("Bearer {}", self.key));
        }
        for (name, value) in headers.iter().filter(|(_, value)| !value.is_empty()) {
            request = request.header(*name, *value);
        }
        let mut response = self.agent.run(request.body(body).unwrap())?;
        let header = |(name, value): (&ureq::http::HeaderName, &ureq::http::HeaderValue)| {
            (name.as_str().to_owned(), value.to_str().unwrap().to_owned())
        };
        Ok(Reply {
            status: response.status().as_u16(),
            headers: response.headers().iter().map(header).collect(),
            body: response.body_mut().read_to_string()?,
        })
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        if !std::thread::panicking() && !self.may_wait {
            let pending = self.pending();
            assert_eq!(
                pending, 0,
                "the test ends with messages that nobody looked after"
            );
        }
        if let Some(server) = self.server.take() {
            assert!(
                server.stop() || std::thread::panicking(),
                "the appliance did not stop in time"
            );
        }
    }
}

impl Reply {
    /// Compares status and whole body.
    #[track_caller]
    pub(crate) fn expect(&self, status: u16, body: &str) -> &Self {
        assert_eq!((self.status, self.body.as_str()), (status, body));
        self
    }

    /// The value of a header that must be there once.
    #[track_caller]
    pub(crate) fn header(&self, name: &str) -> &str {
        let found: Vec<_> = self.headers.iter().filter(|(n, _)| n == name).collect();
        assert_eq!(found.len(), 1, "{name} in {:?}", self.headers);
        &found[0].1
    }

    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.body))
    }
}
