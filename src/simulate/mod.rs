//! The outside world on order: a mail server and the look-alikes of gateways, with every fault a network can have.
//!
//! `herald simulate` serves them so that an operator can rehearse an outage, and the tests use the very same code. It
//! knows what the services promise (gateways.md) and nothing of the appliance: no store, no configuration.
//!
//! [`fault`] has the words for what goes wrong where, [`orders`] when it does, [`play`] how it looks on a socket;
//! [`smtp`] and [`gateway`] are the two servers, [`book`] is what they took. **A further service** is a file with a
//! function that answers a request as the service would, and a line in [`LOOK_ALIKES`].

pub mod authority;
pub mod book;
pub mod fault;
pub mod gateway;
pub mod http;
mod listener;
pub mod orders;
mod play;
pub mod smtp;
pub mod twilio;

use gateway::LookAlike;

/// The HTTP services that are played, told apart by their paths; the first that owns a request answers it.
pub const LOOK_ALIKES: &[LookAlike] = &[twilio::LOOK_ALIKE];
