//! A mail server that keeps what it is given and misbehaves on order.
//!
//! It is a real one: STARTTLS or implicit TLS with a certificate made on the spot, AUTH PLAIN and LOGIN. Everything is
//! in the book before the reply that ends it goes out, so whoever has the reply need not wait. `visit` speaks SMTP.

mod visit;

use super::authority::Authority;
use super::book::{Book, LINE_BYTES_MAX, LINES_MAX, MESSAGES_MAX, Message, Ring};
use super::fault::Place;
use super::listener::Listener;
use super::orders::Orders;
use std::collections::BTreeMap;
use std::io;
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};
use visit::Visit;

pub use super::fault::Stage;

/// Its name in the book.
pub const SERVICE: &str = "smtp";

/// The user of the account that `herald simulate` knows.
pub const USER: &str = "herald";

/// That user's password.
pub const PASSWORD: &str = "rehearsal";

/// The largest mail.
pub const MAIL_BYTES_MAX: usize = 10 * 1024 * 1024;

/// The longest line of a command. (RFC 4954, section 4: an AUTH line may be longer than any other)
pub const COMMAND_BYTES_MAX: usize = 12_288;

/// The most recipients of a mail. (RFC 5321, section 4.5.3.1.8)
pub const RECIPIENTS_MAX: usize = 100;

/// How the server behaves when nothing goes wrong.
#[derive(Debug, Clone)]
pub struct Options {
    /// Whether TLS begins at once.
    pub implicit_tls: bool,
    /// Whether EHLO offers STARTTLS.
    pub starttls: bool,
    /// Whether EHLO offers PIPELINING; commands may come together all the same. (RFC 2920)
    pub pipelining: bool,
    /// The user and password it lets in; with them it refuses MAIL from anybody else.
    pub account: Option<(String, String)>,
    /// The mechanisms that EHLO offers.
    pub mechanisms: &'static str,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            implicit_tls: false,
            starttls: false,
            pipelining: true,
            account: None,
            mechanisms: "PLAIN LOGIN",
        }
    }
}

/// The running server; stops when dropped.
#[derive(Debug)]
pub struct MailServer {
    house: Arc<House>,
    listener: Listener,
}

/// What the connections share.
#[derive(Debug)]
struct House {
    options: Options,
    authority: Authority,
    orders: Arc<Orders>,
    book: Arc<Book>,
    /// Command lines with their connection; one without a line is its beginning.
    said: Mutex<Ring<(usize, Option<String>)>>,
}

impl MailServer {
    /// Starts a server whose certificate is for `localhost` and `127.0.0.1`.
    ///
    /// # Errors
    /// The address cannot be listened at.
    pub fn start(
        address: SocketAddr,
        options: Options,
        orders: Arc<Orders>,
        book: Arc<Book>,
    ) -> io::Result<Self> {
        let house = Arc::new(House {
            options,
            authority: Authority::new()?,
            orders,
            book,
            said: Mutex::default(),
        });
        let shared = Arc::clone(&house);
        let serve = move |socket: TcpStream, number| {
            shared.note(number, None);
            let ended = Visit::new(socket, number, &shared).and_then(|mut visit| visit.serve());
            // A lost connection is what faults are about.
            if let Err(why) = ended {
                log::debug!("smtp connection {number}: {why}");
            }
        };
        let place = Place::Smtp(Stage::Connect);
        let listener = Listener::start(address, place, &house.orders, serve)?;
        Ok(Self { house, listener })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.listener.address()
    }

    /// The port it listens at.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.address().port()
    }

    /// The provider URL of an appliance that is to use it: over TLS if it trusts this server's authority, else in the
    /// clear.
    #[must_use]
    pub fn url(&self, is_trusted: bool) -> String {
        let account = self.house.options.account.as_ref();
        let account = account.map_or_else(String::new, |(user, password)| {
            let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect();
            let (user, password): (String, String) = (encode(user), encode(password));
            format!("{user}:{password}@")
        });
        let (scheme, tls) = match (self.house.options.implicit_tls, is_trusted) {
            (true, _) => ("smtps", ""),
            (false, true) => ("smtp", "?tls=required"),
            (false, false) => ("smtp", "?tls=none"),
        };
        format!("{scheme}://{account}{}{tls}", self.address())
    }

    /// The authority that its certificate is from.
    #[must_use]
    pub fn authority(&self) -> &Authority {
        &self.house.authority
    }

    /// The faults of this server and of those that share its orders.
    #[must_use]
    pub fn orders(&self) -> &Orders {
        &self.house.orders
    }

    /// The newest mails that were taken, in their order.
    #[must_use]
    pub fn received(&self) -> Vec<Message> {
        let mut messages = self.house.book.messages(0, MESSAGES_MAX);
        messages.retain(|message| message.service == SERVICE);
        messages
    }

    /// The newest command lines by connection.
    #[must_use]
    pub fn commands(&self) -> Vec<Vec<String>> {
        let mut connections: BTreeMap<usize, Vec<String>> = BTreeMap::new();
        for (connection, line) in self.house.said().iter() {
            let lines = connections.entry(*connection).or_default();
            lines.extend(line.clone());
        }
        connections.into_values().collect()
    }
}

impl House {
    fn said(&self) -> MutexGuard<'_, Ring<(usize, Option<String>)>> {
        self.said
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn note(&self, connection: usize, line: Option<String>) {
        let bytes = line.as_ref().map_or(0, String::len);
        self.said()
            .push((connection, line), bytes, LINES_MAX, LINE_BYTES_MAX);
    }
}
