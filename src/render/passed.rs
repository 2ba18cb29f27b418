//! Remembers which sources have passed a check in this process: the rules do not change while it runs, so that a template
//! is inspected once and not with every message.

use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::sync::{PoisonError, RwLock};

/// How many sources are remembered, 32 bytes each; beyond it all are forgotten and inspected anew.
const SOURCES_MAX: usize = 4096;

/// By SHA-256, because whoever could make two sources meet would get round the check.
static PASSED: RwLock<BTreeSet<[u8; 32]>> = RwLock::new(BTreeSet::new());

/// Runs `check`, which has this name, unless the very same source has passed it before.
pub(super) fn once<E>(
    name: &str,
    source: &str,
    check: impl FnOnce() -> Result<(), E>,
) -> Result<(), E> {
    let mut hash = Sha256::new();
    hash.update(name);
    hash.update([0]);
    hash.update(source);
    let key: [u8; 32] = hash.finalize().into();
    let passed = PASSED.read().unwrap_or_else(PoisonError::into_inner);
    if passed.contains(&key) {
        return Ok(());
    }
    drop(passed);
    check()?;
    let mut passed = PASSED.write().unwrap_or_else(PoisonError::into_inner);
    if passed.len() >= SOURCES_MAX {
        passed.clear();
    }
    passed.insert(key);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_source_under_the_same_check_is_spared() {
        let mut runs = 0;
        let mut run = |name, source, result: Result<(), ()>| {
            let said = once(name, source, || {
                runs += 1;
                result
            });
            (said, runs)
        };
        assert_eq!(run("one", "source", Err(())), (Err(()), 1));
        assert_eq!(run("one", "source", Ok(())), (Ok(()), 2));
        assert_eq!(run("one", "source", Ok(())), (Ok(()), 2));
        assert_eq!(run("two", "source", Ok(())), (Ok(()), 3));
        assert_eq!(run("one", "other", Ok(())), (Ok(()), 4));
    }
}
