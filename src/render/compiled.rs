//! Sources as the engine runs them: inspected and compiled once in this process, not with every message.
//!
//! They are kept by what they say, so a changed template is another source and nothing has to be told of the change.

use super::environment;
use crate::error::{Error, Result};
use foldhash::fast::RandomState;
use minijinja::{Environment, Template};
use std::collections::HashMap;
use std::sync::{Arc, LazyLock, PoisonError, RwLock};

/// How much source is kept compiled, in bytes; beyond it all is let go and compiled anew when it comes again.
const SOURCE_BYTES_MAX: usize = 8 * 1024 * 1024;

/// What a source is, and so which rules it has passed and how its values are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A subject or a text.
    Text,
    /// A body whose values are HTML-encoded.
    Html,
    /// A link pattern.
    Link,
}

/// A source ready to run.
pub(super) struct Compiled(Environment<'static>);

const NAME: &str = "template";

impl Compiled {
    pub(super) fn template(&self) -> std::result::Result<Template<'_, '_>, minijinja::Error> {
        self.0.get_template(NAME)
    }
}

/// By the whole source, because whoever could make two sources meet would get round the check.
type Sources = HashMap<Box<str>, Arc<Compiled>, RandomState>;

#[derive(Default)]
struct Kept {
    /// Those of each kind.
    sources: [Sources; 3],
    bytes: usize,
}

static KEPT: LazyLock<RwLock<Kept>> = LazyLock::new(RwLock::default);

/// The compiled source; `check` runs before it is compiled for the first time.
///
/// # Errors
/// What `check` says; nothing is kept then.
pub(super) fn of(
    kind: Kind,
    source: &str,
    check: impl FnOnce() -> Result<()>,
) -> Result<Arc<Compiled>> {
    let kept = KEPT.read().unwrap_or_else(PoisonError::into_inner);
    if let Some(compiled) = kept.sources[kind as usize].get(source) {
        return Ok(compiled.clone());
    }
    drop(kept);
    check()?;
    let mut environment = environment::environment(kind == Kind::Html);
    environment
        .add_template_owned(NAME, source.to_owned())
        .map_err(Error::internal)?;
    let compiled = Arc::new(Compiled(environment));
    let mut kept = KEPT.write().unwrap_or_else(PoisonError::into_inner);
    if kept.bytes + source.len() > SOURCE_BYTES_MAX {
        *kept = Kept::default();
    }
    let before = kept.sources[kind as usize].insert(source.into(), compiled.clone());
    if before.is_none() {
        kept.bytes += source.len();
    }
    Ok(compiled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_source_of_the_same_kind_is_spared_its_check() {
        let mut runs = 0;
        let mut run = |kind, source, result: Result<()>| {
            let said = of(kind, source, || {
                runs += 1;
                result
            });
            (said.is_ok(), runs)
        };
        let refused = || Err(Error::invalid("No."));
        assert_eq!(run(Kind::Text, "a source", refused()), (false, 1));
        assert_eq!(run(Kind::Text, "a source", Ok(())), (true, 2));
        assert_eq!(run(Kind::Text, "a source", refused()), (true, 2));
        assert_eq!(run(Kind::Html, "a source", Ok(())), (true, 3));
        assert_eq!(run(Kind::Text, "another", refused()), (false, 4));
    }

    #[test]
    fn what_is_kept_has_a_limit() {
        let long = "x".repeat(64 * 1024);
        for number in 0..2 * SOURCE_BYTES_MAX / long.len() {
            let source = format!("{number} {long}");
            of(Kind::Text, &source, || Ok(())).unwrap();
            assert!(KEPT.read().unwrap().bytes <= SOURCE_BYTES_MAX);
        }
    }
}
