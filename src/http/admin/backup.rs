//! A backup to take away. (Ours; what is in it says `store::backup`)

use crate::app::App;
use crate::error::Result;
use crate::http::guard::{Gone, Sink};
use crate::http::request::Request;
use crate::http::response::{Feed, Response};
use std::fs::File;
use std::io::Read;

/// How much is read of it at once, in bytes.
const PIECE_BYTES: usize = 64 * 1024;

/// Sends a backup that is made for the occasion.
pub fn download(app: &App, _request: &Request) -> Result<Response> {
    let now = app.clock.now();
    let (file, length) = app.store.download(now)?;
    let feed = Feed {
        length: Some(length),
        run: Box::new(move |sink| match send(file, sink) {
            Ok(()) => {}
            Err(fault) => log::warn!("a backup was not sent to its end: {fault}"),
        }),
    };
    let name = now.strftime("herald-%Y-%m-%d.db");
    Ok(Response::streamed("application/vnd.sqlite3", feed)
        .header(
            "Content-Disposition",
            format!("attachment; filename=\"{name}\""),
        )
        .header("Cache-Control", "no-store"))
}

fn send(mut file: File, sink: Sink) -> std::io::Result<()> {
    let gone = |Gone| std::io::Error::other("its reader has gone");
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        match file.read(&mut piece)? {
            0 => return sink.finish().map_err(gone),
            length => sink.send(&piece[..length]).map_err(gone)?,
        }
    }
}
