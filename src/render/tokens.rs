//! The first look at a template: its tokens, counted and refused without recursion.
//!
//! It comes first because the parser recurses: whatever could make it recurse deeply is counted before it runs.

use minijinja::machinery::{Token, tokenize};
use minijinja::syntax::SyntaxConfig;

use super::allow::{problem_at, shown, syntax_problem};
use crate::domain::template::Problem;

/// The most block tags (`if`, `elif`, `else`, `for` and their ends) in one source.
pub const BLOCK_TAGS_MAX: usize = 200;
/// The most tokens between the delimiters of one tag; it bounds every chain of operators, filters and attributes.
pub const TAG_TOKENS_MAX: usize = 64;
/// The deepest nesting of brackets and parentheses in one tag.
pub const BRACKET_DEPTH_MAX: usize = 6;
/// The deepest nesting of block tags; each `elif` counts as one, because the parser nests them.
pub const BLOCK_DEPTH_MAX: usize = 24;
const TAGS: [&str; 6] = ["if", "elif", "else", "endif", "for", "endfor"];
/// Refuses the first token that is not allowed or goes beyond a limit.
pub(super) fn check(source: &str) -> Result<(), Problem> {
    let tokens = Tokens {
        source,
        block_tags: 0,
        open: Vec::new(),
        tag_tokens: 0,
        brackets: 0,
        at_keyword: false,
    };
    tokens.check()
}

/// An `if` or a `for` whose end is still to come.
struct Open<'s> {
    tag: &'s str,
    offset: usize,
    // Itself and its `elif`s.
    depth: usize,
}

/// What has been counted so far.
struct Tokens<'s> {
    source: &'s str,
    block_tags: usize,
    open: Vec<Open<'s>>,
    tag_tokens: usize,
    brackets: usize,
    at_keyword: bool,
}

impl<'s> Tokens<'s> {
    fn check(mut self) -> Result<(), Problem> {
        let mut end = 0;
        for token in tokenize(self.source, false, SyntaxConfig::default()) {
            let (token, span) = token.map_err(|e| match e.range() {
                Some(_) => syntax_problem(self.source, &e),
                None => {
                    let what = format!("syntax error: {}", e.detail().unwrap_or_default());
                    problem_at(self.source, end, what)
                }
            })?;
            end = span.end_offset as usize;
            let offset = span.start_offset as usize;
            self.token(&token, offset)
                .map_err(|what| problem_at(self.source, offset, what))?;
        }
        // The parser would only say that the end of the source was unexpected.
        match self.open.last() {
            None => Ok(()),
            Some(Open { tag, offset, .. }) => {
                let what = format!("this '{tag}' has no 'end{tag}'");
                Err(problem_at(self.source, *offset, what))
            }
        }
    }

    fn token(&mut self, token: &Token<'s>, offset: usize) -> Result<(), String> {
        let at_keyword = std::mem::replace(&mut self.at_keyword, false);
        self.tag_tokens += 1;
        match token {
            Token::TemplateData(_)
            | Token::VariableStart
            | Token::VariableEnd
            | Token::BlockEnd => {
                self.tag_tokens = 0;
                self.brackets = 0;
            }
            Token::BlockStart => {
                self.tag_tokens = 0;
                self.at_keyword = true;
            }
            Token::Ident(tag) if at_keyword => self.tag(tag, offset)?,
            Token::ParenOpen | Token::BracketOpen => {
                self.brackets += 1;
                if self.brackets > BRACKET_DEPTH_MAX {
                    return Err(format!(
                        "brackets are nested more than {BRACKET_DEPTH_MAX} deep"
                    ));
                }
            }
            Token::ParenClose | Token::BracketClose => {
                self.brackets = self.brackets.saturating_sub(1);
            }
            Token::Int128(_) => return Err("a number this large is not allowed".into()),
            Token::Plus
            | Token::Minus
            | Token::Mul
            | Token::Div
            | Token::FloorDiv
            | Token::Mod
            | Token::Pow
            | Token::Tilde
            | Token::BraceOpen
            | Token::BraceClose
            | Token::Colon
            | Token::Assign => return Err(format!("{token} is not allowed in a tag")),
            _ => {}
        }
        if self.tag_tokens > TAG_TOKENS_MAX {
            return Err(format!(
                "a tag has more than {TAG_TOKENS_MAX} words and signs"
            ));
        }
        Ok(())
    }

    fn tag(&mut self, tag: &'s str, offset: usize) -> Result<(), String> {
        if !TAGS.contains(&tag) {
            return Err(format!(
                "the tag '{}' is not allowed; there are {}",
                shown(tag),
                TAGS.join(", ")
            ));
        }
        self.block_tags += 1;
        if self.block_tags > BLOCK_TAGS_MAX {
            return Err(format!("there are more than {BLOCK_TAGS_MAX} block tags"));
        }
        match tag {
            "if" | "for" => self.open.push(Open {
                tag,
                offset,
                depth: 1,
            }),
            "elif" => {
                if let Some(block) = self.open.last_mut() {
                    block.depth += 1;
                }
            }
            "endif" | "endfor" => {
                self.open.pop();
            }
            _ => {}
        }
        if self.open.iter().map(|o| o.depth).sum::<usize>() > BLOCK_DEPTH_MAX {
            return Err(format!(
                "blocks are nested more than {BLOCK_DEPTH_MAX} deep, each 'elif' counted as one"
            ));
        }
        Ok(())
    }
}
