//! A mail server that keeps what it is given and misbehaves on order.
//!
//! It is a real one: a thread per connection, STARTTLS or implicit TLS with a certificate made on the spot, AUTH PLAIN
//! and LOGIN. Everything is written down before the reply that ends it goes out, so a test need not wait.

use super::authority::certificates;
use super::faults::{reset, stay_silent};
use super::listener::Listener;
pub(crate) use super::smtp_script::{Fault, Options, Received, Stage};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};

#[derive(Default)]
struct Book {
    commands: Vec<Vec<String>>,
    received: Vec<Received>,
    faults: Vec<(Stage, Fault)>,
    mails_begun: usize,
}

/// The running server; stops when dropped.
pub(crate) struct FakeSmtp {
    authority: Vec<u8>,
    authority_pem: String,
    book: Arc<Mutex<Book>>,
    listener: Listener,
}

impl FakeSmtp {
    /// Starts a server for `localhost` and `127.0.0.1`.
    pub(crate) fn start(options: Options) -> Self {
        let (authority, authority_pem, tls) = certificates();
        let book = Arc::new(Mutex::new(Book::default()));
        let shared = Arc::clone(&book);
        let listener = Listener::start(move |socket, _| {
            let number = {
                let mut book = shared.lock().unwrap();
                book.commands.push(Vec::new());
                book.commands.len() - 1
            };
            let (book, tls) = (Arc::clone(&shared), Arc::clone(&tls));
            let mut visit = Visit::new(socket, number, book, tls, options.clone());
            // A lost connection is what many tests are about.
            drop(visit.serve());
        });
        Self {
            authority,
            authority_pem,
            book,
            listener,
        }
    }

    pub(crate) fn port(&self) -> u16 {
        self.listener.port()
    }

    /// The certificate authority, DER.
    pub(crate) fn authority(&self) -> Vec<u8> {
        self.authority.clone()
    }

    /// The certificate authority, PEM, for `SSL_CERT_FILE`.
    pub(crate) fn authority_pem(&self) -> &str {
        &self.authority_pem
    }

    /// The next time the stage is reached, this happens; several for one stage strike in turn.
    pub(crate) fn fault(&self, stage: Stage, fault: Fault) -> &Self {
        self.book.lock().unwrap().faults.push((stage, fault));
        self
    }

    /// Faults that have not struck.
    pub(crate) fn faults_left(&self) -> usize {
        self.book.lock().unwrap().faults.len()
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.book.lock().unwrap().received.clone()
    }

    /// The command lines by connection.
    pub(crate) fn commands(&self) -> Vec<Vec<String>> {
        self.book.lock().unwrap().commands.clone()
    }

    /// How often MAIL was said.
    pub(crate) fn mails_begun(&self) -> usize {
        self.book.lock().unwrap().mails_begun
    }
}

trait Stream: Read + Write {}
impl<T: Read + Write> Stream for T {}

/// One connection.
struct Visit {
    number: usize,
    book: Arc<Mutex<Book>>,
    tls: Arc<ServerConfig>,
    options: Options,
    socket: TcpStream,
    stream: BufReader<Box<dyn Stream>>,
    encrypted: bool,
    user: Option<String>,
    from: Option<String>,
    to: Vec<String>,
}

/// Whether the stage goes on as usual after its fault, if any.
enum After {
    NoFault,
    Replied,
}

impl Visit {
    fn new(
        socket: TcpStream,
        number: usize,
        book: Arc<Mutex<Book>>,
        tls: Arc<ServerConfig>,
        options: Options,
    ) -> Self {
        let stream: Box<dyn Stream> = Box::new(socket.try_clone().unwrap());
        Self {
            number,
            book,
            tls,
            options,
            socket,
            stream: BufReader::new(stream),
            encrypted: false,
            user: None,
            from: None,
            to: Vec::new(),
        }
    }

    fn serve(&mut self) -> io::Result<()> {
        if self.options.implicit_tls {
            self.encrypt()?;
        }
        self.answer(Stage::Greeting, "220 fake.example ESMTP")?;
        loop {
            let line = self.line()?;
            self.book.lock().unwrap().commands[self.number].push(line.clone());
            let verb = line
                .split(' ')
                .next()
                .unwrap_or_default()
                .to_ascii_uppercase();
            match verb.as_str() {
                "EHLO" => {
                    let hello = self.abilities();
                    self.answer(Stage::Ehlo, &hello)?;
                }
                "HELO" => self.answer(Stage::Helo, "250 fake.example")?,
                "STARTTLS" => {
                    self.answer(Stage::StartTls, "220 2.0.0 Go ahead")?;
                    self.encrypt()?;
                }
                "AUTH" => self.auth(&line)?,
                "MAIL" => self.mail(&line)?,
                "RCPT" => {
                    self.to.push(path(&line));
                    self.answer(Stage::Rcpt, "250 2.1.5 Ok")?;
                }
                "DATA" => self.data()?,
                "RSET" => self.answer(Stage::Rset, "250 2.0.0 Ok")?,
                "QUIT" => return self.answer(Stage::Quit, "221 2.0.0 Bye"),
                _ => self.send(b"500 5.5.1 Unknown command\r\n")?,
            }
        }
    }

