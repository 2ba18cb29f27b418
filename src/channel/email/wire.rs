//! The bytes of an SMTP connection: plain or encrypted, and never more of a reply than is worth reading.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

/// The most bytes read for one reply; RFC 5321, section 4.5.3.1.5, allows 512 a line.
/// The reply reader of `mail-send` gathers empty lines without end.
const REPLY_BYTES_MAX: usize = 64 * 1024;

/// Where that reader gives up a reply with text, and calls it unparseable.
const READER_BYTES_MAX: usize = 4096;

/// Read from the socket at once: a few replies.
const READ_BYTES: usize = 1024;

/// The stream under an SMTP dialogue.
pub(super) struct Wire {
    socket: Socket,
    /// Came with a reply, and belongs to those after it.
    ahead: Vec<u8>,
    reply_bytes_left: usize,
    /// Bytes of the line under way, and whether it is one that another follows.
    line: (usize, bool),
    closed: bool,
}

/// A connection before or after its TLS handshake.
pub(super) enum Socket {
    /// Clear text.
    Plain(TcpStream),
    /// Encrypted; boxed because the state of TLS is large.
    Tls(Box<TlsStream<TcpStream>>),
}

impl Wire {
    pub(super) fn new(socket: Socket) -> Self {
        Self {
            socket,
            ahead: Vec::with_capacity(READ_BYTES),
            reply_bytes_left: REPLY_BYTES_MAX,
            line: (0, false),
            closed: false,
        }
    }

    /// Grants the next reply its bytes.
    pub(super) fn expect_reply(&mut self) {
        self.reply_bytes_left = REPLY_BYTES_MAX;
        self.line = (0, false);
    }

    /// Drops what came though nothing was asked: it answers none of the commands that are about to be sent.
    pub(super) fn forget_unasked(&mut self) {
        self.ahead.clear();
    }

    /// How many of the bytes ahead belong to the reply under way. The reply reader drops what it is given beyond a
    /// reply, and in a pipeline that is the next one. (RFC 5321, section 4.2.1: a hyphen after the code goes on)
    fn reply_len(&mut self, most: usize) -> usize {
        let bytes = self.ahead.iter().take(most);
        for (index, byte) in bytes.enumerate() {
            let (column, goes_on) = self.line;
            self.line = match (byte, column) {
                (b'\n', _) => (0, false),
                (_, 3) => (4, *byte == b'-'),
                _ => (column + 1, goes_on),
            };
            if *byte == b'\n' && !goes_on {
                return index + 1;
            }
        }
        self.ahead.len().min(most)
    }

    /// Whether the server has ended the connection, which the reply reader does not tell from garbage.
    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }

    /// Whether more of the reply has come than anybody reads.
    pub(super) fn is_too_long(&self) -> bool {
        REPLY_BYTES_MAX - self.reply_bytes_left > READER_BYTES_MAX
    }

    pub(super) fn into_socket(self) -> Socket {
        self.socket
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.reply_bytes_left == 0 {
            return Poll::Ready(Err(io::Error::other("the reply is too long")));
        }
        if this.ahead.is_empty() {
            let mut space = [0; READ_BYTES];
            let mut read = ReadBuf::new(&mut space);
            ready!(match &mut this.socket {
                Socket::Plain(socket) => Pin::new(socket).poll_read(cx, &mut read),
                Socket::Tls(socket) => Pin::new(socket).poll_read(cx, &mut read),
            })?;
            this.closed |= read.filled().is_empty();
            this.ahead.extend_from_slice(read.filled());
        }
        let taken = this.reply_len(buf.remaining());
        buf.put_slice(&this.ahead[..taken]);
        this.ahead.drain(..taken);
        this.reply_bytes_left = this.reply_bytes_left.saturating_sub(taken);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match &mut self.get_mut().socket {
            Socket::Plain(socket) => Pin::new(socket).poll_write(cx, bytes),
            Socket::Tls(socket) => Pin::new(socket).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().socket {
            Socket::Plain(socket) => Pin::new(socket).poll_flush(cx),
            Socket::Tls(socket) => Pin::new(socket).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().socket {
            Socket::Plain(socket) => Pin::new(socket).poll_shutdown(cx),
            Socket::Tls(socket) => Pin::new(socket).poll_shutdown(cx),
        }
    }
}
