//! A page deep in a long log beside the first page. The rows are made by one statement, which is the generator.

use crate::Result;
use crate::appliance::{Appliance, Prepared};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::{Duration, Instant};

/// Requests a figure is the median of.
const REQUESTS: usize = 31;

/// Every tenth row belongs to the first user, so that one user's log is long too.
const MAKE: &str = "
    with recursive n (i) as (select 1 union all select i + 1 from n where i < ?1)
    insert into message (guid, user_id, type_id, format, channel, status, lane, recipient, has_content, is_sensitive,
        created_at, created_by, due_at, expires_at)
    select randomblob(16), 1 + i % 10, 0, 0, 'email', 'sent', 1, 'user@example.com', 0, 0, 1000000000000 + i * 1000,
        'bench', 0, 0 from n";

/// Medians: everyone's first page, a page in the middle, the last page, and the same of one user's log.
pub(crate) fn page_times(disk: &Path, rows: u64) -> Result<Vec<(&'static str, Duration)>> {
    let prepared = Prepared::new(disk)?;
    let db = rusqlite::Connection::open(prepared.data_dir().join("herald.db"))?;
    db.execute_batch(
        "pragma journal_mode = wal; pragma synchronous = off; pragma cache_size = -262144",
    )?;
    db.execute(MAKE, [i64::try_from(rows)?])?;
    db.close().map_err(|(_, fault)| fault)?;
    let appliance = Appliance::start(&prepared, None)?;
    let base = "/api/admin/v1/messages/logs";
    let pages = [
        ("everyone's log, first page", base.to_owned()),
        (
            "everyone's log, in the middle",
            format!("{base}?after={}", rows / 2),
        ),
        ("everyone's log, last page", format!("{base}?after=201")),
        ("one user's log, first page", format!("{base}/1")),
        (
            "one user's log, in the middle",
            format!("{base}/1?after={}", rows / 2),
        ),
        ("one user's log, last page", format!("{base}/1?after=2001")),
    ];
    let times = pages
        .into_iter()
        .map(|(what, path)| Ok((what, median(&appliance, &prepared.key, &path)?)))
        .collect();
    appliance.stop()?;
    times
}

fn median(appliance: &Appliance, key: &str, path: &str) -> Result<Duration> {
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: herald\r\nAuthorization: Bearer {key}\r\nConnection: close\r\n\r\n"
    );
    let mut times = Vec::with_capacity(REQUESTS);
    for _ in 0..REQUESTS {
        let mut reply = Vec::new();
        let started = Instant::now();
        let mut stream = TcpStream::connect(appliance.address)?;
        stream.write_all(request.as_bytes())?;
        stream.read_to_end(&mut reply)?;
        times.push(started.elapsed());
        if !reply.starts_with(b"HTTP/1.1 200") {
            return Err(format!("{path}: {}", String::from_utf8_lossy(&reply)).into());
        }
    }
    times.sort_unstable();
    Ok(times[REQUESTS / 2])
}
