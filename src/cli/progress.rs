//! How far a long command is: one line on a terminal, nothing elsewhere. A signal asks it to stop.

use super::serve::catch_signals;
use crate::store::copies::{Stage, Watch};
use std::io::{IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::{Duration, Instant};

/// Nothing is shown of what is done sooner.
const SHOWN_AFTER: Duration = Duration::from_secs(1);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(200);

/// Where the work is.
#[derive(Clone)]
struct Place {
    stage: Option<Stage>,
    since: Instant,
}

/// Runs `work`, shows how far it is, and tells it to stop at SIGINT and SIGTERM.
///
/// # Errors
/// What `work` says.
pub(super) fn watched<T>(work: impl FnOnce(&Watch<'_>) -> Result<T, String>) -> Result<T, String> {
    let mut signals = catch_signals()?;
    let ends = signals.handle();
    let stop = Arc::new(AtomicBool::new(false));
    let place = Mutex::new(Place {
        stage: None,
        since: Instant::now(),
    });
    let enter = |stage| {
        *place.lock().unwrap_or_else(PoisonError::into_inner) = Place {
            stage: Some(stage),
            since: Instant::now(),
        };
    };
    let (done, is_done) = mpsc::channel::<()>();
    std::thread::scope(|scope| {
        let stops = Arc::clone(&stop);
        scope.spawn(move || {
            for _ in signals.forever() {
                stops.store(true, Ordering::Relaxed);
            }
        });
        if std::io::stderr().is_terminal() {
            let place = &place;
            scope.spawn(move || show(place, &is_done));
        }
        let outcome = work(&Watch {
            enter: &enter,
            stop,
        });
        ends.close();
        drop(done);
        outcome
    })
}

fn show(place: &Mutex<Place>, is_done: &mpsc::Receiver<()>) {
    let started = Instant::now();
    let mut is_shown = false;
    while is_done.recv_timeout(PAUSE) == Err(mpsc::RecvTimeoutError::Timeout) {
        let Place { stage, since } = place.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(stage) = stage.filter(|_| started.elapsed() >= SHOWN_AFTER) {
            is_shown = true;
            write(&line(&stage, since.elapsed()));
        }
    }
    if is_shown {
        write("");
    }
}

/// Over the line before.
fn write(line: &str) {
    let mut out = std::io::stderr().lock();
    drop(write!(out, "\r\x1b[K{line}").and_then(|()| out.flush()));
}

fn line(stage: &Stage, elapsed: Duration) -> String {
    match stage {
        Stage::Copying { into, bytes } => {
            let written = std::fs::metadata(into).map_or(0, |file| file.len());
            let percent = (written * 100).checked_div(*bytes).unwrap_or(0).min(100);
            format!("copying: {percent} %")
        }
        Stage::Checking(what) => format!("checking {what}: {} s", elapsed.as_secs()),
        Stage::Finishing => "bringing it to the disk".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_what_is_done_and_how_far_it_is() {
        let directory = tempfile::tempdir().expect("a directory");
        let into = directory.path().join("x");
        let copying = |bytes| {
            let into = into.clone();
            line(&Stage::Copying { into, bytes }, Duration::ZERO)
        };
        assert_eq!(copying(1000), "copying: 0 %");
        std::fs::write(&into, [0; 430]).expect("written");
        assert_eq!(copying(1000), "copying: 43 %");
        assert_eq!(copying(100), "copying: 100 %");
        assert_eq!(copying(0), "copying: 0 %");
        let checking = line(&Stage::Checking("attempts"), Duration::from_millis(7900));
        assert_eq!(checking, "checking attempts: 7 s");
    }
}
