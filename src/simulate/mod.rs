//! The outside world on order: a mail server and the look-alikes of gateways, with every fault a network can have.
//!
//! `herald simulate` serves them so that an operator can rehearse an outage, and the tests use the very same code. It
//! knows what the services promise (gateways.md) and nothing of the appliance: no store, no configuration.
//!
//! [`fault`] says what can go wrong where, [`language`] has the words for it, [`orders`] says when it strikes and `play` how
//! that looks on a socket. [`smtp`] and [`gateway`] are the two servers, [`book`] is what they took, [`reports`] carries
//! what services tell a sender later, and [`control`] is how an outage is begun and ended while all this runs.
//!
//! **A further service** is a file with a function that answers a request as the service would, after checking path,
//! credentials and fields, and a line in [`LOOK_ALIKES`]; its places in faults follow from its name.

pub mod authority;
pub mod book;
pub mod control;
pub mod fault;
pub mod fcm;
pub mod gateway;
pub mod gotify;
pub mod http;
pub mod language;
mod listener;
pub mod ntfy;
pub mod orders;
mod play;
pub mod reports;
pub mod smtp;
pub mod twilio;
pub mod vonage;
pub mod webhook;

pub use listener::CONNECTIONS_MAX;

use gateway::LookAlike;

/// The HTTP services that are played, told apart by their paths; the first that owns a request answers it.
pub const LOOK_ALIKES: &[LookAlike] = &[
    twilio::LOOK_ALIKE,
    vonage::LOOK_ALIKE,
    fcm::LOOK_ALIKE,
    fcm::TOKENS,
    ntfy::LOOK_ALIKE,
    gotify::LOOK_ALIKE,
    webhook::LOOK_ALIKE,
];
