//! A client that costs little: one thread drives all keep-alive connections, each with one request under way, and reads
//! no more of a reply than its status and where it ends. It shares the processors with what it measures.

use crate::Result;
use crate::appliance::Prepared;
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

const WARM_UP: Duration = Duration::from_millis(300);
const REPLY_BYTES_MAX: usize = 4096;

/// A welcome mail from its template: a subject, a text and an HTML part are rendered and a link that lets in is signed.
pub(crate) const WELCOME: &str = r#"{"deliveryMethod":"email","messageType":"welcome"}"#;

/// A mail whose words the caller brings.
pub(crate) const OWN_WORDS: &str = r#"{"deliveryMethod":"email","messageBody":{"email":{"subject":"Your order","body":"Order 4711 is on its way to you and will be there on Friday."}}}"#;

/// Requests as bytes, taken in turn, and the status that counts.
pub(crate) struct Load {
    requests: Vec<Vec<u8>>,
    status: &'static [u8],
}

impl Load {
    pub(crate) fn livez() -> Self {
        Self {
            requests: vec![b"GET /livez HTTP/1.1\r\nHost: herald\r\n\r\n".to_vec()],
            status: b"HTTP/1.1 200",
        }
    }

    /// Sends to each user in turn.
    pub(crate) fn sends(prepared: &Prepared, body: &str) -> Self {
        let request = |guid| {
            format!(
                "POST /api/v1.3/communication/messages/{guid}/send HTTP/1.1\r\nHost: herald\r\n\
                 Authorization: Bearer {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
                prepared.key,
                body.len()
            )
        };
        Self {
            requests: prepared
                .users
                .iter()
                .map(|user| request(user.guid).into_bytes())
                .collect(),
            status: b"HTTP/1.1 202",
        }
    }
}

struct Connection {
    stream: TcpStream,
    reply: Vec<u8>,
}

/// What came of a load.
pub(crate) struct Measured {
    /// Good replies per second, without the warm-up.
    pub(crate) per_sec: f64,
    /// All replies, with the warm-up.
    pub(crate) total: u64,
}

/// Drives these connections for a while.
pub(crate) fn drive(
    address: SocketAddr,
    load: &Load,
    connections: usize,
    span: Duration,
) -> Result<Measured> {
    let mut poll = Poll::new()?;
    let mut open = Vec::new();
    for number in 0..connections {
        open.push(connect(address, &poll, number)?);
    }
    let mut requests = load.requests.iter().cycle();
    let mut next = || requests.next().map_or(&[][..], Vec::as_slice);
    for connection in &mut open {
        connection.stream.write_all(next())?;
    }
    let mut events = Events::with_capacity(connections);
    let mut counted_from = Instant::now() + WARM_UP;
    let until = counted_from + span;
    let (mut count, mut total, mut warm) = (0_u64, 0, false);
    loop {
        poll.poll(&mut events, Some(Duration::from_secs(5)))?;
        let now = Instant::now();
        if now >= until {
            let per_sec = count as f64 / (now - counted_from).as_secs_f64();
            return Ok(Measured { per_sec, total });
        }
        if !warm && now >= counted_from {
            (warm, counted_from) = (true, now);
        }
        if events.is_empty() {
            return Err("no reply for 5 seconds".into());
        }
        for event in &events {
            let Token(number) = event.token();
            match open[number].take_reply(load.status)? {
                Taken::Partly => continue,
                Taken::Whole => {}
                Taken::Last => open[number] = connect(address, &poll, number)?,
            }
            count += u64::from(warm);
            total += 1;
            // One small request fits into an idle socket.
            open[number].stream.write_all(next())?;
        }
    }
}

fn connect(address: SocketAddr, poll: &Poll, number: usize) -> Result<Connection> {
    let stream = std::net::TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.set_nonblocking(true)?;
    let mut stream = TcpStream::from_std(stream);
    poll.registry()
        .register(&mut stream, Token(number), Interest::READABLE)?;
    Ok(Connection {
        stream,
        reply: Vec::with_capacity(REPLY_BYTES_MAX),
    })
}

enum Taken {
    Partly,
    Whole,
    /// Whole, and the server closes the connection after it.
    Last,
}

impl Connection {
    fn take_reply(&mut self, status: &[u8]) -> Result<Taken> {
        let mut chunk = [0; REPLY_BYTES_MAX];
        match self.stream.read(&mut chunk) {
            Ok(0) => return Err("the server closed a connection without a word".into()),
            Ok(length) => self.reply.extend_from_slice(&chunk[..length]),
            Err(fault) if fault.kind() == ErrorKind::WouldBlock => return Ok(Taken::Partly),
            Err(fault) => return Err(fault.into()),
        }
        let Some(end) = self.reply.windows(4).position(|four| four == b"\r\n\r\n") else {
            return Ok(Taken::Partly);
        };
        let head = std::str::from_utf8(&self.reply[..end])?;
        if !self.reply.starts_with(status) {
            return Err(format!("an unexpected reply: {head}").into());
        }
        let length: usize = header(head, "Content-Length: ").unwrap_or("0").parse()?;
        if self.reply.len() < end + 4 + length {
            return Ok(Taken::Partly);
        }
        let last = header(head, "Connection: ") == Some("close");
        self.reply.clear();
        Ok(if last { Taken::Last } else { Taken::Whole })
    }
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().find_map(|line| line.strip_prefix(name))
}
