//! The send API: an application asks for one message to one user.

pub mod messages;
pub mod notifications;
pub mod templates;
pub mod token;
