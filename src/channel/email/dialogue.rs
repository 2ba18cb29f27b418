//! One SMTP connection, step by step, so that it is always known how far a mail had got. (RFC 5321)

use super::verdict::{judge, phrase};
use super::wire::{Socket, Wire};
use super::{Server, Tls};
use crate::channel::mime::{Mail, dot_stuffed};
use crate::channel::tls::is_certificate_fault;
use crate::channel::{Failure, Receipt};
use crate::domain::retry::{Signal, Stage};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mail_send::SmtpClient;
use rustls::pki_types::ServerName;
use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

/// The longest wait for a sign of life from a connection that lay idle, and for the reply to QUIT.
const COURTESY_MAX: Duration = Duration::from_secs(5);

/// An open, greeted and signed-in connection.
pub(super) struct Connection {
    server: Arc<Server>,
    client: SmtpClient<Wire>,
    /// Whether the mail under way has got past MAIL: from then on it is not quietly tried again elsewhere.
    pub(super) mail_taken: bool,
    words: String,
}

/// What a server said it can do.
#[derive(Default)]
struct Abilities {
    starttls: bool,
    auth_plain: bool,
    auth_login: bool,
}

struct Reply {
    code: u16,
    message: String,
    /// Code, enhanced code and text, as it is kept.
    answer: String,
}

impl Connection {
    /// Connects, encrypts and signs in.
    pub(super) async fn open(
        server: &Arc<Server>,
        helo: &str,
        deadline: Instant,
    ) -> Result<Self, Failure> {
        let config = &server.config;
        let unreachable = |why: &str| {
            let text = format!("{}:{} cannot be reached: {why}.", config.host, config.port);
            server.mask.signal(Signal::Unreachable, &text)
        };
        let limit = server.timeouts.smtp_connect.min(left(deadline));
        let dial = TcpStream::connect((config.host.as_str(), config.port));
        let socket = match timeout(limit, dial).await {
            Err(_) => return Err(unreachable("no connection in time")),
            Ok(Err(why)) => return Err(unreachable(&why.to_string())),
            Ok(Ok(socket)) => socket,
        };
        // Each command waits for its reply, so gathering small packets would only add delay; without it we are slower.
        if let Err(why) = socket.set_nodelay(true) {
            log::debug!("TCP_NODELAY for {}: {why}", server.name());
        }
        let mut connection = Self {
            server: Arc::clone(server),
            client: SmtpClient {
                stream: Wire::new(Socket::Plain(socket)),
                timeout: limit,
            },
            mail_taken: false,
            words: String::new(),
        };
        if config.tls == Tls::Implicit {
            connection = connection.encrypt(deadline).await?;
        }
        let greeting = connection.greeting(deadline).await?;
        connection.judge(Stage::Greeting, &greeting)?;
        let mut abilities = connection.hello(helo, deadline).await?;
        let upgrade = match config.tls {
            Tls::Required if !abilities.starttls => {
                let text = "The server does not offer STARTTLS, which tls=required needs.";
                return Err(server.mask.signal(Signal::Lacking, text));
            }
            Tls::Required => true,
            Tls::Opportunistic => abilities.starttls,
            Tls::Implicit | Tls::None => false,
        };
        if upgrade {
            connection
                .ask(Stage::StartTls, "STARTTLS", deadline)
                .await?;
            connection = connection.encrypt(deadline).await?;
            abilities = connection.hello(helo, deadline).await?;
        }
        connection.sign_in(&abilities, deadline).await?;
        Ok(connection)
    }

    /// What the server said last before it let us in: to our name, or to our password.
    pub(super) fn words(&self) -> &str {
        &self.words
    }

    /// Makes a used connection ready for the next mail; a failure means that it is dead.
    pub(super) async fn reset(&mut self, deadline: Instant) -> Result<(), Failure> {
        self.mail_taken = false;
        let deadline = deadline.min(Instant::now() + COURTESY_MAX);
        self.ask(Stage::Reset, "RSET", deadline).await.map(drop)
    }

