//! The text part of a mail whose template has only HTML.

use html2text::config;
use html2text::render::TextDecorator;

use crate::error::Error;

/// The width of the derived text, in characters; RFC 5322 recommends at most 78.
pub const TEXT_WIDTH_CHARS: usize = 78;

/// The deepest nesting of elements: the converter's time grows with the square of it.
pub const HTML_DEPTH_MAX: usize = 200;

/// Elements that have no end, or whose end may be left out and which cannot stand inside themselves.
const WITHOUT_END: [&str; 23] = [
    "br", "img", "hr", "meta", "link", "input", "col", "area", "base", "wbr", "source", "embed",
    "track", "param", "!doctype", "p", "li", "td", "th", "tr", "dt", "dd", "option",
];

/// The text of an HTML mail: paragraphs wrapped, links followed by their address, no signs of emphasis.
pub(super) fn from_html(html: &str) -> Result<String, Error> {
    if depth(html) > HTML_DEPTH_MAX {
        return Err(Error::invalid(format!(
            "HTMLBody nests its elements more than {HTML_DEPTH_MAX} deep, so no text part can be made of it; write Body yourself."
        )));
    }
    let text = config::with_decorator(Plain::default())
        .no_table_borders()
        .raw_mode(true)
        .no_link_wrapping()
        .string_from_read(html.as_bytes(), TEXT_WIDTH_CHARS);
    match text {
        Ok(text) => Ok(tidy(&text)),
        Err(error) => Err(Error::invalid(format!(
            "HTMLBody cannot be turned into a text part ({error}); write Body yourself."
        ))),
    }
}

/// How deep elements are nested at most, by counting tags; an element that is never closed counts to the end.
fn depth(html: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    for tag in html.split('<').skip(1) {
        let closing = tag.starts_with('/');
        let name = tag.trim_start_matches('/');
        let end = name.find(|c: char| c == '>' || c == '/' || c.is_whitespace());
        let name = name[..end.unwrap_or(name.len())].to_ascii_lowercase();
        let is_element = name.starts_with(|c: char| c.is_ascii_alphabetic());
        match is_element && !WITHOUT_END.contains(&name.as_str()) {
            true if closing => depth = depth.saturating_sub(1),
            true => depth += 1,
            false => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

/// Layout tables leave blanks at line ends and runs of empty lines.
fn tidy(text: &str) -> String {
    let mut tidied = String::with_capacity(text.len());
    let mut empty = 0;
    for line in text.trim().lines().map(str::trim_end) {
        empty = if line.is_empty() { empty + 1 } else { 0 };
        if empty < 2 {
            tidied.push_str(line);
            tidied.push('\n');
        }
    }
    tidied
}

/// Prints text as it is and the address behind each link.
#[derive(Debug, Default)]
struct Plain {
    links: Vec<String>,
}

impl TextDecorator for Plain {
    type Annotation = ();

    fn decorate_link_start(&mut self, url: &str) -> (String, ()) {
        self.links.push(url.into());
        (String::new(), ())
    }

    fn decorate_link_end(&mut self) -> String {
        self.links
            .pop()
            .map_or_else(String::new, |url| format!(" ({url})"))
    }

    fn decorate_em_start(&self) -> (String, ()) {
        (String::new(), ())
    }

    fn decorate_em_end(&self) -> String {
        String::new()
    }

    fn decorate_strong_start(&self) -> (String, ()) {
        (String::new(), ())
    }

    fn decorate_strong_end(&self) -> String {
        String::new()
    }

    fn decorate_strikeout_start(&self) -> (String, ()) {
        (String::new(), ())
    }

    fn decorate_strikeout_end(&self) -> String {
        String::new()
    }

    fn decorate_code_start(&self) -> (String, ()) {
        (String::new(), ())
    }

    fn decorate_code_end(&self) -> String {
        String::new()
    }

    fn decorate_preformat_first(&self) {}

    fn decorate_preformat_cont(&self) {}

    fn decorate_image(&mut self, _: &str, title: &str) -> (String, ()) {
        (title.into(), ())
    }

    fn header_prefix(&self, _: usize) -> String {
        String::new()
    }

    fn quote_prefix(&self) -> String {
        "> ".into()
    }

    fn unordered_item_prefix(&self) -> String {
        "- ".into()
    }

    fn ordered_item_prefix(&self, number: i64) -> String {
        format!("{number}. ")
    }

    fn decorate_superscript_start(&self) -> (String, ()) {
        (String::new(), ())
    }

    fn decorate_superscript_end(&self) -> String {
        String::new()
    }

    fn make_subblock_decorator(&self) -> Self {
        Self::default()
    }

    fn finalise(&mut self, _: Vec<String>) -> Vec<html2text::render::TaggedLine<()>> {
        Vec::new()
    }
}
