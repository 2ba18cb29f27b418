//! Secrets at rest: what is sealed here can be read only with `secret.key`, a file beside the database.
//!
//! So a copy of the database alone gives no provider's password away. Without the right key what is sealed is lost, and
//! has to be typed in anew.

use crate::error::{Error, Result};
use crate::secret::random;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// The file of the key, in the data directory.
pub const KEY_FILE: &str = "secret.key";

const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 24;

/// The key of one data directory.
pub struct Vault {
    cipher: XChaCha20Poly1305,
    fingerprints: Hmac<Sha256>,
}

impl Vault {
    /// The vault of this data directory; none if it has no key yet.
    ///
    /// # Errors
    /// [`Error::Internal`] when the file cannot be read or holds no key.
    pub fn find(data_dir: &Path) -> Result<Option<Self>> {
        let file = data_dir.join(KEY_FILE);
        let text = match fs::read_to_string(&file) {
            Ok(text) => text,
            Err(fault) if fault.kind() == ErrorKind::NotFound => return Ok(None),
            Err(fault) => return Err(of_file(&file, &fault)),
        };
        let key = STANDARD.decode(text.trim()).unwrap_or_default();
        if key.len() != KEY_BYTES {
            return Err(of_file(&file, &"it does not hold a key"));
        }
        Self::with(&key).map(Some)
    }

    /// The vault of this data directory, with a new key if it has none: the one that is there first, whoever else makes
    /// one at the same time.
    ///
    /// # Errors
    /// As [`Vault::find`], and when the key cannot be written.
    pub fn find_or_make(data_dir: &Path) -> Result<Self> {
        if let Some(vault) = Self::find(data_dir)? {
            return Ok(vault);
        }
        let mut key = [0_u8; KEY_BYTES];
        getrandom::fill(&mut key).map_err(Error::internal)?;
        let file = data_dir.join(KEY_FILE);
        let is_first = write(data_dir, &file, &STANDARD.encode(key))
            .map_err(|fault| of_file(&file, &fault))?;
        if !is_first {
            let found = Self::find(data_dir)?;
            return found.ok_or_else(|| of_file(&file, &"it was there and is gone"));
        }
        log::warn!(
            "{} was made: it opens the secrets in the database, keep a copy of it apart from the database's",
            file.display()
        );
        Self::with(&key)
    }

    fn with(key: &[u8]) -> Result<Self> {
        let derive = |purpose: &str| -> Result<Hmac<Sha256>> {
            let mut mac =
                <Hmac<Sha256> as KeyInit>::new_from_slice(key).map_err(Error::internal)?;
            mac.update(purpose.as_bytes());
            Ok(mac)
        };
        let sealing = derive("seal")?.finalize().into_bytes();
        let fingerprints = derive("fingerprint")?.finalize().into_bytes();
        Ok(Self {
            cipher: XChaCha20Poly1305::new_from_slice(&sealing).map_err(Error::internal)?,
            fingerprints: <Hmac<Sha256> as KeyInit>::new_from_slice(&fingerprints)
                .map_err(Error::internal)?,
        })
    }

    /// The text, readable only with the key and in this place.
    ///
    /// # Errors
    /// [`Error::Internal`] if the system has no randomness.
    pub fn seal(&self, place: &[u8], text: &str) -> Result<Vec<u8>> {
        let mut nonce = [0_u8; NONCE_BYTES];
        getrandom::fill(&mut nonce).map_err(Error::internal)?;
        let payload = Payload {
            msg: text.as_bytes(),
            aad: place,
        };
        let sealed = self.cipher.encrypt(&XNonce::from(nonce), payload);
        let sealed = sealed.map_err(Error::internal)?;
        Ok([&nonce[..], &sealed].concat())
    }

