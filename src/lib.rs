//! Herald, the messaging appliance in one file.
//!
//! ```text
//! socket -> http::guard -> http::routes (table) -> http::auth -> http::admin|send::<page> -> domain (parse, check)
//!                                                                                              |
//!                                  accept (decide, render) -> store (SQL, one transaction) <---+
//!                                                                |
//!                                            message row = outbox = log
//!                                                                |
//!                     outbox sender (claim) -> channel::<provider>::send -> outbox sender (record)
//! ```
//!
//! Where to go: **an endpoint** is a line of [`http::routes::ROUTES`], a handler with its wire struct in the file of its
//! page, and a case file. **A provider** is a file in [`channel`], a line of [`channel::url::SCHEMES`] and what the
//! compiler then asks for; its look-alike is a file in [`simulate`], its cases are in `tests/it`. **A migration** is a
//! file in `store/migrations`, an entry of the list in `store::migrate`, and `schema.sql` at the top as it is
//! afterwards. README has each of the three in full.
//!
//! Comments that name a document (`api.md`, `cli.md`, `delivery.md`, `design.md`, `gateways.md`) cite the specification
//! that Herald was ordered with; "Send Message" and "Core - Messages" are the two API documents.
//!
//! Invariants, each held by `tests/it/invariants.rs`:
//! 1. [`domain`] imports only itself, [`error`] and plain data types (time, GUIDs): no serde, rusqlite, tiny_http, minijinja.
//! 2. Only [`store`] has SQL, and no rusqlite name crosses its border.
//! 3. Only [`http`] knows the APIs' JSON names and status codes.
//! 4. Only [`channel`] opens outgoing connections; only `channel::email` names tokio.
//! 5. Only [`config`] reads the environment (a flag in [`cli`] may name its own); only [`clock`] reads the time of day.
//! 6. No transaction is open while a socket is being read or written.
//! 7. One writer thread owns the only connection that changes the database that is used; another copies its log into it.
//! 8. Templates and placeholder values never meet except in [`render`].
//! 9. Only `http::guard` and [`simulate`] listen. [`simulate`] is the outside world that the appliance is rehearsed
//!    against: only [`cli`] and the tests name it, it knows nothing of [`store`], [`config`] and [`domain`], and what it
//!    sends by itself goes through [`channel`].

// In reading order. What comes in:
pub mod app;
pub mod cli;
pub mod config;
pub mod hooks;
pub mod http;

// Who may, and how often:
pub mod clients;
pub mod operators;
pub mod rates;
pub mod secret;

// What is asked, decided and written down:
pub mod accept;
pub mod assets;
pub mod domain;
pub mod import;
pub mod render;
pub mod store;
pub mod vault;

// What goes out:
pub mod channel;
pub mod outbox;
pub mod providers;

// What is done when nobody asks:
pub mod housekeeping;

// The outside world, for rehearsals and tests:
pub mod simulate;

// What everything uses:
pub mod clock;
pub mod error;
pub mod logger;
