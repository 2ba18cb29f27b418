//! Scopes: what a client may do. (api.md, "Scopes")
//!
//! `relesys.api[.area][:read|:write]`: the bare form holds read and write, no area holds all areas.

use crate::error::{Error, Result};
use std::fmt;

const ROOT: &str = "relesys.api";

/// A part of the APIs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Area {
    /// Sending, users, devices, preferences.
    Users,
    /// Notifications.
    Notifications,
    /// Types, templates, preview, test.
    Communication,
    /// The log and what was captured.
    Logs,
    /// Settings, clients, providers.
    Settings,
}

impl Area {
    /// All areas.
    pub const ALL: [Self; 5] = [
        Self::Users,
        Self::Notifications,
        Self::Communication,
        Self::Logs,
        Self::Settings,
    ];

    /// The word for it in a scope.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Users => "users",
            Self::Notifications => "notifications",
            Self::Communication => "communication",
            Self::Logs => "logs",
            Self::Settings => "settings",
        }
    }
}

/// Reading or writing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Looking.
    Read,
    /// Changing and sending.
    Write,
}

impl Mode {
    fn word(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
        }
    }
}

/// One scope, or (with both parts) what an endpoint needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scope {
    area: Option<Area>,
    mode: Option<Mode>,
}

impl Scope {
    /// What an endpoint needs.
    #[must_use]
    pub const fn need(area: Area, mode: Mode) -> Self {
        Self {
            area: Some(area),
            mode: Some(mode),
        }
    }

    /// The scope as a client writes it.
    ///
    /// # Errors
    /// [`Error::Invalid`] with the forms there are.
    pub fn parse(text: &str) -> Result<Self> {
        let unknown = || {
            let areas: Vec<_> = Area::ALL.iter().map(|a| a.word()).collect();
            Error::Invalid(format!(
                "{text:?} is not a scope. Write {ROOT}, then optionally a dot and one of {}, then optionally :read or :write.",
                areas.join(", ")
            ))
        };
        let (path, mode) = match text.split_once(':') {
            None => (text, None),
            Some((path, "read")) => (path, Some(Mode::Read)),
            Some((path, "write")) => (path, Some(Mode::Write)),
            Some(_) => return Err(unknown()),
        };
        let rest = path.strip_prefix(ROOT).ok_or_else(unknown)?;
        let area = match rest.strip_prefix('.') {
            None if rest.is_empty() => None,
            None => return Err(unknown()),
            Some(word) => Some(
                Area::ALL
                    .into_iter()
                    .find(|a| a.word() == word)
                    .ok_or_else(unknown)?,
            ),
        };
        Ok(Self { area, mode })
    }

    fn holds(self, need: Self) -> bool {
        (self.area.is_none() || self.area == need.area)
            && (self.mode.is_none() || self.mode == need.mode)
    }

    /// Every scope that would do for this need, the widest first.
    #[must_use]
    pub fn accepted(self) -> Vec<String> {
        [None, self.area]
            .into_iter()
            .flat_map(|area| [None, self.mode].map(|mode| Self { area, mode }.to_string()))
            .collect()
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(ROOT)?;
        if let Some(area) = self.area {
            write!(f, ".{}", area.word())?;
        }
        if let Some(mode) = self.mode {
            write!(f, ":{}", mode.word())?;
        }
        Ok(())
    }
}

/// The scopes of a client, key or token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scopes(Vec<Scope>);

impl Scopes {
    /// Space-separated scopes, at least one. One that is there again is left out, so that what is kept of a long list is
    /// short.
    ///
    /// # Errors
    /// [`Error::Invalid`].
    pub fn parse(text: &str) -> Result<Self> {
        let mut scopes = Vec::new();
        for word in text.split_whitespace() {
            let scope = Scope::parse(word)?;
            if !scopes.contains(&scope) {
                scopes.push(scope);
            }
        }
        if scopes.is_empty() {
            return Err(Error::Invalid(format!(
                "At least one scope is needed, such as {ROOT}."
            )));
        }
        Ok(Self(scopes))
    }

    /// Everything: what an operator's session holds.
    #[must_use]
    pub fn all() -> Self {
        Self(vec![Scope {
            area: None,
            mode: None,
        }])
    }

    /// Whether one of them does for this need.
    #[must_use]
    pub fn allow(&self, need: Scope) -> bool {
        self.0.iter().any(|scope| scope.holds(need))
    }

    /// Whether each of `asked` is held by one of them.
    #[must_use]
    pub fn cover(&self, asked: &Self) -> bool {
        asked.0.iter().all(|wanted| self.allow(*wanted))
    }

    /// Those of `asked` that none of them holds.
    #[must_use]
    pub fn missing(&self, asked: &Self) -> Self {
        let missing = asked.0.iter().filter(|wanted| !self.allow(**wanted));
        Self(missing.copied().collect())
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, scope) in self.0.iter().enumerate() {
            if at > 0 {
                f.write_str(" ")?;
            }
            scope.fmt(f)?;
        }
        Ok(())
    }
}
