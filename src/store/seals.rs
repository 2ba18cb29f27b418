//! Content of sensitive types at rest: sealed on the way into the database, opened on the way out. (delivery.md, promise 5)
//!
//! Wiping alone is not enough: SQLite leaves copies of a row behind when it moves rows between pages, and the log of changes
//! holds what was written before. What is sealed leaves nothing that can be read without `secret.key`.

use crate::domain::message::Outgoing;
use crate::error::{Error, Result};
use crate::vault::{KEY_FILE, Vault};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use uuid::Uuid;

/// Begins every sealed text. No rendered text holds a control character but line ends and tabs.
const MARK: char = '\u{1}';

/// Seals with the key of one data directory, which is made when it is needed first.
pub(super) struct Seals {
    /// None for a file that is only looked at or copied.
    data_dir: Option<PathBuf>,
    vault: OnceLock<Arc<Vault>>,
}

impl Seals {
    pub(super) fn of(data_dir: &Path) -> Arc<Self> {
        Arc::new(Self {
            data_dir: Some(data_dir.to_owned()),
            vault: OnceLock::new(),
        })
    }

    pub(super) fn none() -> Arc<Self> {
        Arc::new(Self {
            data_dir: None,
            vault: OnceLock::new(),
        })
    }

    fn vault(&self, find: impl FnOnce(&Path) -> Result<Option<Vault>>) -> Result<Arc<Vault>> {
        if let Some(vault) = self.vault.get() {
            return Ok(vault.clone());
        }
        let data_dir = self.data_dir.as_deref().ok_or_else(unreadable)?;
        let found = find(data_dir)?.ok_or_else(unreadable)?;
        Ok(self.vault.get_or_init(|| Arc::new(found)).clone())
    }

    fn vault_or_new(&self) -> Result<Arc<Vault>> {
        self.vault(|directory| Vault::find_or_make(directory).map(Some))
    }

    /// See [`Vault::fingerprint`].
    pub(super) fn fingerprint(&self, of: &[u8]) -> Result<[u8; 32]> {
        Ok(self.vault_or_new()?.fingerprint(of))
    }

    /// The text as it is stored; readable for this message only.
    pub(super) fn seal(&self, message: Uuid, text: &str) -> Result<String> {
        let vault = self.vault_or_new()?;
        let sealed = vault.seal(message.as_bytes(), text)?;
        Ok(format!("{MARK}{}", STANDARD.encode(sealed)))
    }

    /// The text behind a stored one, which is sealed or, from before there were seals, is not.
    pub(super) fn open(&self, message: Uuid, stored: String) -> Result<String> {
        let Some(sealed) = stored.strip_prefix(MARK) else {
            return Ok(stored);
        };
        let vault = self.vault(Vault::find)?;
        let sealed = STANDARD.decode(sealed).unwrap_or_default();
        vault
            .open(message.as_bytes(), &sealed)
            .ok_or_else(unreadable)
    }

    /// A message with its content opened.
    pub(super) fn opened<'a>(&self, message: &'a Outgoing) -> Result<Cow<'a, Outgoing>> {
        if !message.is_sensitive {
            return Ok(Cow::Borrowed(message));
        }
        let open = |text: &Option<String>| {
            let text = text.clone();
            text.map(|text| self.open(message.guid, text)).transpose()
        };
        Ok(Cow::Owned(Outgoing {
            subject: open(&message.subject)?,
            body: self.open(message.guid, message.body.clone())?,
            html_body: open(&message.html_body)?,
            ..message.clone()
        }))
    }
}

fn unreadable() -> Error {
    Error::internal(format!(
        "its content cannot be read: {KEY_FILE} in the data directory is missing or another one"
    ))
}
