//! Sources of text and words alone, as most are: put together without the engine, which takes a third of an accepted
//! message's time for the same. Whatever is out of the ordinary, in the source or in a value, is the engine's, and so is
//! every word of a refusal.

use minijinja::machinery::{ast, parse};
use minijinja::syntax::SyntaxConfig;

use super::allow::path;
use super::environment::{OUTPUT_BYTES_MAX, write_escaped};
use crate::domain::placeholder::{Value, Values};

/// The most pieces of a plain source: far from [`super::STEPS_MAX`], of which each takes some in the engine.
const PIECES_MAX: usize = 1_000;

/// A source of text and words.
pub(super) struct Plain {
    pieces: Vec<Piece>,
    escape: bool,
}

enum Piece {
    Text(String),
    /// A word with its attributes.
    Word(Vec<String>),
}

impl Plain {
    /// None if the source has more in it than text and words. With `escape`, values are HTML-encoded.
    pub(super) fn of(source: &str, escape: bool) -> Option<Self> {
        let tree = parse(source, "template", SyntaxConfig::default()).ok()?;
        let ast::Stmt::Template(template) = tree else {
            return None;
        };
        if template.children.len() > PIECES_MAX {
            return None;
        }
        let pieces = template.children.iter().map(|statement| match statement {
            ast::Stmt::EmitRaw(text) => Some(Piece::Text(text.raw.to_owned())),
            ast::Stmt::EmitExpr(emit) => {
                let names = path(&emit.expr)?;
                Some(Piece::Word(names.into_iter().map(str::to_owned).collect()))
            }
            _ => None,
        });
        let pieces = pieces.collect::<Option<_>>()?;
        Some(Self { pieces, escape })
    }

    /// The source with the values; none if one of them is missing or is no text, or if there would be too much.
    pub(super) fn put_together(&self, values: &Values, room: usize) -> Option<String> {
        let mut output = String::with_capacity(room);
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => output.push_str(text),
                Piece::Word(names) => match (look_up(values, names)?, self.escape) {
                    (text, true) => write_escaped(&mut output, text).ok()?,
                    (text, false) => output.push_str(text),
                },
            }
            if output.len() > OUTPUT_BYTES_MAX {
                return None;
            }
        }
        Some(output)
    }
}

fn look_up<'v>(values: &'v Values, names: &[String]) -> Option<&'v str> {
    let (last, parents) = names.split_last()?;
    let mut map = values;
    for name in parents {
        match map.get(name)? {
            Value::Map(inner) => map = inner,
            _ => return None,
        }
    }
    match map.get(last)? {
        Value::Text(text) => Some(text),
        _ => None,
    }
}
