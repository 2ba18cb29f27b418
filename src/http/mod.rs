//! The HTTP front: sockets, routes, rights and the JSON of both APIs.

pub mod guard;
pub mod response;
pub mod server;
