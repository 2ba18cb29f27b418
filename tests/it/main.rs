//! The program from outside: a module per page of the API or promise.

mod channels;
mod support;
