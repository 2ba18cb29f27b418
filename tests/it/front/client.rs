//! A client that sends what it is told, byte by byte, and reads replies one after the other.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

pub(super) struct Client {
    pub(super) stream: TcpStream,
    buffer: Vec<u8>,
}

#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) head: String,
    pub(super) body: Vec<u8>,
}

impl Reply {
    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (n, value) = line.split_once(": ")?;
            n.eq_ignore_ascii_case(name).then_some(value)
        })
    }
}

impl Client {
    pub(super) fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("the server accepts");
        stream
            .set_read_timeout(Some(Duration::from_secs(20)))
            .expect("a timeout above zero");
        stream.set_nodelay(true).expect("the socket is open");
        Self {
            stream,
            buffer: Vec::new(),
        }
    }

    #[track_caller]
    pub(super) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream
            .write_all(bytes.as_ref())
            .expect("the server reads");
    }

    #[track_caller]
    pub(super) fn get(&mut self, target: &str) -> Reply {
        self.send(format!("GET {target} HTTP/1.1\r\nHost: x\r\n\r\n"));
        self.reply()
    }

    #[track_caller]
    pub(super) fn reply(&mut self) -> Reply {
        let mut reply = self.head();
        let length = reply
            .header("Content-Length")
            .expect("each reply says its length");
        let length: usize = length.parse().expect("Content-Length is a number");
        reply.body = self.read_body(length);
        reply
    }

    #[track_caller]
    pub(super) fn read_body(&mut self, length: usize) -> Vec<u8> {
        while self.buffer.len() < length {
            assert!(self.read_more(), "the body was cut off");
        }
        self.buffer.drain(..length).collect()
    }

    /// A reply without a body: to HEAD, or 100.
    #[track_caller]
    pub(super) fn head(&mut self) -> Reply {
        let end = loop {
            if let Some(at) = self.buffer.windows(4).position(|w| w == b"\r\n\r\n") {
                break at + 4;
            }
            let so_far = String::from_utf8_lossy(&self.buffer).into_owned();
            assert!(self.read_more(), "no reply, only {so_far:?}");
        };
        let head = String::from_utf8(self.buffer.drain(..end).collect()).expect("a head is text");
        let status = head.split(' ').nth(1).expect("a status line has a status");
        Reply {
            status: status.parse().expect("a status is a number"),
            head,
            body: Vec::new(),
        }
    }

    /// The server sends nothing more and closes.
    #[track_caller]
    pub(super) fn expect_closed(&mut self) {
        let more = self.read_more();
        let text = String::from_utf8_lossy(&self.buffer);
        assert!(!more && self.buffer.is_empty(), "not closed but: {text:?}");
    }

    /// All that comes until the server closes.
    #[track_caller]
    pub(super) fn rest_of_it(&mut self) -> Vec<u8> {
        while self.read_more() {}
        std::mem::take(&mut self.buffer)
    }

    fn read_more(&mut self) -> bool {
        let mut piece = [0; 64 * 1024];
        match self.stream.read(&mut piece) {
            Ok(length) => {
                self.buffer.extend_from_slice(&piece[..length]);
                length > 0
            }
            Err(error) if error.kind() == ErrorKind::ConnectionReset => false,
            Err(error) => panic!("the server neither answered nor closed: {error}"),
        }
    }
}
