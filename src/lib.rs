//! Herald, the messaging appliance in one file.

pub mod assets;
pub mod channel;
pub mod clock;
pub mod domain;
pub mod error;
pub mod http;
pub mod render;
