//! The simulated outside world: its words, its wire, its limits, and the verb.

#![allow(clippy::unwrap_used)] // A test that cannot go on says so by panicking.

mod language;
mod limits;
mod rehearsal;
mod verb;
mod wire;
mod world;
