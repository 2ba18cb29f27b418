//! The HTTP front against clients of every kind, each server in a process of its own so that its memory and descriptors
//! can be limited and measured.

mod child;
mod client;
mod floods;
mod framing;
mod lifecycle;
mod limits;
mod streams;
