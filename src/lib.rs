//! Herald, the messaging appliance in one file.
//!
//! ```text
//! socket -> http::guard -> http::routes (table) -> http::auth -> http::<noun> handler -> domain (parse, check)
//!                                                                                              |
//!                                  accept (decide, render) -> store (SQL, one transaction) <---+
//!                                                                |
//!                                            message row = outbox = log
//!                                                                |
//!                     outbox sender (claim) -> channel::<provider>::send -> outbox sender (record)
//! ```
//!
//! Where to go: **an endpoint** is a line of [`http::routes::ROUTES`], a handler with its wire struct in the file of its
//! page, and a case file. **A provider** is a file in [`channel`] and a line of [`channel::url::SCHEMES`].
//! **A migration** is a line of the list in `store::migrate`, and `schema.sql` as it is afterwards.
//!
//! Invariants, each held by `tests/it/invariants.rs`:
//! 1. [`domain`] imports only itself and [`error`]: no serde, rusqlite, tiny_http, minijinja.
//! 2. Only [`store`] has SQL, and no rusqlite name crosses its border.
//! 3. Only [`http`] knows the APIs' JSON names and status codes.
//! 4. Only [`channel`] opens outgoing connections; only `channel::email` names tokio.
//! 5. Only [`config`] reads the environment; only [`clock`] reads the time of day.
//! 6. No transaction is open while a socket is being read or written.
//! 7. One writer thread owns the only read-write connection.
//! 8. Templates and placeholder values never meet except in [`render`].

// In reading order.
pub mod accept;
pub mod app;
pub mod assets;
pub mod channel;
pub mod cli;
pub mod clients;
pub mod clock;
pub mod config;
pub mod domain;
pub mod error;
pub mod http;
pub mod logger;
pub mod operators;
pub mod outbox;
pub mod providers;
pub mod rates;
pub mod render;
pub mod secret;
pub mod store;
pub mod vault;
