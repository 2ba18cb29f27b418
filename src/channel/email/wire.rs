//! The bytes of an SMTP connection: plain or encrypted, and never more of a reply than is worth reading.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

/// The most bytes read for one reply; RFC 5321, section 4.5.3.1.5, allows 512 a line.
/// The reply reader of `mail-send` gathers empty lines without end.
const REPLY_BYTES_MAX: usize = 64 * 1024;

/// Where that reader gives up a reply with text, and calls it unparseable.
const READER_BYTES_MAX: usize = 4096;

/// The stream under an SMTP dialogue.
pub(super) struct Wire {
    socket: Socket,
    reply_bytes_left: usize,
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
            reply_bytes_left: REPLY_BYTES_MAX,
            closed: false,
        }
    }

    /// Grants the next reply its bytes.
    pub(super) fn expect_reply(&mut self) {
        self.reply_bytes_left = REPLY_BYTES_MAX;
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
        let before = buf.filled().len();
        let polled = match &mut this.socket {
            Socket::Plain(socket) => Pin::new(socket).poll_read(cx, buf),
            Socket::Tls(socket) => Pin::new(socket).poll_read(cx, buf),
        };
        if matches!(polled, Poll::Ready(Ok(()))) {
            let read = buf.filled().len() - before;
            this.closed |= read == 0;
            this.reply_bytes_left = this.reply_bytes_left.saturating_sub(read);
        }
        polled
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
