//! One connection to the mail server: the dialogue of RFC 5321 with the faults that were ordered.

use super::{COMMAND_BYTES_MAX, House, MAIL_BYTES_MAX, RECIPIENTS_MAX, SERVICE, Stage};
use crate::simulate::book::Message;
use crate::simulate::fault::{HUGE_BYTES, Manner, Place, Reply};
use crate::simulate::play::{Play, play, send};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::{ServerConnection, StreamOwned};
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

trait Stream: Read + Write {}
impl<T: Read + Write> Stream for T {}

/// One connection.
pub(super) struct Visit<'a> {
    number: usize,
    house: &'a House,
    socket: TcpStream,
    stream: BufReader<Box<dyn Stream>>,
    encrypted: bool,
    user: Option<String>,
    from: Option<String>,
    to: Vec<String>,
}

/// What a server has said at a stage.
enum Said {
    /// Nothing yet: the usual reply goes out in this manner.
    Nothing(Manner),
    /// Another reply, of this code; 0 where it was none.
    Instead(u16),
}

impl<'a> Visit<'a> {
    pub(super) fn new(socket: TcpStream, number: usize, house: &'a House) -> io::Result<Self> {
        let stream: Box<dyn Stream> = Box::new(socket.try_clone()?);
        Ok(Self {
            number,
            house,
            socket,
            stream: BufReader::new(stream),
            encrypted: false,
            user: None,
            from: None,
            to: Vec::new(),
        })
    }

    pub(super) fn serve(&mut self) -> io::Result<()> {
        match self.strike(Stage::Connect)? {
            Said::Nothing(manner) => self.send(b"", manner)?,
            Said::Instead(_) => return Ok(()),
        }
        if self.house.options.implicit_tls {
            self.encrypt()?;
        }
        self.answer(Stage::Greeting, "220 fake.example ESMTP")?;
        loop {
            let line = self.line()?;
            self.house.note(self.number, Some(line.clone()));
            let verb = line.split(' ').next().unwrap_or_default();
            match verb.to_ascii_uppercase().as_str() {
                "EHLO" => {
                    let hello = self.abilities();
                    self.answer(Stage::Ehlo, &hello)?;
                }
                "HELO" => drop(self.answer(Stage::Helo, "250 fake.example")?),
                "STARTTLS" if self.house.options.starttls && !self.encrypted => {
                    if self.answer(Stage::StartTls, "220 2.0.0 Go ahead")? {
                        self.encrypt()?;
                    }
                }
                "AUTH" => self.auth(&line)?,
                "MAIL" => self.mail(&line)?,
                "RCPT" => self.rcpt(&line)?,
                "DATA" => self.data()?,
                "RSET" => {
                    self.forget();
                    self.answer(Stage::Rset, "250 2.0.0 Ok")?;
                }
                "QUIT" => return self.answer(Stage::Quit, "221 2.0.0 Bye").map(drop),
                _ => self.say("500 5.5.1 Unknown command")?,
            }
        }
    }

    fn abilities(&self) -> String {
        let options = &self.house.options;
        let mut lines = vec!["fake.example greets you".to_owned(), "8BITMIME".to_owned()];
        if options.pipelining {
            lines.push("PIPELINING".into());
        }
        if options.starttls && !self.encrypted {
            lines.push("STARTTLS".into());
        }
        if options.account.is_some() {
            lines.push(format!("AUTH {}", options.mechanisms));
        }
        let last = format!("250 SIZE {MAIL_BYTES_MAX}");
        let mut lines: Vec<_> = lines.iter().map(|line| format!("250-{line}")).collect();
        lines.push(last);
        lines.join("\r\n")
    }

