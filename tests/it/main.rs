//! The integration tests, one binary.

mod front;
