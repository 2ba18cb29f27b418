//! The admin API: a file per page, wire structs and handlers.

pub mod captured;
pub mod clients;
pub mod logs;
pub mod templates;
pub mod types;
pub mod users;
