//! The rules, as pure functions over plain data. Imports only itself and `error`.

pub mod address;
pub mod format;
pub mod ids;
pub mod language;
pub mod message_type;
pub mod placeholder;
pub mod sms;
pub mod template;
