//! The text part of a mail whose template has only HTML.

use html2text::config;
use html2text::render::TextDecorator;

use crate::error::Error;

/// The width of the derived text, in characters; RFC 5322 recommends at most 78.
pub const TEXT_WIDTH_CHARS: usize = 78;

/// The text of an HTML mail: paragraphs wrapped, links followed by their address, no signs of emphasis.
pub(super) fn from_html(html: &str) -> Result<String, Error> {
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
