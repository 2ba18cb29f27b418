//! From nothing to a connection that takes mails: greeting, EHLO, STARTTLS, AUTH. (RFC 5321, 3207, 4954)

use super::{Connection, Reply, left};
use crate::channel::Failure;
use crate::channel::email::wire::{Socket, Wire};
use crate::channel::email::{Server, Tls};
use crate::channel::tls::is_certificate_fault;
use crate::domain::retry::{Signal, Stage};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mail_send::SmtpClient;
use rustls::pki_types::ServerName;
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

/// What a server said it can do.
#[derive(Default)]
struct Abilities {
    starttls: bool,
    auth_plain: bool,
    auth_login: bool,
    pipelining: bool,
}

impl Connection {
    /// Connects, encrypts and signs in.
    pub(in crate::channel::email) async fn open(
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
            in_step: true,
            early: None,
            is_used: false,
            pipelining: false,
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
        connection.pipelining = abilities.pipelining;
        connection.sign_in(&abilities, deadline).await?;
        Ok(connection)
    }

    async fn greeting(&mut self, deadline: Instant) -> Result<Reply, Failure> {
        let limit = self.server.timeouts.smtp_greeting.min(left(deadline));
        self.hear(Stage::Greeting, limit).await
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
    async fn encrypt(mut self, deadline: Instant) -> Result<Self, Failure> {
        let server = Arc::clone(&self.server);
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
        self.client.stream = Wire::new(Socket::Tls(Box::new(stream)));
        Ok(self)
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
                Some("PIPELINING") => abilities.pipelining = true,
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
