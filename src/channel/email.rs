//! E-mail over SMTP. The only place that knows the asynchronous runtime which `mail-send` needs:
//! each session owns one on its sender's thread, and nothing asynchronous is seen outside.
//!
//! `config` reads the URL, `dialogue` speaks SMTP, `verdict` says what a reply means, `wire` moves bytes.

mod config;
mod dialogue;
mod verdict;
mod wire;

pub use config::{SmtpConfig, Tls};

use super::answer::Mask;
use super::mime::{Envelope, Mail, compose, envelope};
use super::{Class, Failure, Provider, Receipt, Session, Timeouts};
use crate::domain::message::Outgoing;
use crate::domain::retry::Signal;
use crate::error::{Error, Result as HeraldResult};
use dialogue::Connection;
use rustls::pki_types::CertificateDer;
use std::sync::Arc;
use tokio::runtime::Runtime;
use tokio::time::Instant;
use tokio_rustls::TlsConnector;

/// A mail server, as a provider.
pub struct SmtpProvider {
    server: Arc<Server>,
}

/// What all sessions of a provider share.
struct Server {
    config: SmtpConfig,
    timeouts: Timeouts,
    mask: Mask,
    /// None when the URL says `tls=none`.
    connector: Option<TlsConnector>,
}

impl Server {
    fn name(&self) -> &str {
        &self.config.masked
    }
}

impl SmtpProvider {
    /// A provider that trusts the certificate authorities of the operating system (`SSL_CERT_FILE` is honoured).
    ///
    /// # Errors
    /// [`Error::Invalid`] when TLS is needed and there are no authorities on this system.
    pub fn new(config: SmtpConfig, timeouts: Timeouts) -> HeraldResult<Self> {
        Self::trusting(config, timeouts, &[])
    }

    /// As [`SmtpProvider::new`], trusting further authorities (DER); for tests, whose authority is made on the spot.
    ///
    /// # Errors
    /// As [`SmtpProvider::new`], and when an authority cannot be read.
    pub fn trusting(
        config: SmtpConfig,
        timeouts: Timeouts,
        authorities: &[Vec<u8>],
    ) -> HeraldResult<Self> {
        let connector = match config.tls {
            Tls::None => None,
            Tls::Implicit | Tls::Required | Tls::Opportunistic => Some(connector(authorities)?),
        };
        let mask = config
            .credentials
            .as_ref()
            .map_or_else(Mask::nothing, |(user, password)| {
                Mask::credentials(user, password)
            });
        let server = Server {
            config,
            timeouts,
            mask,
            connector,
        };
        Ok(Self {
            server: Arc::new(server),
        })
    }
}