    /// Sends one mail and waits for the word that the server has taken it.
    pub(super) async fn hand_over(
        &mut self,
        mail: &Mail,
        deadline: Instant,
    ) -> Result<Receipt, Failure> {
        self.mail_taken = false;
        let command = format!("MAIL FROM:<{}>", mail.from.address());
        self.ask(Stage::Mail, &command, deadline).await?;
        self.mail_taken = true;
        let command = format!("RCPT TO:<{}>", mail.to);
        self.ask(Stage::Rcpt, &command, deadline).await?;
        self.ask(Stage::Data, "DATA", deadline).await?;
        let limit = self.server.timeouts.smtp_command.min(left(deadline));
        let body = dot_stuffed(&mail.raw);
        let sent = timeout(limit, self.write(&body)).await;
        self.arrived(Stage::Data, sent)?;
        // From the first byte of the final dot the server may have taken the mail, whatever we hear or do not hear.
        let limit = self.server.timeouts.smtp_final_dot.min(left(deadline));
        let reply = self.exchange(Stage::Dot, ".", limit).await?;
        self.judge(Stage::Dot, &reply)?;
        Ok(Receipt {
            provider_id: None,
            code: Some(reply.code),
            answer: self.server.mask.clean(&reply.answer),
        })
    }

    /// Says goodbye; the connection is done for whatever comes back.
    pub(super) async fn quit(mut self) {
        let said = timeout(
            COURTESY_MAX,
            self.exchange(Stage::Reset, "QUIT", COURTESY_MAX),
        )
        .await;
        if !matches!(said, Ok(Ok(_))) {
            log::debug!("{} did not answer QUIT", self.server.name());
        }
    }

    async fn greeting(&mut self, deadline: Instant) -> Result<Reply, Failure> {
        let limit = self.server.timeouts.smtp_greeting.min(left(deadline));
        self.client.stream.expect_reply();
        let reply = timeout(limit, self.client.read()).await;
        let reply = self.arrived(Stage::Greeting, reply)?;
        Ok(Reply::new(reply.code, reply.esc, reply.message))
    }

    async fn hello(&mut self, helo: &str, deadline: Instant) -> Result<Abilities, Failure> {
        let limit = self.server.timeouts.smtp_command.min(left(deadline));
        let reply = self
            .exchange(Stage::Hello, &format!("EHLO {helo}"), limit)
            .await?;
        let config = &self.server.config;
        let can_do_without =
            matches!(config.tls, Tls::None | Tls::Opportunistic) && config.credentials.is_none();
        if (500..600).contains(&reply.code) && can_do_without {
            // A server from before 1995 knows only HELO, which is enough when there is nothing to negotiate.
            let reply = self
                .ask(Stage::Hello, &format!("HELO {helo}"), deadline)
                .await?;
            self.note(&reply);
            return Ok(Abilities::default());
        }
        self.judge(Stage::Hello, &reply)?;
        self.note(&reply);
        Ok(Abilities::read(&reply.message))
    }

    async fn sign_in(&mut self, abilities: &Abilities, deadline: Instant) -> Result<(), Failure> {
        let server = Arc::clone(&self.server);
        let Some((user, password)) = &server.config.credentials else {
            return Ok(());
        };
        let password = password.expose();
        if abilities.auth_plain {
            let proof = STANDARD.encode(format!("\0{user}\0{password}"));
            let command = format!("AUTH PLAIN {proof}");
            let reply = self.ask(Stage::Auth, &command, deadline).await?;
            self.note(&reply);
            return Ok(());
        }
        if !abilities.auth_login {
            let text = "The server offers neither AUTH PLAIN nor AUTH LOGIN; \
                        leave out user and password, or reach it over TLS.";
            return Err(self.server.mask.signal(Signal::Lacking, text));
        }
        for line in ["AUTH LOGIN".to_string(), STANDARD.encode(user)] {
            let limit = self.server.timeouts.smtp_command.min(left(deadline));
            let reply = self.exchange(Stage::Auth, &line, limit).await?;
            if reply.code != 334 {
                self.judge(Stage::Auth, &reply)?;
            }
        }
        let proof = STANDARD.encode(password);
        let reply = self.ask(Stage::Auth, &proof, deadline).await?;
        self.note(&reply);
        Ok(())
    }

    fn note(&mut self, reply: &Reply) {
        let first = reply.answer.lines().next().unwrap_or_default();
        self.words = self.server.mask.clean(first);
    }

