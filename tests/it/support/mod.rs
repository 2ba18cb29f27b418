//! What the tests share: real servers on port 0 that play the outside world.

pub mod fake_gateway;
pub mod fake_smtp;
pub mod faults;
