//! What a disk is sure to hold at a moment of the record, and what it may hold beyond that.

use super::Chance;
use std::collections::BTreeMap;
use std::fs::{DirBuilder, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};

/// What a disk writes whole or not at all.
const SECTOR: usize = 512;
/// The fixed part of an entry of the record.
const HEAD: usize = 14;

/// A change of a file that was not flushed yet.
enum Change {
    Write(usize, Vec<u8>),
    Truncate(usize),
}

#[derive(Default)]
struct File {
    /// Whether its name is on disk, and whether it has one at all.
    is_named: bool,
    exists: bool,
    content: Vec<u8>,
    unflushed: Vec<Change>,
    /// How many changes have been flushed.
    flushed: usize,
}

/// The files of a database on their disk.
#[derive(Default)]
pub(in super::super) struct Disk {
    database: File,
    log: File,
    /// How much of the record has happened.
    at: usize,
    /// What each flush under way will have made sure of: changes of a file, or names of both.
    flushes: BTreeMap<u64, (usize, [bool; 2])>,
}

impl Disk {
    /// A database that nobody has open: all of it is on disk.
    pub(in super::super) fn of(data_dir: &str) -> Self {
        let content = std::fs::read(format!("{data_dir}/herald.db")).unwrap();
        let database = File {
            is_named: true,
            exists: true,
            content,
            ..File::default()
        };
        assert!(!std::fs::exists(format!("{data_dir}/herald.db-wal")).unwrap());
        Self {
            database,
            ..Self::default()
        }
    }

    /// Lets happen what is recorded up to this length, or as much of it as is whole entries; that length.
    pub(in super::super) fn replay(&mut self, record: &[u8], until: usize) -> usize {
        while let Some(head) = record.get(self.at..self.at + HEAD) {
            let number = u64::from_le_bytes(head[2..10].try_into().unwrap());
            let length = u32::from_le_bytes(head[10..14].try_into().unwrap()) as usize;
            let end = self.at + HEAD + length;
            if end > until || end > record.len() {
                break;
            }
            let (what, file) = (char::from(head[0]), char::from(head[1]));
            self.happen(what, file, number, &record[self.at + HEAD..end]);
            self.at = end;
        }
        self.at
    }

    fn file(&mut self, file: char) -> &mut File {
        match file {
            'd' => &mut self.database,
            'l' => &mut self.log,
            other => panic!("{other} is no file"),
        }
    }

    fn happen(&mut self, what: char, file: char, number: u64, bytes: &[u8]) {
        let place = || usize::try_from(number).unwrap();
        match (what, file) {
            ('b', '/') => {
                let names = [self.database.exists, self.log.exists];
                self.flushes.insert(number, (0, names));
            }
            ('e', '/') => {
                let (_, [database, log]) = self.flushes.remove(&number).unwrap();
                self.database.is_named |= database;
                self.log.is_named |= log;
            }
            ('b', _) => {
                let File {
                    unflushed, flushed, ..
                } = self.file(file);
                let sure = *flushed + unflushed.len();
                self.flushes.insert(number, (sure, [false; 2]));
            }
            ('e', _) => {
                let (sure, _) = self.flushes.remove(&number).unwrap();
                self.file(file).flush(sure);
            }
            ('c', _) => self.file(file).exists = true,
            ('w', _) => self
                .file(file)
                .unflushed
                .push(Change::Write(place(), bytes.to_vec())),
            ('t', _) => self.file(file).unflushed.push(Change::Truncate(place())),
            _ => panic!("{what} of {file} is not expected while it serves"),
        }
    }

    /// Whether a cut now could take something.
    pub(in super::super) fn has_unflushed(&self) -> bool {
        let files = [&self.database, &self.log];
        files
            .iter()
            .any(|file| !file.unflushed.is_empty() || file.exists && !file.is_named)
    }

    /// Makes a directory as a cut may leave it: with none, all or some of what is not sure.
    pub(in super::super) fn cut(&self, place: &str, chance: &mut Chance) {
        let in_ten = [0, 5, 9, 10][usize::try_from(chance.below(4)).unwrap()];
        self.leave(place, || chance.below(10) < in_ten);
    }

    /// Makes a directory of what is sure, and with luck of what is not.
    pub(in super::super) fn leave(&self, place: &str, mut luck: impl FnMut() -> bool) {
        DirBuilder::new().mode(0o700).create(place).unwrap();
        for (name, file) in [("herald.db", &self.database), ("herald.db-wal", &self.log)] {
            if file.is_named || file.exists && luck() {
                let content = file.after_a_cut(&mut luck);
                let mut options = OpenOptions::new();
                options.write(true).create_new(true).mode(0o600);
                let mut made = options.open(format!("{place}/{name}")).unwrap();
                made.write_all(&content).unwrap();
            }
        }
    }
}

impl File {
    /// Whatever came before is sure now.
    fn flush(&mut self, sure: usize) {
        let count = sure.saturating_sub(self.flushed);
        for change in self.unflushed.drain(..count) {
            match change {
                Change::Write(at, bytes) => write(&mut self.content, at, &bytes),
                Change::Truncate(length) => self.content.resize(length, 0),
            }
        }
        self.flushed += count;
    }

    fn after_a_cut(&self, luck: &mut impl FnMut() -> bool) -> Vec<u8> {
        let mut content = self.content.clone();
        for change in &self.unflushed {
            match change {
                Change::Write(at, bytes) => {
                    for (number, sector) in bytes.chunks(SECTOR).enumerate() {
                        if luck() {
                            write(&mut content, at + number * SECTOR, sector);
                        }
                    }
                }
                Change::Truncate(length) if luck() => content.resize(*length, 0),
                Change::Truncate(_) => {}
            }
        }
        content
    }
}

fn write(content: &mut Vec<u8>, at: usize, bytes: &[u8]) {
    let end = at + bytes.len();
    if content.len() < end {
        content.resize(end, 0);
    }
    content[at..end].copy_from_slice(bytes);
}
