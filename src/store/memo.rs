//! What changes seldom and is asked for with every message (settings, types, templates, keys), kept in memory for as long
//! as the database says that none of it has changed.
//!
//! Triggers in schema.sql count every change in `catalogue.version`, whichever process makes it. A snapshot reads that
//! count with its first question, so what it is told is what it would have read. Inside a write nothing is kept: its
//! changes may yet be rolled back.

use super::Db;
use crate::error::Result;
use std::any::Any;
use std::cell::Cell;
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

/// How much is kept, in bytes as [`Weigh`] counts them; beyond it all is let go and read again when asked for.
const BYTES_MAX: usize = 16 * 1024 * 1024;

/// What an entry costs besides its long texts, roughly, in bytes.
const ENTRY_BYTES: usize = 512;

/// Which thing is meant.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Key {
    Settings,
    Type(i64),
    TypeOfGuid([u8; 16]),
    TypeOfSlug(String),
    Candidates(i64),
    Template(i64),
    Grant([u8; 32]),
}

/// How many bytes a thing has in long texts.
pub(super) trait Weigh: Any + Send + Sync {
    /// None unless it says otherwise.
    fn text_bytes(&self) -> usize {
        0
    }
}

/// Shared by the readers of one store.
#[derive(Default)]
pub(super) struct Memo(RwLock<Kept>);

#[derive(Default)]
struct Kept {
    version: i64,
    things: HashMap<Key, Arc<dyn Any + Send + Sync>>,
    bytes: usize,
}

/// What a connection knows of its memo; the writer's has none.
#[derive(Default)]
pub(super) struct Recall {
    memo: Option<Arc<Memo>>,
    version: Cell<Option<i64>>,
}

impl Recall {
    /// For a reader.
    pub(super) fn with(memo: Arc<Memo>) -> Self {
        Self {
            memo: Some(memo),
            version: Cell::new(None),
        }
    }

    /// A new snapshot begins: the version is not known yet.
    pub(super) fn begin(&self) {
        self.version.set(None);
    }
}

impl Memo {
    fn get<T: Weigh>(&self, version: i64, key: &Key) -> Option<Arc<T>> {
        let kept = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let thing = (kept.version == version).then(|| kept.things.get(key))??;
        thing.clone().downcast().ok()
    }

    fn put<T: Weigh>(&self, version: i64, key: Key, thing: &Arc<T>) {
        let mut kept = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if version < kept.version {
            // An old snapshot that was slow.
            return;
        }
        let bytes = ENTRY_BYTES + thing.text_bytes();
        if version > kept.version || kept.bytes + bytes > BYTES_MAX {
            *kept = Kept {
                version,
                ..Kept::default()
            };
        }
        if kept.things.insert(key, thing.clone()).is_none() {
            kept.bytes += bytes;
        }
    }
}

impl Db {
    /// The thing under this key: remembered, or loaded and then remembered. What is not there is not remembered, so that
    /// nobody fills the memory with questions.
    pub(super) fn recall<T: Weigh>(
        &self,
        key: Key,
        load: impl FnOnce() -> Result<Option<T>>,
    ) -> Result<Option<Arc<T>>> {
        let Some(memo) = &self.1.memo else {
            return Ok(load()?.map(Arc::new));
        };
        let version = self.catalogue_version()?;
        if let Some(found) = memo.get(version, &key) {
            return Ok(Some(found));
        }
        let Some(loaded) = load()? else {
            return Ok(None);
        };
        let loaded = Arc::new(loaded);
        memo.put(version, key, &loaded);
        Ok(Some(loaded))
    }

    fn catalogue_version(&self) -> Result<i64> {
        if let Some(version) = self.1.version.get() {
            return Ok(version);
        }
        let version = self
            .0
            .prepare_cached("select version from catalogue")?
            .query_row([], |row| row.get(0))?;
        self.1.version.set(Some(version));
        Ok(version)
    }
}
