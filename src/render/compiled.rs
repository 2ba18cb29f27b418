//! Sources as the engine runs them: inspected and compiled once in this process, not with every message.
//!
//! They are kept by what they say, so a changed template is another source and nothing has to be told of the change.

use super::environment::{self, Capped, Given};
use super::plain::Plain;
use crate::error::{Error, Result};
use foldhash::fast::RandomState;
use minijinja::Environment;
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
pub(super) struct Compiled {
    plain: Option<Plain>,
    engine: Environment<'static>,
}

const NAME: &str = "template";

impl Compiled {
    fn new(kind: Kind, source: &str) -> Result<Self> {
        let escape = kind == Kind::Html;
        let mut engine = environment::environment(escape);
        engine
            .add_template_owned(NAME, source.to_owned())
            .map_err(Error::internal)?;
        let plain = Plain::of(source, escape);
        Ok(Self { plain, engine })
    }

    /// The source with its values.
    pub(super) fn render(
        &self,
        source: &str,
        values: &Given<'_>,
    ) -> std::result::Result<String, minijinja::Error> {
        // Values are seldom longer than the tags they replace, but for a link or two.
        let room = source.len() + 1024;
        match self.put_together(values, room) {
            Some(text) => Ok(text),
            None => String::from_utf8(self.run(values, room)?)
                .map_err(|_| minijinja::ErrorKind::InvalidOperation.into()),
        }
    }

    fn put_together(&self, values: &Given<'_>, room: usize) -> Option<String> {
        self.plain.as_ref()?.put_together(values.given, room)
    }

    fn run(
        &self,
        values: &Given<'_>,
        room: usize,
    ) -> std::result::Result<Vec<u8>, minijinja::Error> {
        let bytes = Vec::with_capacity(room);
        let mut output = Capped { bytes };
        let template = self.engine.get_template(NAME)?;
        template.render_captured_to(values.of_engine(), &mut output)?;
        Ok(output.bytes)
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
    let compiled = Arc::new(Compiled::new(kind, source)?);
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
    use super::super::OUTPUT_BYTES_MAX;
    use super::*;
    use crate::assets::built_in_templates;
    use crate::domain::format::Format;
    use crate::domain::placeholder::{Value, Values};

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

    /// Sources of text and words, and what is beyond them by a hair.
    const SOURCES: [&str; 46] = [
        "",
        "text",
        "\n",
        "line\n",
        "line\n\n",
        "line\r\n",
        "\u{feff}æøå 😀 {{ word }}",
        "{{word}}",
        "{{ word }}\n",
        "a {{- word -}} b",
        "a\n  {{- word }}\n  b",
        "a {{+ word +}} b",
        "a {# {{ word }} #} b",
        "a {#- word -#} b",
        "{{ word }}{{ word }}{{ other.deep.word }}",
        "{{ other.word }} and {{ other . word }}",
        "{{ (word) }}",
        "{{ word.word }}",
        "{{ other }}",
        "{{ other.none }}",
        "{{ missing }}",
        "{{ missing.word }}",
        "{{ nothing }}",
        "{{ number }} {{ fraction }} {{ yes }}",
        "{{ list }}",
        "{{ true }}",
        "{{ 'word' }}",
        "{{ word|upper }}",
        "Hello{% if word %} {{ word }}{% endif %},\n",
        "a\n{% if word %}\nb\n{% else %}\nc\n{% endif %}\nd\n",
        "{% if word -%} a {%- elif other.word %} b {% else %} c {%- endif %}",
        "{% if other.word %}{% if word %}{{ word }}{% endif %}{% endif %}",
        "{% if missing %}a{% else %}b{% endif %}",
        "{% if nothing %}a{% else %}b{% endif %}",
        "{% if word is defined %}a{% endif %}",
        "{% if word == other.word %}a{% endif %}",
        "{% if not word %}a{% endif %}",
        "{% if number %}a{% endif %}",
        "{% for word in list %}{{ word }}{% endfor %}",
        "{% raw %}{{ word }}{% endraw %}",
        "<a href=\"{{ word }}\" title='{{ other.word }}'>{{ word }}</a>",
        "{ word } {{ '{{' }} {{ word }} }}",
        "{{ word",
        "word }}",
        "{{ long }}{{ long }}",
        "{{ long }}{{ long }}{{ long }}",
    ];

    /// What an application may give as values.
    fn values(word: &str) -> Values {
        let text = |text: &str| Value::Text(text.into());
        let deep = Values::from([("word".into(), text("deep"))]);
        let other = Values::from([
            ("word".into(), text(word)),
            ("deep".into(), Value::Map(deep)),
        ]);
        Values::from([
            ("word".into(), text(word)),
            ("other".into(), Value::Map(other)),
            ("nothing".into(), Value::Null),
            ("number".into(), Value::Int(-7)),
            ("fraction".into(), Value::Float(1.0)),
            ("yes".into(), Value::Bool(true)),
            ("list".into(), Value::List(vec![text("a")])),
            ("long".into(), text(&"x".repeat(OUTPUT_BYTES_MAX / 2))),
        ])
    }

    /// What is put together without the engine is what the engine would have made of it.
    #[test]
    fn plain_sources_become_what_the_engine_makes_of_them() {
        let mut put_together = 0;
        let words = [
            "",
            "Anna",
            "<b a='1' b=\"2\">&amp;</b>",
            "{{ word }}\r\n\0",
            "ß😀",
        ];
        let words = words.map(|word| (word, values(word)));
        for (source, (word, values)) in SOURCES
            .iter()
            .flat_map(|s| words.iter().map(move |w| (s, w)))
        {
            let given = Given::new(values).unwrap();
            for kind in [Kind::Text, Kind::Html, Kind::Link] {
                let Ok(compiled) = Compiled::new(kind, source) else {
                    continue;
                };
                let engine = compiled.run(&given, 0);
                if let Some(plain) = compiled.put_together(&given, 0) {
                    let plain = plain.into_bytes();
                    assert_eq!(plain, engine.unwrap(), "{source:?} with {word:?}");
                    put_together += 1;
                }
            }
        }
        assert_eq!(put_together, 375, "the plain ones of them");
    }

    /// An announcement chooses between its own title and the application's name, which is the engine's business.
    #[test]
    fn built_in_templates_are_put_together_without_the_engine() {
        let mut of_engine = Vec::new();
        for built_in in built_in_templates() {
            let parts = [built_in.subject, Some(built_in.body), built_in.html_body];
            let mut sources = parts.iter().flatten();
            if sources.any(|source| Plain::of(source, true).is_none()) {
                of_engine.push((built_in.slug, built_in.format));
            }
        }
        let titled = [Format::CombinedEmail, Format::Push];
        assert_eq!(
            of_engine,
            titled.map(|format| ("announcement".into(), format))
        );
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