    /// What was sealed in this place; none if it was sealed elsewhere, with another key, or was changed.
    #[must_use]
    pub fn open(&self, place: &[u8], sealed: &[u8]) -> Option<String> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_BYTES>()?;
        let payload = Payload {
            msg: sealed,
            aad: place,
        };
        let text = self.cipher.decrypt(&XNonce::from(*nonce), payload).ok()?;
        String::from_utf8(text).ok()
    }

    /// The same for the same text, and telling nothing of it to whoever lacks the key.
    #[must_use]
    pub fn fingerprint(&self, text: impl AsRef<[u8]>) -> [u8; 32] {
        let mut mac = self.fingerprints.clone();
        mac.update(text.as_ref());
        mac.finalize().into_bytes().into()
    }
}

fn of_file(file: &Path, fault: &dyn std::fmt::Display) -> Error {
    Error::internal(format!("{} cannot be used: {fault}", file.display()))
}

/// Whole or not at all: half a key would lock up what is sealed with it. False if another was faster.
fn write(data_dir: &Path, file: &Path, text: &str) -> std::io::Result<bool> {
    // Nobody else's, not even that of another thread: what it is linked to must not change any more.
    let unfinished = file.with_extension(format!("key.{:016x}", random()));
    let mut new = OpenOptions::new()
        .create_new(true)
        .write(true)
        .mode(0o600)
        .open(&unfinished)?;
    writeln!(new, "{text}")?;
    new.sync_all()?;
    let linked = fs::hard_link(&unfinished, file);
    fs::remove_file(&unfinished)?;
    match linked {
        Ok(()) => File::open(data_dir)?.sync_all().map(|()| true),
        Err(fault) if fault.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(fault) => Err(fault),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn what_is_sealed_opens_with_the_same_key_in_the_same_place_only() {
        let [one, two] = [[1_u8; 32], [2; 32]].map(|key| Vault::with(&key).expect("a key"));
        let sealed = one.seal(b"here", "smtp://a:b@c").expect("sealed");
        assert_eq!(one.open(b"here", &sealed).as_deref(), Some("smtp://a:b@c"));
        assert_eq!(one.open(b"there", &sealed), None);
        assert_eq!(two.open(b"here", &sealed), None);
        let mut changed = sealed.clone();
        changed[30] ^= 1;
        assert_eq!(one.open(b"here", &changed), None);
        assert_eq!(one.open(b"here", b"short"), None);
        let again = one.seal(b"here", "smtp://a:b@c").expect("sealed");
        assert_ne!(sealed, again);
        assert_eq!(one.fingerprint("a"), one.fingerprint("a"));
        assert_ne!(one.fingerprint("a"), two.fingerprint("a"));
    }

    #[test]
    fn whoever_needs_the_key_first_at_the_same_moment_has_the_same_one() {
        for _ in 0..20 {
            let directory = tempfile::tempdir().expect("a directory");
            let (path, start) = (directory.path(), &std::sync::Barrier::new(8));
            let made = std::thread::scope(|scope| {
                let make = || {
                    start.wait();
                    Vault::find_or_make(path).expect("made").fingerprint("a")
                };
                let threads = [(); 8].map(|()| scope.spawn(make));
                threads.map(|thread| thread.join().expect("no panic"))
            });
            let kept = Vault::find(path).expect("readable").expect("there");
            assert_eq!(made, [kept.fingerprint("a"); 8]);
            let files = fs::read_dir(path).expect("a directory").count();
            assert_eq!(files, 1, "nothing unfinished is left");
        }
    }

    #[test]
    fn the_key_is_made_once_and_private() {
        let directory = tempfile::tempdir().expect("a directory");
        assert!(Vault::find(directory.path()).expect("readable").is_none());
        let first = Vault::find_or_make(directory.path()).expect("made");
        let second = Vault::find_or_make(directory.path()).expect("found");
        assert_eq!(first.fingerprint("a"), second.fingerprint("a"));
        let file = directory.path().join(KEY_FILE);
        let mode = fs::metadata(&file).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        fs::write(&file, "half").expect("written");
        assert!(Vault::find_or_make(directory.path()).is_err());
    }
}
