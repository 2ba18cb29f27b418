//! Languages: BCP 47 tags, the Windows ids (LCIDs) that belong to them, and which of several to take.
//! (api.md, "Shared ground")
//!
//! The table is data (`assets/languages.tsv`); its head says where it comes from.

use std::collections::HashMap;
use std::fmt;
use std::sync::LazyLock;

use crate::error::Error;

/// A language of the table; there is no other way to have one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Language {
    // First, so that the derived order is the one of the LCIDs.
    lcid: u32,
    tag: &'static str,
}

struct Table {
    by_tag: HashMap<String, Language>,
    by_lcid: HashMap<u32, Language>,
}

// The table never changes while the program runs, so it is read once, at first use.
static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let all = rows();
    Table {
        by_tag: all
            .iter()
            .map(|l| (l.tag.to_ascii_lowercase(), *l))
            .collect(),
        by_lcid: all.iter().map(|l| (l.lcid, *l)).collect(),
    }
});

fn rows() -> Vec<Language> {
    include_str!("../../assets/languages.tsv")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| {
            let (tag, lcid) = line.split_once('\t').expect("a row is tag, tab, LCID");
            let lcid = lcid.parse().expect("an LCID is a number");
            Language { lcid, tag }
        })
        .collect()
}

impl Language {
    /// Every language of the table, in the order of the file, which is that of the tags.
    #[must_use]
    pub fn all() -> Vec<Self> {
        rows()
    }

    /// The language with this tag, in any case; [`Error::Invalid`] if the table has none.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let found = TABLE.by_tag.get(&text.to_ascii_lowercase()).copied();
        found.ok_or_else(|| {
            let shown: String = text.chars().filter(|c| !c.is_control()).take(40).collect();
            Error::invalid(format!(
                "Language '{shown}' is not known; write a BCP 47 tag such as 'en-GB'."
            ))
        })
    }

    /// The language with this Windows id, if the table has it.
    #[must_use]
    pub fn from_lcid(lcid: i64) -> Option<Self> {
        let lcid = u32::try_from(lcid).ok()?;
        TABLE.by_lcid.get(&lcid).copied()
    }

    /// The tag in its usual case, such as `en-GB`.
    #[must_use]
    pub fn tag(self) -> &'static str {
        self.tag
    }

    /// The Windows language id, such as 2057.
    #[must_use]
    pub fn lcid(self) -> u32 {
        self.lcid
    }

    /// The part of the tag before its first hyphen, such as `en`.
    #[must_use]
    pub fn primary(self) -> &'static str {
        self.tag.split('-').next().unwrap_or(self.tag)
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.tag)
    }
}

/// Why [`choose`] took a language; its text goes into the decision trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LanguageReason {
    /// It is the one that was wanted.
    Exact,
    /// It has the same primary language.
    SamePrimary,
    /// It is the default language of the settings.
    Default,
    /// Nothing better was there.
    LowestLcid,
}

impl LanguageReason {
    /// One sentence for the decision trace.
    #[must_use]
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Exact => "It is the user's own language.",
            Self::SamePrimary => {
                "There is none in exactly the user's language; this one has the same primary language."
            }
            Self::Default => {
                "There is none in the user's language; this is the default language of the settings."
            }
            Self::LowestLcid => {
                "There is none in the user's language or the default one; this one has the lowest LCID."
            }
        }
    }
}

/// Which of the available languages to use: the wanted one; else one of the same primary language, lowest LCID first;
/// else the default language itself (not its relatives); else the lowest LCID. (api.md, "Which language")
#[must_use]
pub fn choose(
    available: &[Language],
    wanted: Language,
    default: Language,
) -> Option<(Language, LanguageReason)> {
    if available.contains(&wanted) {
        return Some((wanted, LanguageReason::Exact));
    }
    let relatives = available.iter().filter(|l| l.primary() == wanted.primary());
    if let Some(relative) = relatives.min() {
        return Some((*relative, LanguageReason::SamePrimary));
    }
    if available.contains(&default) {
        return Some((default, LanguageReason::Default));
    }
    let lowest = available.iter().min()?;
    Some((*lowest, LanguageReason::LowestLcid))
}
