//! Sources of text, words and whether there is a word, as most are: put together without the engine, which takes a sixth
//! of an accepted message's time for the same. Whatever is out of the ordinary, in the source or in a value, is the engine's, and so is
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
    Word(Path),
    /// What stands between `if` and `else`, and between that and its end.
    If(Path, Vec<Piece>, Vec<Piece>),
}

/// A word with its attributes.
type Path = Vec<String>;

impl Plain {
    /// None if the source has more in it than text, words and whether there is a word. With `escape`, values are
    /// HTML-encoded.
    pub(super) fn of(source: &str, escape: bool) -> Option<Self> {
        let tree = parse(source, "template", SyntaxConfig::default()).ok()?;
        let ast::Stmt::Template(template) = tree else {
            return None;
        };
        let pieces = pieces(&template.children, &mut { PIECES_MAX })?;
        Some(Self { pieces, escape })
    }

    /// The source with the values; none if one of them is missing or is no text, or if there would be too much.
    pub(super) fn put_together(&self, values: &Values, room: usize) -> Option<String> {
        let mut output = String::with_capacity(room);
        self.put(&self.pieces, values, &mut output)?;
        Some(output)
    }

    fn put(&self, pieces: &[Piece], values: &Values, output: &mut String) -> Option<()> {
        for piece in pieces {
            match piece {
                Piece::Text(text) => output.push_str(text),
                Piece::Word(path) => match (look_up(values, path)?, self.escape) {
                    (text, true) => write_escaped(output, text).ok()?,
                    (text, false) => output.push_str(text),
                },
                Piece::If(path, then, otherwise) => match look_up(values, path)? {
                    "" => self.put(otherwise, values, output)?,
                    _ => self.put(then, values, output)?,
                },
            }
            if output.len() > OUTPUT_BYTES_MAX {
                return None;
            }
        }
        Some(())
    }
}

fn pieces(statements: &[ast::Stmt<'_>], left: &mut usize) -> Option<Vec<Piece>> {
    let pieces = statements.iter().map(|statement| {
        *left = left.checked_sub(1)?;
        match statement {
            ast::Stmt::EmitRaw(text) => Some(Piece::Text(text.raw.to_owned())),
            ast::Stmt::EmitExpr(emit) => Some(Piece::Word(word(&emit.expr)?)),
            ast::Stmt::IfCond(condition) => Some(Piece::If(
                word(&condition.expr)?,
                pieces(&condition.true_body, left)?,
                pieces(&condition.false_body, left)?,
            )),
            _ => None,
        }
    });
    pieces.collect()
}

fn word(expression: &ast::Expr<'_>) -> Option<Path> {
    let names = path(expression)?;
    Some(names.into_iter().map(str::to_owned).collect())
}

fn look_up<'v>(values: &'v Values, path: &[String]) -> Option<&'v str> {
    let (last, parents) = path.split_last()?;
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
