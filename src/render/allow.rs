//! What a template may hold: an allow-list over its tokens (`tokens`), then over its parsed tree (here).

use minijinja::Error as EngineError;
use minijinja::machinery::{Span, ast, parse};
use minijinja::syntax::SyntaxConfig;

use super::environment::FILTERS;
use super::tokens;
use crate::domain::template::{Problem, SOURCE_BYTES_MAX, Use, Used};

/// The deepest nesting of `for`.
pub const LOOP_DEPTH_MAX: usize = 2;

const TESTS: [&str; 3] = ["defined", "undefined", "none"];
const LOOP_ATTRIBUTES: [&str; 6] = ["index", "index0", "revindex", "first", "last", "length"];

/// The words a source uses; or the first thing in it that is not allowed or not understood.
/// (api.md, "Placeholders")
pub fn inspect(source: &str) -> Result<Used, Problem> {
    if source.len() > SOURCE_BYTES_MAX {
        let what = format!("the template has more than {SOURCE_BYTES_MAX} bytes");
        return Err(problem_at(source, 0, what));
    }
    let bad = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
    if let Some((offset, c)) = source.char_indices().find(|(_, c)| bad(*c)) {
        let what = format!(
            "the control character U+{:04X} is not allowed",
            u32::from(c)
        );
        return Err(problem_at(source, offset, what));
    }
    tokens::check(source)?;
    let syntax = SyntaxConfig::default();
    let tree = parse(source, "template", syntax).map_err(|e| syntax_problem(source, &e))?;
    let mut walk = Walk {
        source,
        used: Vec::new(),
        loops: Vec::new(),
    };
    walk.statement(&tree)?;
    Ok(Used(walk.used))
}

/// Lines and columns are counted from the byte offset: the engine's own stop at 65,535.
pub(super) fn problem_at(source: &str, offset: usize, what: impl Into<String>) -> Problem {
    let (line, column) = place(source, offset);
    Problem {
        line,
        column,
        what: what.into(),
    }
}

fn place(source: &str, offset: usize) -> (usize, usize) {
    let before = source.get(..offset).unwrap_or(source);
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    let line = before.bytes().filter(|b| *b == b'\n').count() + 1;
    (line, before[line_start..].chars().count() + 1)
}

pub(super) fn syntax_problem(source: &str, error: &EngineError) -> Problem {
    let offset = error.range().map_or(source.len(), |r| r.start);
    let what = match error.detail() {
        Some(detail) => format!("syntax error: {detail}"),
        None => error.kind().to_string(),
    };
    problem_at(source, offset, what)
}

/// A name from a source, short enough for a sentence.
pub(super) fn shown(name: &str) -> String {
    name.chars().take(40).collect()
}

/// The second look: walks the tree and lets through only what it knows.
struct Walk<'s> {
    source: &'s str,
    used: Vec<Use>,
    // The variables of the loops around this place.
    loops: Vec<&'s str>,
}

impl<'s> Walk<'s> {
    fn refuse<T>(&self, span: Span, what: impl Into<String>) -> Result<T, Problem> {
        Err(problem_at(self.source, span.start_offset as usize, what))
    }