/// TLS with ring, named here because a process-wide choice would depend on who came first.
fn connector(authorities: &[Vec<u8>]) -> HeraldResult<TlsConnector> {
    let crypto = Arc::new(rustls::crypto::ring::default_provider());
    let extra = authorities
        .iter()
        .map(|der| CertificateDer::from(der.clone()));
    let verifier =
        rustls_platform_verifier::Verifier::new_with_extra_roots(extra, Arc::clone(&crypto))
            .map_err(|why| {
                Error::invalid(format!(
                    "The certificate authorities of this system cannot be used ({why}); \
                     install ca-certificates, or name a file in SSL_CERT_FILE."
                ))
            })?;
    let config = rustls::ClientConfig::builder_with_provider(crypto)
        .with_safe_default_protocol_versions()
        .map_err(Error::internal)?
        .dangerous() // The word is rustls's for any verifier of one's own; the platform's checks everything.
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

impl Provider for SmtpProvider {
    fn name(&self) -> &str {
        self.server.name()
    }

    fn connections(&self) -> usize {
        self.server.config.connections
    }

    /// Yes: every attempt carries the same Message-ID.
    fn recognises_repeats(&self) -> bool {
        true
    }

    fn session(&self) -> Box<dyn Session> {
        Box::new(SmtpSession {
            connection: None,
            runtime: None,
            server: Arc::clone(&self.server),
        })
    }

    /// Connects, encrypts, signs in and says goodbye.
    fn check(&self) -> Result<String, Failure> {
        let server = Arc::new(Server {
            timeouts: self.server.timeouts.for_check(),
            config: self.server.config.clone(),
            mask: self.server.mask.clone(),
            connector: self.server.connector.clone(),
        });
        let runtime = start_runtime(&server)?;
        let helo = server.config.helo_without_mail();
        let words = runtime.block_on(async {
            let deadline = Instant::now() + server.timeouts.attempt;
            let connection = Connection::open(&server, &helo, deadline).await?;
            let words = connection.words().to_owned();
            connection.quit().await;
            Ok(words)
        });
        // A name lookup that hangs must not hold up the answer.
        runtime.shutdown_background();
        words
    }
}

/// A connection that is kept between mails, and the runtime that drives it.
struct SmtpSession {
    connection: Option<Connection>,
    runtime: Option<Runtime>,
    server: Arc<Server>,
}

impl Session for SmtpSession {
    fn send(&mut self, message: &Outgoing) -> Result<Receipt, Failure> {
        self.send_before(message, None)
    }

    fn send_before(
        &mut self,
        message: &Outgoing,
        next: Option<&Outgoing>,
    ) -> Result<Receipt, Failure> {
        let provider_from = self.server.config.from.as_deref();
        let mail = compose(message, provider_from)?;
        let next = next.and_then(|next| envelope(next, provider_from).ok());
        let runtime = match self.runtime.take() {
            Some(runtime) => runtime,
            None => start_runtime(&self.server)?,
        };
        let kept = self.connection.take();
        let (connection, result) = runtime.block_on(attempt(&self.server, kept, &mail, next));
        self.connection = connection;
        self.runtime = Some(runtime);
        result
    }

    fn rest(&mut self) {
        if let (Some(connection), Some(runtime)) = (self.connection.take(), &self.runtime) {
            runtime.block_on(connection.quit());
        }
    }
}

impl Drop for SmtpSession {
    fn drop(&mut self) {
        self.connection = None;
        if let Some(runtime) = self.runtime.take() {
            // A name lookup that hangs in a thread of the runtime must not hold up the sender.
            runtime.shutdown_background();
        }
    }
}

fn start_runtime(server: &Server) -> Result<Runtime, Failure> {
    let built = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .build();
    built.map_err(|why| {
        let text = format!("The connection cannot be driven: {why}.");
        server.mask.signal(Signal::Unreachable, &text)
    })
}

/// One attempt over the kept connection or a new one; gives back the connection when it can carry another mail.
async fn attempt(
    server: &Arc<Server>,
    kept: Option<Connection>,
    mail: &Mail,
    next: Option<Envelope>,
) -> (Option<Connection>, Result<Receipt, Failure>) {
    let deadline = Instant::now() + server.timeouts.attempt;
    if let Some(mut connection) = kept {
        let result = connection.hand_over(mail, next.as_ref(), deadline).await;
        let died_idle = !connection.mail_taken
            && result
                .as_ref()
                .is_err_and(|failure| failure.class == Class::Provider);
        if !died_idle {
            return keep_if_usable(connection, result);
        }
        // Servers hang up on idle clients; the mail has not begun, so a new connection repeats nothing.
    }
    let helo = server
        .config
        .helo
        .as_deref()
        .unwrap_or_else(|| mail.envelope.from.address().domain());
    match Connection::open(server, helo, deadline).await {
        Ok(mut connection) => {
            let result = connection.hand_over(mail, next.as_ref(), deadline).await;
            keep_if_usable(connection, result)
        }
        Err(failure) => (None, Err(failure)),
    }
}

/// After a clear word about one mail the connection serves the next; after anything else it is dropped.
fn keep_if_usable(
    connection: Connection,
    result: Result<Receipt, Failure>,
) -> (Option<Connection>, Result<Receipt, Failure>) {
    let clear = match &result {
        Ok(_) => true,
        Err(failure) => matches!(failure.class, Class::Temporary | Class::Permanent),
    };
    let is_usable = clear && connection.in_step;
    (is_usable.then_some(connection), result)
}
