//! The rules, as pure functions over plain data. Imports only itself and `error`.

pub mod address;
pub mod cause;
pub mod device;
pub mod format;
pub mod ids;
pub mod language;
pub mod message;
pub mod message_type;
pub mod placeholder;
pub mod preference;
pub mod retry;
pub mod routing;
pub mod scope;
pub mod segments;
pub mod settings;
pub mod sms;
pub mod template;
pub mod user;
