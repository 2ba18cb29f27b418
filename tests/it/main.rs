//! The program from outside: a module per page of the API or promise.
#![allow(missing_docs, clippy::unwrap_used)]

mod addresses;
mod api;
mod attacks;
mod channels;
mod command_line;
mod explain;
mod front;
mod invariants;
mod journey;
mod languages;
mod operators;
mod outbox;
mod providers;
mod readme;
mod render;
mod reports;
mod rights;
mod segments;
mod simulate;
mod sms;
mod store;
mod support;
mod templates_domain;
mod together;
mod users;
