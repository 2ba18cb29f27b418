//! The admin API: a file per page, wire structs and handlers.

pub mod backup;
pub mod captured;
pub mod causes;
pub mod clients;
pub mod coverage;
pub mod devices;
pub mod enumerations;
pub mod events;
pub mod import;
pub mod logs;
pub mod operators;
pub mod outbox;
pub mod overview;
pub mod preferences;
pub mod preview;
pub mod providers;
pub mod sending;
pub mod session;
pub mod settings;
pub mod system_preferences;
pub mod templates;
pub mod testing;
pub mod types;
pub mod users;
pub mod versions;
