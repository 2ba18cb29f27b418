#![allow(missing_docs, clippy::unwrap_used)]
mod addresses;
mod languages;
mod render;
mod sms;
mod templates_domain;