    fn encrypt(&mut self) -> io::Result<()> {
        let mut hello = Vec::new();
        if self.house.orders.expects(Place::Smtp(Stage::Handshake)) {
            // The client's hello is read first, for closing on unread bytes would be a reset whatever was ordered.
            hello = self.stream.fill_buf()?.to_vec();
            self.stream.consume(hello.len());
            match self.strike(Stage::Handshake)? {
                Said::Nothing(manner) => self.send(b"", manner)?,
                Said::Instead(_) => return Err(ErrorKind::ConnectionAborted.into()),
            }
        }
        let tls = ServerConnection::new(Arc::clone(&self.house.authority.server));
        let tls = tls.map_err(io::Error::other)?;
        let socket = Replay {
            first: io::Cursor::new(hello),
            socket: self.socket.try_clone()?,
        };
        self.stream = BufReader::new(Box::new(StreamOwned::new(tls, socket)));
        self.encrypted = true;
        self.forget();
        Ok(())
    }

    fn auth(&mut self, line: &str) -> io::Result<()> {
        let mut words = line.split(' ').skip(1);
        let (user, password) = match (words.next(), words.next()) {
            (Some("PLAIN"), Some(proof)) => {
                let proof = decode(proof);
                let mut parts = proof.split('\0').skip(1).map(str::to_owned);
                (
                    parts.next().unwrap_or_default(),
                    parts.next().unwrap_or_default(),
                )
            }
            (Some("LOGIN"), None) => {
                self.say("334 VXNlcm5hbWU6")?;
                let user = decode(&self.line()?);
                self.say("334 UGFzc3dvcmQ6")?;
                (user, decode(&self.line()?))
            }
            _ => return self.say("504 5.5.4 Unknown mechanism"),
        };
        if self.house.options.account == Some((user.clone(), password)) {
            if self.answer(Stage::Auth, "235 2.7.0 Welcome")? {
                self.user = Some(user);
            }
            return Ok(());
        }
        self.answer(Stage::Auth, "535 5.7.8 Wrong user or password")
            .map(drop)
    }

    fn mail(&mut self, line: &str) -> io::Result<()> {
        if self.house.options.account.is_some() && self.user.is_none() {
            return self.say("530 5.7.0 Authentication required");
        }
        self.forget();
        if self.answer(Stage::Mail, "250 2.1.0 Ok")? {
            self.from = Some(path(line));
        }
        Ok(())
    }

    fn rcpt(&mut self, line: &str) -> io::Result<()> {
        if self.from.is_none() {
            return self.say("503 5.5.1 MAIL first");
        }
        if self.to.len() >= RECIPIENTS_MAX {
            return self.say("452 4.5.3 Too many recipients");
        }
        if self.answer(Stage::Rcpt, "250 2.1.5 Ok")? {
            self.to.push(path(line));
        }
        Ok(())
    }

    fn data(&mut self) -> io::Result<()> {
        if self.to.is_empty() {
            return self.say("503 5.5.1 RCPT first");
        }
        if !self.answer(Stage::Data, "354 End with a dot")? {
            return Ok(());
        }
        if let Said::Nothing(manner) = self.strike(Stage::Body)? {
            self.send(b"", manner)?;
        }
        let Some(content) = self.body()? else {
            self.forget();
            return self.say("552 5.3.4 The mail is too large");
        };
        let manner = match self.strike(Stage::Dot)? {
            Said::Instead(code) if !(200..300).contains(&code) => {
                self.forget();
                return Ok(());
            }
            Said::Instead(_) => None,
            Said::Nothing(manner) => Some(manner),
        };
        let number = self.house.book.take(&mut Message {
            service: SERVICE,
            connection: self.number,
            encrypted: self.encrypted,
            user: self.user.clone(),
            from: self.from.take().unwrap_or_default(),
            to: std::mem::take(&mut self.to),
            content,
            ..Message::default()
        });
        if let Some(first) = manner
            && let Said::Nothing(second) = self.strike(Stage::Kept)?
        {
            let usual = format!("250 2.0.0 Ok: queued as {number}");
            let manner = if second == Manner::Whole {
                first
            } else {
                second
            };
            self.usual(&usual, manner)?;
        }
        if let Said::Nothing(manner) = self.strike(Stage::AfterDot)? {
            self.send(b"", manner)?;
        }
        Ok(())
    }

