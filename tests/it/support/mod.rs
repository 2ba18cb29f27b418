//! What the tests share: real servers on port 0 that play the outside world.

#![allow(clippy::unwrap_used)] // A test that cannot go on says so by panicking.

pub(crate) mod app;
pub(crate) mod binary;
pub(crate) mod holes;
pub(crate) mod outside;
pub(crate) mod traces;
