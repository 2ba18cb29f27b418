//! How a fault looks on a socket, whatever the protocol.

use super::fault::{Fault, GARBAGE, Manner, Place, Reply};
use super::orders::Orders;
use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// What a server is to do after its fault, if any.
pub(super) enum Play {
    /// What it always does, answering in this manner.
    Usual(Manner),
    /// Another answer.
    Instead(Reply, Manner),
    /// These bytes for an answer.
    Bytes(Vec<u8>),
}

/// Strikes at a place. What ends the connection is played here, and is an error afterwards.
pub(super) fn play(
    orders: &Orders,
    place: Place,
    stream: &mut (impl Read + Write + ?Sized),
    socket: &TcpStream,
) -> io::Result<Play> {
    let Some(struck) = orders.strike(place) else {
        return Ok(Play::Usual(Manner::Whole));
    };
    match &struck.fault {
        Fault::Answer(None, manner) => return Ok(Play::Usual(*manner)),
        Fault::Answer(Some(reply), manner) => return Ok(Play::Instead(reply.clone(), *manner)),
        Fault::Bytes(bytes) => return Ok(Play::Bytes(bytes.clone())),
        Fault::Garbage => return Ok(Play::Bytes(GARBAGE.to_vec())),
        Fault::Hold => {
            orders.hold(&struck);
            return Ok(Play::Usual(Manner::Whole));
        }
        Fault::Flood(bytes) => loop {
            stream.write_all(bytes)?;
        },
        Fault::Reset => reset(socket),
        Fault::Silence => stay_silent(stream),
        Fault::Close | Fault::Refuse | Fault::Report(_) => {}
    }
    over()
}

/// Sends an answer in a manner; an error when that ended the connection.
pub(super) fn send(
    bytes: &[u8],
    manner: Manner,
    stream: &mut (impl Write + ?Sized),
    socket: &TcpStream,
) -> io::Result<()> {
    match manner {
        // How an answer is made huge is its protocol's business.
        Manner::Whole | Manner::Huge => stream.write_all(bytes)?,
        Manner::Late(wait) => {
            std::thread::sleep(wait);
            stream.write_all(bytes)?;
        }
        Manner::Slow(bytes_per_sec) => {
            let pause = Duration::from_secs(1) / bytes_per_sec.max(1);
            for byte in bytes {
                stream.write_all(&[*byte])?;
                stream.flush()?;
                std::thread::sleep(pause);
            }
        }
        Manner::Truncated | Manner::Torn => {
            stream.write_all(&bytes[..bytes.len() / 2])?;
            stream.flush()?;
            if manner == Manner::Torn {
                reset(socket);
            }
            return over();
        }
    }
    stream.flush()
}

fn over<T>() -> io::Result<T> {
    Err(ErrorKind::ConnectionAborted.into())
}

/// Ends the connection with a reset instead of a close.
fn reset(socket: &TcpStream) {
    if let Err(why) = rustix::net::sockopt::set_socket_linger(socket, Some(Duration::ZERO)) {
        log::warn!("a connection is closed instead of reset: {why}");
    }
}

/// Says nothing more until the other side has hung up.
fn stay_silent(stream: &mut (impl Read + ?Sized)) {
    let mut buffer = [0; 4096];
    while stream.read(&mut buffer).is_ok_and(|read| read > 0) {}
}