    fn abilities(&self) -> String {
        let mut lines = vec![
            "fake.example greets you".to_string(),
            "8BITMIME".to_string(),
        ];
        if self.options.starttls && !self.encrypted {
            lines.push("STARTTLS".into());
        }
        if self.options.account.is_some() {
            lines.push(format!("AUTH {}", self.options.mechanisms));
        }
        lines.push("SIZE 10240000".into());
        let last = lines.len() - 1;
        let dash = |at: usize| if at == last { ' ' } else { '-' };
        let lines: Vec<String> = lines
            .iter()
            .enumerate()
            .map(|(at, line)| format!("250{}{line}", dash(at)))
            .collect();
        lines.join("\r\n")
    }

    fn encrypt(&mut self) -> io::Result<()> {
        if self.expects_fault(Stage::Handshake) {
            // The client's hello is read first, for closing on unread bytes would be a reset whatever was ordered.
            let read = self.stream.fill_buf()?.len();
            self.stream.consume(read);
        }
        if matches!(self.fault(Stage::Handshake)?, After::Replied) {
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        let connection = ServerConnection::new(Arc::clone(&self.tls)).unwrap();
        let stream = StreamOwned::new(connection, self.socket.try_clone()?);
        self.stream = BufReader::new(Box::new(stream));
        self.encrypted = true;
        Ok(())
    }

    fn auth(&mut self, line: &str) -> io::Result<()> {
        let decode = |text: &str| {
            String::from_utf8(STANDARD.decode(text).unwrap_or_default()).unwrap_or_default()
        };
        let mut words = line.split(' ').skip(1);
        let (user, password) = match (words.next(), words.next()) {
            (Some("PLAIN"), Some(proof)) => {
                let proof = decode(proof);
                let mut parts = proof.split('\0').skip(1).map(str::to_string);
                (
                    parts.next().unwrap_or_default(),
                    parts.next().unwrap_or_default(),
                )
            }
            (Some("LOGIN"), None) => {
                self.send(b"334 VXNlcm5hbWU6\r\n")?;
                let user = decode(&self.line()?);
                self.send(b"334 UGFzc3dvcmQ6\r\n")?;
                (user, decode(&self.line()?))
            }
            _ => return self.send(b"504 5.5.4 Unknown mechanism\r\n"),
        };
        if self.options.account == Some((user.as_str(), password.as_str())) {
            self.user = Some(user);
            return self.answer(Stage::Auth, "235 2.7.0 Welcome");
        }
        let echo = format!("535 5.7.8 No entry with {password}");
        self.answer(Stage::Auth, &echo)
    }

    fn mail(&mut self, line: &str) -> io::Result<()> {
        self.book.lock().unwrap().mails_begun += 1;
        if self.options.account.is_some() && self.user.is_none() {
            return self.send(b"530 5.7.0 Authentication required\r\n");
        }
        self.from = Some(path(line));
        self.to.clear();
        self.answer(Stage::Mail, "250 2.1.0 Ok")
    }

    fn data(&mut self) -> io::Result<()> {
        if matches!(self.fault(Stage::Data)?, After::Replied) {
            return Ok(());
        }
        self.send(b"354 End with a dot\r\n")?;
        self.fault(Stage::Body)?;
        let mut data = Vec::new();
        loop {
            let mut line = Vec::new();
            if self.stream.read_until(b'\n', &mut line)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if line == b".\r\n" {
                break;
            }
            data.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
        }
        if matches!(self.fault(Stage::Dot)?, After::Replied) {
            return Ok(());
        }
        let received = Received {
            connection: self.number,
            tls: self.encrypted,
            user: self.user.clone(),
            from: self.from.take().unwrap_or_default(),
            to: std::mem::take(&mut self.to),
            data,
        };
        self.book.lock().unwrap().received.push(received);
        self.answer(Stage::Kept, "250 2.0.0 Ok: queued as FAKE1")?;
        self.fault(Stage::AfterDot).map(drop)
    }

    fn answer(&mut self, stage: Stage, usual: &str) -> io::Result<()> {
        match self.fault(stage)? {
            After::Replied => Ok(()),
            After::NoFault => self.send(format!("{usual}\r\n").as_bytes()),
        }
    }

    fn expects_fault(&self, stage: Stage) -> bool {
        let book = self.book.lock().unwrap();
        book.faults.iter().any(|(s, _)| *s == stage)
    }

    /// Plays the next fault of this stage; an error when it ended the connection.
    fn fault(&mut self, stage: Stage) -> io::Result<After> {
        let fault = {
            let faults = &mut self.book.lock().unwrap().faults;
            let place = faults.iter().position(|(s, _)| *s == stage);
            place.map(|at| faults.remove(at).1)
        };
        let over = Err(io::ErrorKind::ConnectionAborted.into());
        match fault {
            None => Ok(After::NoFault),
            Some(Fault::Reply(bytes)) => self.send(&bytes).map(|()| After::Replied),
            Some(Fault::Close) => over,
            Some(Fault::Reset) => {
                reset(&self.socket);
                over
            }
            Some(Fault::Silence) => {
                stay_silent(&mut self.stream);
                over
            }
            Some(Fault::Hold(barrier)) => {
                barrier.wait();
                Ok(After::NoFault)
            }
            Some(Fault::Flood(bytes)) => loop {
                self.send(bytes)?;
            },
        }
    }

    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.get_mut().write_all(bytes)?;
        self.stream.get_mut().flush()
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        if self.stream.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(line.trim_end_matches(['\r', '\n']).to_string())
    }
}

/// What stands between the angle brackets.
fn path(line: &str) -> String {
    let inner = line.split_once('<').and_then(|(_, r)| r.rsplit_once('>'));
    inner.map_or("", |(path, _)| path).to_string()
}
