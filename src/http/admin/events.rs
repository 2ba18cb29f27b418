//! The log as it changes, as server-sent events. (Ours; <https://html.spec.whatwg.org/multipage/server-sent-events.html>)

use super::logs;
use crate::app::App;
use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::http::auth::{self, Pass};
use crate::http::guard::{Gone, Sink};
use crate::http::request::Request;
use crate::http::response::{Feed, Response};
use crate::store::Store;
use crate::store::messages;
use crate::store::news::{Mark, Since};
use serde::Serialize;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How often a stream looks up, and how long changes gather before they are told together.
const TICK: Duration = Duration::from_millis(250);
/// How often it is looked whether the reader may still read.
const PASS_EVERY: Duration = Duration::from_secs(1);
/// After so much silence a comment is sent, so that nobody in between takes the connection for dead.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// Changes that are told one by one at once; of more only their number is told.
pub const TOLD_MAX: usize = 100;
/// How long a browser waits before it comes back.
const RETRY: &str = "retry: 1000\n\n";

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Many {
    count: usize,
}

/// New and changed messages from now on, or from where a stream before broke off.
pub fn stream(app: &App, request: &Request) -> Result<Response> {
    if let Some((word, _)) = request.query().first() {
        return Err(Error::Invalid(format!(
            "{word:?} is no word of this address."
        )));
    }
    let told = request.header("last-event-id");
    let mut stream = Stream {
        known: app.store.news.latest(),
        store: app.store.clone(),
        clock: app.clock.clone(),
        pass: auth::pass(request)?,
        spoke: Instant::now(),
    };
    let resumes = told.map(Mark::parse);
    let feed = Feed {
        length: None,
        run: Box::new(move |sink| {
            let done = stream.run(&sink, resumes).and_then(|()| sink.finish());
            if done == Err(Gone) {
                log::debug!("a reader of the log has gone");
            }
        }),
    };
    Ok(Response::streamed("text/event-stream", feed)
        .header("Cache-Control", "no-store")
        // A proxy that gathers replies would keep them for itself.
        .header("X-Accel-Buffering", "no"))
}

struct Stream {
    known: Mark,
    store: Arc<Store>,
    clock: Arc<Clock>,
    pass: Pass,
    spoke: Instant,
}

impl Stream {
    /// Until the reader has gone or may not read any more.
    fn run(&mut self, sink: &Sink, resumes: Option<Option<Mark>>) -> std::result::Result<(), Gone> {
        self.say(sink, RETRY)?;
        match resumes {
            // What was shown by somebody else is not known here.
            Some(None) => self.event(sink, "reset", "{}")?,
            Some(Some(mark)) => self.known = mark,
            None => {}
        }
        let mut looked = Instant::now();
        loop {
            let (since, latest) = self.store.news.wait(self.known, TICK);
            self.known = latest;
            match since {
                Since::TooMuch => self.event(sink, "reset", "{}")?,
                Since::Changed(ids) if ids.len() > TOLD_MAX => {
                    let many = Many { count: ids.len() };
                    self.event(sink, "many", &json(&many))?;
                }
                Since::Changed(ids) if !ids.is_empty() => {
                    let lines = self.store.read(|db| messages::lines_of(db, &ids));
                    let Ok(lines) = lines else { return Ok(()) };
                    let mut left = lines.len();
                    for line in lines {
                        left -= 1;
                        let line = json(&logs::everyones(line));
                        match left {
                            0 => self.event(sink, "entry", &line)?,
                            // Whoever comes back from here hears all of them again.
                            _ => self.say(sink, &format!("event: entry\ndata: {line}\n\n"))?,
                        }
                    }
                }
                Since::Changed(_) if self.spoke.elapsed() >= HEARTBEAT => {
                    self.say(sink, ":\n\n")?
                }
                Since::Changed(_) => {}
            }
            if looked.elapsed() >= PASS_EVERY {
                looked = Instant::now();
                // A fault of the database ends the stream too; the browser comes back.
                if !self
                    .pass
                    .is_good(&self.store, self.clock.now())
                    .unwrap_or(false)
                {
                    return Ok(());
                }
            }
            sink.rest(TICK)?;
        }
    }

    /// One event. Its id says what its reader knows then, so that it goes on from there.
    fn event(&mut self, sink: &Sink, name: &str, data: &str) -> std::result::Result<(), Gone> {
        let id = self.known.shown();
        self.say(sink, &format!("id: {id}\nevent: {name}\ndata: {data}\n\n"))
    }

    fn say(&mut self, sink: &Sink, text: &str) -> std::result::Result<(), Gone> {
        self.spoke = Instant::now();
        sink.send(text.as_bytes())
    }
}

fn json(data: &impl Serialize) -> String {
    serde_json::to_string(data).expect("wire structs have string keys and no failing parts")
}
