//! The rules, as pure functions over plain data. Imports only itself and `error`.

pub mod format;
pub mod ids;
pub mod placeholder;
