//! What the figures hang on: processors, memory, and what one fsync costs on that disk.

use crate::Result;
use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::time::{Duration, Instant};

const FSYNCS: usize = 200;
const PAGE_BYTES: usize = 4096;

pub(crate) fn print(disk: &Path) -> Result<()> {
    let cores = std::thread::available_parallelism()?;
    let meminfo = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let total_kib = meminfo
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))
        .and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok())
        .unwrap_or_default();
    let (grown, overwritten) = (sync_cost(disk, true)?, sync_cost(disk, false)?);
    println!(
        "Machine: {cores} cores, {} MiB of memory; one 4 KiB write with fsync {:.2} ms where the file grows, \
         with fdatasync {:.2} ms where it does not (medians of {FSYNCS}); load before the run {}.\n",
        total_kib / 1024,
        grown.as_secs_f64() * 1000.0,
        overwritten.as_secs_f64() * 1000.0,
        fs::read_to_string("/proc/loadavg")
            .unwrap_or_default()
            .split(' ')
            .next()
            .unwrap_or_default(),
    );
    Ok(())
}

/// The median of a write and its way to the disk, at the end of a file or in the middle of it.
fn sync_cost(disk: &Path, growing: bool) -> Result<Duration> {
    let path = disk.join("fsync-probe");
    let mut file = File::create(&path)?;
    file.write_all(&[1; PAGE_BYTES])?;
    file.sync_all()?;
    let mut costs = Vec::with_capacity(FSYNCS);
    for _ in 0..FSYNCS {
        let started = Instant::now();
        if !growing {
            file.seek(SeekFrom::Start(0))?;
        }
        file.write_all(&[2; PAGE_BYTES])?;
        match growing {
            true => file.sync_all()?,
            false => file.sync_data()?,
        }
        costs.push(started.elapsed());
    }
    fs::remove_file(path)?;
    costs.sort();
    Ok(costs[FSYNCS / 2])
}