    fn all(&mut self, statements: &[ast::Stmt<'s>]) -> Result<(), Problem> {
        statements.iter().try_for_each(|s| self.statement(s))
    }

    fn statement(&mut self, statement: &ast::Stmt<'s>) -> Result<(), Problem> {
        match statement {
            ast::Stmt::Template(template) => self.all(&template.children),
            ast::Stmt::EmitRaw(_) => Ok(()),
            ast::Stmt::EmitExpr(emit) => self.expression(&emit.expr),
            ast::Stmt::IfCond(condition) => {
                self.expression(&condition.expr)?;
                self.all(&condition.true_body)?;
                self.all(&condition.false_body)
            }
            ast::Stmt::ForLoop(repeat) => self.repeat(repeat),
            // The tokens have refused these tags already; this is for a future engine that has more of them.
            _ => Err(problem_at(
                self.source,
                0,
                "a tag of this template is not allowed",
            )),
        }
    }

    fn repeat(&mut self, repeat: &ast::Spanned<ast::ForLoop<'s>>) -> Result<(), Problem> {
        if repeat.recursive {
            return self.refuse(repeat.span(), "'recursive' is not allowed");
        }
        if repeat.filter_expr.is_some() {
            return self.refuse(
                repeat.span(),
                "'if' inside a 'for' tag is not allowed; use an 'if' block",
            );
        }
        let ast::Expr::Var(variable) = &repeat.target else {
            return self.refuse(repeat.target.span(), "'for' takes one variable");
        };
        if path(&repeat.iter).is_none() {
            return self.refuse(
                repeat.iter.span(),
                "'for' runs over a word, not over an expression",
            );
        }
        self.expression(&repeat.iter)?;
        if self.loops.len() == LOOP_DEPTH_MAX {
            let what = format!("'for' is nested more than {LOOP_DEPTH_MAX} deep");
            return self.refuse(repeat.span(), what);
        }
        self.loops.push(variable.id);
        self.all(&repeat.body)?;
        self.loops.pop();
        self.all(&repeat.else_body)
    }

    fn expression(&mut self, expression: &ast::Expr<'s>) -> Result<(), Problem> {
        let span = expression.span();
        match expression {
            ast::Expr::Const(_) => Ok(()),
            ast::Expr::Var(_) | ast::Expr::GetAttr(_) => match path(expression) {
                Some(path) => self.word(&path, span),
                None => self.refuse(span, "only a word may have attributes"),
            },
            ast::Expr::Filter(filter) => self.filter(filter, span),
            ast::Expr::Test(test) => {
                if !TESTS.contains(&test.name) || !test.args.is_empty() {
                    let what = format!(
                        "the test '{}' is not allowed; there are {}",
                        shown(test.name),
                        TESTS.join(", ")
                    );
                    return self.refuse(span, what);
                }
                self.expression(&test.expr)
            }
            ast::Expr::UnaryOp(operation) => match operation.op {
                ast::UnaryOpKind::Not => self.expression(&operation.expr),
                ast::UnaryOpKind::Neg => self.refuse(span, "arithmetic is not allowed"),
            },
            ast::Expr::BinOp(operation) => self.operation(operation, span),
            ast::Expr::Compare(chain) => {
                self.expression(&chain.expr)?;
                chain
                    .ops
                    .iter()
                    .try_for_each(|link| self.expression(&link.expr))
            }
            ast::Expr::Call(_) => self.refuse(span, "a call is not allowed"),
            ast::Expr::IfExpr(_) => self.refuse(
                span,
                "'if' inside an expression is not allowed; use an 'if' block",
            ),
            ast::Expr::Slice(_) | ast::Expr::GetItem(_) => {
                self.refuse(span, "a subscript is not allowed")
            }
            ast::Expr::List(_) | ast::Expr::Tuple(_) | ast::Expr::Map(_) => self.refuse(
                span,
                "a list is allowed only behind 'in', and only of constants",
            ),
        }
    }

    fn word(&mut self, path: &[&'s str], span: Span) -> Result<(), Problem> {
        let root = path[0];
        if root == "loop" {
            let known = path.len() == 2 && LOOP_ATTRIBUTES.contains(&path[1]);
            return match known && !self.loops.is_empty() {
                true => Ok(()),
                false => self.refuse(
                    span,
                    format!(
                        "'loop' has only {}, and only inside a 'for'",
                        LOOP_ATTRIBUTES.join(", ")
                    ),
                ),
            };
        }
        let word = path.join(".");
        if !self.loops.contains(&root) && !self.used.iter().any(|u| u.word == word) {
            let (line, column) = place(self.source, span.start_offset as usize);
            self.used.push(Use { word, line, column });
        }
        Ok(())
    }

    fn filter(&mut self, filter: &ast::Filter<'s>, span: Span) -> Result<(), Problem> {
        let Some((_, arguments)) = FILTERS.iter().find(|(name, _)| *name == filter.name) else {
            let known: Vec<&str> = FILTERS.iter().map(|(name, _)| *name).collect();
            let what = format!(
                "the filter '{}' is not allowed; there are {}",
                shown(filter.name),
                known.join(", ")
            );
            return self.refuse(span, what);
        };
        if filter.args.len() != *arguments {
            let what = format!("the filter '{}' takes {arguments} argument(s)", filter.name);
            return self.refuse(span, what);
        }
        if let Some(input) = &filter.expr {
            self.expression(input)?;
        }
        for argument in &filter.args {
            match argument {
                ast::CallArg::Pos(value) => self.expression(value)?,
                _ => return self.refuse(span, "an argument is a constant or a word"),
            }
        }
        Ok(())
    }

    fn operation(&mut self, operation: &ast::BinOp<'s>, span: Span) -> Result<(), Problem> {
        use ast::BinOpKind::{Eq, Gt, Gte, In, Lt, Lte, Ne, ScAnd, ScOr};
        if !matches!(
            operation.op,
            Eq | Ne | Lt | Lte | Gt | Gte | In | ScAnd | ScOr
        ) {
            return self.refuse(span, "arithmetic is not allowed");
        }
        self.expression(&operation.left)?;
        if let (In, ast::Expr::List(list)) = (operation.op, &operation.right)
            && list.items.iter().all(|i| matches!(i, ast::Expr::Const(_)))
        {
            return Ok(());
        }
        self.expression(&operation.right)
    }
}

/// The dotted names of an expression that is a word with or without attributes.
pub(super) fn path<'s>(expression: &ast::Expr<'s>) -> Option<Vec<&'s str>> {
    match expression {
        ast::Expr::Var(variable) => Some(vec![variable.id]),
        ast::Expr::GetAttr(attribute) => {
            let mut names = path(&attribute.expr)?;
            names.push(attribute.name);
            Some(names)
        }
        _ => None,
    }
}
