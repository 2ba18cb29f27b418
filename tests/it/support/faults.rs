//! Breaking a connection in the ways a network does.

use std::io::Read;
use std::net::TcpStream;
use std::time::Duration;

/// Ends the connection with a reset instead of a close.
pub(crate) fn reset(socket: &TcpStream) {
    let linger = rustix::net::sockopt::set_socket_linger(socket, Some(Duration::ZERO));
    linger.expect("a TCP socket can be told to reset");
}

/// Says nothing more until the other side has hung up.
pub(crate) fn stay_silent(mut socket: impl Read) {
    let mut buffer = [0; 4096];
    while socket.read(&mut buffer).is_ok_and(|read| read > 0) {}
}