    /// The mail up to its final dot, without the doubled dots; none when it is too large.
    fn body(&mut self) -> io::Result<Option<Vec<u8>>> {
        let (mut content, mut is_too_large, mut begins_line) = (Vec::new(), false, true);
        loop {
            let mut piece = Vec::new();
            let mut limited = (&mut self.stream).take(COMMAND_BYTES_MAX as u64);
            if limited.read_until(b'\n', &mut piece)? == 0 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
            if begins_line && piece == b".\r\n" {
                return Ok((!is_too_large).then_some(content));
            }
            let kept = match begins_line {
                true => piece.strip_prefix(b".").unwrap_or(&piece),
                false => &piece,
            };
            is_too_large |= content.len() + kept.len() > MAIL_BYTES_MAX;
            if !is_too_large {
                content.extend_from_slice(kept);
            }
            begins_line = piece.ends_with(b"\n");
        }
    }

    /// What was said of a mail is void. (RFC 5321, section 4.1.1.5)
    fn forget(&mut self) {
        self.from = None;
        self.to.clear();
    }

    /// Gives the usual answer of a stage or the one that was ordered; whether it was one that goes on.
    fn answer(&mut self, stage: Stage, usual: &str) -> io::Result<bool> {
        match self.strike(stage)? {
            Said::Nothing(manner) => self.usual(usual, manner).map(|()| true),
            Said::Instead(code) => Ok(match stage {
                Stage::Data => (300..400).contains(&code),
                _ => (200..300).contains(&code),
            }),
        }
    }

    /// Strikes at a stage; what is said instead of the usual has been said.
    fn strike(&mut self, stage: Stage) -> io::Result<Said> {
        let stream = self.stream.get_mut();
        match play(&self.house.orders, Place::Smtp(stage), stream, &self.socket)? {
            Play::Usual(manner) => Ok(Said::Nothing(manner)),
            Play::Instead(reply, manner) => {
                let Reply { code, text, .. } = reply;
                self.usual(format!("{code} {text}").trim_end(), manner)?;
                Ok(Said::Instead(code))
            }
            Play::Bytes(bytes) => {
                self.send(&bytes, Manner::Whole)?;
                Ok(Said::Instead(0))
            }
        }
    }

    /// Sends a reply in a manner.
    fn usual(&mut self, reply: &str, manner: Manner) -> io::Result<()> {
        let mut bytes = Vec::new();
        if manner == Manner::Huge {
            // A multi-line reply is as long as it likes. (RFC 5321, section 4.2.1)
            let line = format!("{}-{}\r\n", reply.get(..3).unwrap_or("250"), "x".repeat(72));
            bytes = line.repeat(HUGE_BYTES / line.len() + 1).into_bytes();
        }
        bytes.extend_from_slice(reply.as_bytes());
        bytes.extend_from_slice(b"\r\n");
        self.send(&bytes, manner)
    }

    fn say(&mut self, reply: &str) -> io::Result<()> {
        self.usual(reply, Manner::Whole)
    }

    fn send(&mut self, bytes: &[u8], manner: Manner) -> io::Result<()> {
        send(bytes, manner, self.stream.get_mut(), &self.socket)
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = Vec::new();
        let mut limited = (&mut self.stream).take(COMMAND_BYTES_MAX as u64);
        limited.read_until(b'\n', &mut line)?;
        if !line.ends_with(b"\n") {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        let line = String::from_utf8_lossy(&line);
        Ok(line.trim_end_matches(['\r', '\n']).to_owned())
    }
}

/// A socket with what was read of it already.
struct Replay {
    first: io::Cursor<Vec<u8>>,
    socket: TcpStream,
}

impl Read for Replay {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.first.read(buffer)? {
            0 => self.socket.read(buffer),
            read => Ok(read),
        }
    }
}

impl Write for Replay {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.socket.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.socket.flush()
    }
}

fn decode(text: &str) -> String {
    String::from_utf8(STANDARD.decode(text).unwrap_or_default()).unwrap_or_default()
}

/// What stands between the angle brackets.
fn path(line: &str) -> String {
    let inner = line
        .split_once('<')
        .and_then(|(_, rest)| rest.rsplit_once('>'));
    inner.map_or("", |(path, _)| path).to_owned()
}