    /// The TLS handshake, which consumes the clear-text connection.
    async fn encrypt(self, deadline: Instant) -> Result<Self, Failure> {
        let server = self.server;
        let broken = |signal, why: &str| {
            let text = format!("TLS with {} failed: {why}.", server.config.host);
            Err(server.mask.signal(signal, &text))
        };
        let limit = server.timeouts.smtp_command.min(left(deadline));
        let (Socket::Plain(stream), Some(connector)) =
            (self.client.stream.into_socket(), &server.connector)
        else {
            return broken(
                Signal::BrokenHandshake,
                "the connection is encrypted already",
            );
        };
        let Ok(name) = ServerName::try_from(server.config.host.clone()) else {
            let why = "the host is no name that a certificate can have";
            return broken(Signal::BadCertificate, why);
        };
        let stream = match timeout(limit, connector.connect(name, stream)).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(why)) if is_certificate_fault(&why) => {
                return broken(Signal::BadCertificate, &why.to_string());
            }
            Ok(Err(why)) => return broken(Signal::BrokenHandshake, &why.to_string()),
            Err(_) => return broken(Signal::BrokenHandshake, "no handshake in time"),
        };
        let client = SmtpClient {
            stream: Wire::new(Socket::Tls(Box::new(stream))),
            timeout: limit,
        };
        Ok(Self {
            server,
            client,
            mail_taken: false,
            words: String::new(),
        })
    }

    /// A command whose only wished-for reply is the good one of its stage.
    async fn ask(&mut self, stage: Stage, line: &str, deadline: Instant) -> Result<Reply, Failure> {
        let limit = self.server.timeouts.smtp_command.min(left(deadline));
        let reply = self.exchange(stage, line, limit).await?;
        self.judge(stage, &reply)?;
        Ok(reply)
    }

    async fn exchange(
        &mut self,
        stage: Stage,
        line: &str,
        limit: Duration,
    ) -> Result<Reply, Failure> {
        self.client.timeout = limit;
        self.client.stream.expect_reply();
        let reply = self.client.cmd(format!("{line}\r\n")).await;
        let reply = self.arrived(stage, Ok(reply))?;
        Ok(Reply::new(reply.code, reply.esc, reply.message))
    }

    async fn write(&mut self, bytes: &[u8]) -> mail_send::Result<()> {
        self.client.stream.write_all(bytes).await?;
        Ok(self.client.stream.flush().await?)
    }

    /// Turns everything that is not a reply into the failure it means at this stage.
    fn arrived<T>(
        &self,
        stage: Stage,
        came: Result<mail_send::Result<T>, tokio::time::error::Elapsed>,
    ) -> Result<T, Failure> {
        let why = match came {
            Ok(Ok(reply)) => return Ok(reply),
            Err(_) | Ok(Err(mail_send::Error::Timeout)) => "No answer in time".to_string(),
            Ok(Err(mail_send::Error::UnparseableReply)) if self.client.stream.is_closed() => {
                "The server closed the connection".to_string()
            }
            Ok(Err(mail_send::Error::UnparseableReply)) => "The answer is not SMTP".to_string(),
            // What TLS calls an end without its own goodbye.
            Ok(Err(mail_send::Error::Io(why))) if why.kind() == ErrorKind::UnexpectedEof => {
                "The server closed the connection".to_string()
            }
            Ok(Err(mail_send::Error::Io(why))) => format!("The connection failed ({why})"),
            Ok(Err(why)) => why.to_string(),
        };
        let text = format!("{why} while {}.", phrase(stage));
        Err(self.server.mask.signal(Signal::NoReply(stage), &text))
    }

    fn judge(&self, stage: Stage, reply: &Reply) -> Result<(), Failure> {
        judge(stage, reply.code, &reply.answer, &self.server.mask)
    }
}

impl Reply {
    fn new(code: u16, esc: [u8; 3], message: String) -> Self {
        let enhanced = match esc {
            [0, _, _] => String::new(),
            [class, subject, detail] => format!("{class}.{subject}.{detail} "),
        };
        let answer = format!("{code} {enhanced}{message}");
        Self {
            code,
            message,
            answer,
        }
    }
}

impl Abilities {
    /// The lines after the first. (RFC 5321, section 4.1.1.1; RFC 4954, section 3; `AUTH=` is an old spelling)
    fn read(message: &str) -> Self {
        let mut abilities = Self::default();
        for line in message.lines().skip(1) {
            let line = line.to_ascii_uppercase().replacen("AUTH=", "AUTH ", 1);
            let mut words = line.split_whitespace();
            match words.next() {
                Some("STARTTLS") => abilities.starttls = true,
                Some("AUTH") => {
                    for mechanism in words {
                        abilities.auth_plain |= mechanism == "PLAIN";
                        abilities.auth_login |= mechanism == "LOGIN";
                    }
                }
                _ => {}
            }
        }
        abilities
    }
}

/// What is left of the attempt.
fn left(deadline: Instant) -> Duration {
    deadline.saturating_duration_since(Instant::now())
}
