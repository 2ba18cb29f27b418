//! What the tests share: real servers on port 0 that play the outside world.

#![allow(clippy::unwrap_used)] // A test that cannot go on says so by panicking.

pub(crate) mod app;
pub(crate) mod authority;
pub(crate) mod binary;
pub(crate) mod fake_gateway;
pub(crate) mod fake_smtp;
pub(crate) mod faults;
pub(crate) mod holes;
pub(crate) mod listener;
pub(crate) mod smtp_script;
