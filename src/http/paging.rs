//! Where in a list a page is, and the ways to others. (api.md, "Paged lists"; RFC 8288)

use super::request::Request;
use crate::clock::shown;
use crate::store::page::{Page, Query};
use schemars::JsonSchema;
use serde::Serialize;

/// Where in a list a page is.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct Paging {
    /// From 1.
    page: u32,
    /// Rows on a page.
    page_size: u32,
    /// Rows on all pages.
    total_records: u64,
    /// Pages.
    total_pages: u64,
    /// Logs only: there are more records than were counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    total_capped: Option<bool>,
    /// Logs only: the cursor of the next page, for `after`. In a search there may be no more.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
    /// In a search of a log that has not come to its end: when the last message was accepted that it looked at. `Next`
    /// looks further back; what was found so far is all that is counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    searched_to: Option<String>,
    /// The page was asked for by cursor, so that is how to go on.
    #[serde(skip)]
    is_after: bool,
    #[serde(skip)]
    base: String,
}

impl Paging {
    /// The paging of this page, with links back to the request's address.
    pub(super) fn new<T>(request: &Request, query: &Query, page: &Page<T>) -> Self {
        let mut base = format!("{}?", request.path());
        let stays = |word: &str| word != "page" && word != "after";
        for (word, value) in request.query().iter().filter(|(word, _)| stays(word)) {
            let pair = form_urlencoded::Serializer::new(String::new())
                .append_pair(word, value)
                .finish();
            base.push_str(&pair);
            base.push('&');
        }
        Self {
            page: query.page,
            page_size: query.page_size,
            total_records: page.total,
            total_pages: page.total.div_ceil(u64::from(query.page_size)),
            total_capped: query.count_max.map(|_| page.is_capped),
            next: page
                .last_id
                .filter(|_| query.count_max.is_some())
                .map(|id| id.to_string()),
            searched_to: page.searched_to.map(shown),
            is_after: query.after.is_some()
                || (query.count_max.is_some() && query.search.is_some()),
            base,
        }
    }

    /// The `Link` header: first, prev, next, last, where they are.
    #[must_use]
    pub fn link(&self) -> String {
        if self.is_after {
            let first = format!("<{}page=1>; rel=\"first\"", self.base);
            let next = self.next.as_ref();
            let next = next.map(|next| format!("<{}after={next}>; rel=\"next\"", self.base));
            return [Some(first), next]
                .into_iter()
                .flatten()
                .collect::<Vec<_>>()
                .join(", ");
        }
        let page = u64::from(self.page);
        let last = self.total_pages.max(1);
        let mut links = vec![(1, "first")];
        if page > 1 {
            links.push(((page - 1).min(last), "prev"));
        }
        if page < last || self.total_capped == Some(true) {
            links.push((page + 1, "next"));
        }
        if self.total_capped != Some(true) {
            links.push((last, "last"));
        }
        let links: Vec<_> = links
            .iter()
            .map(|(page, rel)| format!("<{}page={page}>; rel=\"{rel}\"", self.base))
            .collect();
        links.join(", ")
    }
}
