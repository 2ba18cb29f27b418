//! The HTTP services on one port, told apart by their paths. Framing is [`super::http`]'s, the answers are the look-alikes'.

use super::LOOK_ALIKES;
use super::book::{Book, LINE_BYTES_MAX, LINES_MAX, MESSAGES_MAX, Message, Ring};
use super::control;
use super::fault::{HUGE_BYTES, Manner, Place, Reply};
use super::http::{Request, Response, read};
use super::listener::Listener;
use super::orders::Orders;
use super::play::{Play, play, send};
use super::reports::{Plan, Postman, Reports};
use std::io::{self, BufReader, ErrorKind};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};
use tempfile::TempDir;

/// The least that is announced of a body which does not come whole.
const CUT_BYTES_MIN: usize = 100;

/// A service that is played.
pub struct LookAlike {
    /// The word for it in faults and in the book.
    pub name: &'static str,
    /// Whether a request is meant for it, by its path.
    pub owns: fn(&Request) -> bool,
    /// What the service would answer, having checked path, credentials and fields.
    pub answer: fn(&Request) -> Verdict,
    /// The provider URL of an appliance that is to use it; none where it is only asked beside another.
    pub url: Option<fn(&Site) -> String>,
    /// A file that such an appliance has to be given.
    pub file: Option<fn(SocketAddr) -> NamedText>,
    /// How it tells later what became of a message; none where the service does not.
    pub reports: Option<Reports>,
}

/// The name of a file, and what is in it.
pub type NamedText = (&'static str, String);

/// Where the services are.
#[derive(Debug)]
pub struct Site {
    /// All of them.
    pub address: SocketAddr,
    /// The directory with their files.
    pub files: PathBuf,
}

/// What a service makes of a request.
#[derive(Debug, Default)]
pub struct Verdict {
    /// What it answers.
    pub response: Response,
    /// The message it took, if it was given one; the gateway fills in connection and service.
    pub taken: Option<Message>,
}

impl From<Response> for Verdict {
    fn from(response: Response) -> Self {
        Self {
            response,
            taken: None,
        }
    }
}

/// The running services; they stop when dropped.
#[derive(Debug)]
pub struct Gateway {
    desk: Arc<Desk>,
    files: TempDir,
    listener: Listener,
}

/// What the connections share.
#[derive(Debug)]
struct Desk {
    orders: Arc<Orders>,
    book: Arc<Book>,
    asked: Mutex<Ring<Request>>,
    postman: Postman,
}

impl Gateway {
    /// Starts all look-alikes.
    ///
    /// # Errors
    /// The address cannot be listened at.
    pub fn start(address: SocketAddr, orders: Arc<Orders>, book: Arc<Book>) -> io::Result<Self> {
        let desk = Arc::new(Desk {
            postman: Postman::start(&book)?,
            orders,
            book,
            asked: Mutex::default(),
        });
        let shared = Arc::clone(&desk);
        let serve = move |socket: TcpStream, number| {
            // A lost connection is what faults are about.
            if let Err(why) = shared.serve(&socket, number) {
                log::debug!("gateway connection {number}: {why}");
            }
        };
        let listener = Listener::start(address, Place::HttpConnect, &desk.orders, serve)?;
        let files = TempDir::with_prefix("herald-simulate-")?;
        for file in LOOK_ALIKES.iter().filter_map(|known| known.file) {
            let (name, text) = file(listener.address());
            std::fs::write(files.path().join(name), text)?;
        }
        Ok(Self {
            desk,
            files,
            listener,
        })
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

    /// The faults of these services and of what shares their orders.
    #[must_use]
    pub fn orders(&self) -> &Orders {
        &self.desk.orders
    }

    /// The provider URL for each service, with its name.
    #[must_use]
    pub fn urls(&self) -> Vec<(&'static str, String)> {
        let site = Site {
            address: self.address(),
            files: self.files.path().to_owned(),
        };
        let url = |known: &LookAlike| Some((known.name, known.url?(&site)));
        LOOK_ALIKES.iter().filter_map(url).collect()
    }

    /// The newest requests, in their order.
    #[must_use]
    pub fn asked(&self) -> Vec<Request> {
        self.desk.asked().iter().cloned().collect()
    }

    /// The newest messages that were taken, in their order.
    #[must_use]
    pub fn messages(&self) -> Vec<Message> {
        let mut messages = self.desk.book.messages(0, MESSAGES_MAX);
        messages.retain(|message| {
            LOOK_ALIKES
                .iter()
                .any(|known| known.name == message.service)
        });
        messages
    }
}

impl Desk {
    fn asked(&self) -> MutexGuard<'_, Ring<Request>> {
        self.asked
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn serve(&self, socket: &TcpStream, connection: usize) -> io::Result<()> {
        let mut stream = socket;
        match play(&self.orders, Place::HttpConnect, &mut stream, socket)? {
            Play::Usual(manner) => send(&[], manner, &mut stream, socket)?,
            Play::Instead(reply, manner) => return self.reply(reply, manner, socket),
            Play::Bytes(bytes) => return send(&bytes, Manner::Whole, &mut stream, socket),
        }
        let mut reader = BufReader::new(socket);
        loop {
            match read(&mut reader, connection) {
                Ok(None) => return Ok(()),
                Ok(Some(request)) => self.answer(request, socket)?,
                Err(why) if why.kind() == ErrorKind::InvalidData => {
                    let text = why.to_string();
                    let reply = Reply {
                        code: 400,
                        text,
                        ..Reply::default()
                    };
                    return self.reply(reply, Manner::Whole, socket);
                }
                Err(why) => return Err(why),
            }
        }
    }

    fn answer(&self, request: Request, socket: &TcpStream) -> io::Result<()> {
        if control::owns(&request) {
            let response = control::answer(&request, &self.orders, &self.book);
            return self.write(response, Manner::Whole, socket);
        }
        let look_alike = LOOK_ALIKES.iter().find(|known| (known.owns)(&request));
        let name = look_alike.map(|known| known.name);
        self.asked()
            .push(request.clone(), request.size(), LINES_MAX, LINE_BYTES_MAX);
        let Some(manner) = self.struck(Place::Answer(name), socket)? else {
            return Ok(());
        };
        let Some(look_alike) = look_alike else {
            return self.write(nobody(&request), manner, socket);
        };
        let Verdict { response, taken } = (look_alike.answer)(&request);
        let Some(mut message) = taken else {
            return self.write(response, manner, socket);
        };
        message.service = look_alike.name;
        message.connection = request.connection;
        self.book.take(&mut message);
        let Some(reports) = &look_alike.reports else {
            return self.kept(name, response, manner, socket);
        };
        let plan = Plan::new(reports.course, &self.orders, Place::Report(name));
        let carry = |plan| {
            self.postman
                .carry(reports, plan, &request, &message, &self.book);
        };
        if plan.is_early {
            carry(plan);
            return self.kept(name, response, manner, socket);
        }
        // Whatever becomes of the answer: the message was taken.
        let answered = self.kept(name, response, manner, socket);
        carry(plan);
        answered
    }

    /// Answers a request whose message is in the book.
    fn kept(
        &self,
        name: Option<&'static str>,
        response: Response,
        manner: Manner,
        socket: &TcpStream,
    ) -> io::Result<()> {
        match self.struck(Place::Kept(name), socket)? {
            Some(Manner::Whole) => self.write(response, manner, socket),
            Some(other) => self.write(response, other, socket),
            None => Ok(()),
        }
    }

    /// Strikes at a place: the manner of the usual answer, or none when another was given.
    fn struck(&self, place: Place, socket: &TcpStream) -> io::Result<Option<Manner>> {
        let mut stream = socket;
        match play(&self.orders, place, &mut stream, socket)? {
            Play::Usual(manner) => Ok(Some(manner)),
            Play::Instead(reply, manner) => self.reply(reply, manner, socket).map(|()| None),
            Play::Bytes(bytes) => {
                send(&bytes, Manner::Whole, &mut stream, socket)?;
                // What follows such bytes cannot be told from them.
                Err(ErrorKind::ConnectionAborted.into())
            }
        }
    }

    fn reply(&self, reply: Reply, manner: Manner, socket: &TcpStream) -> io::Result<()> {
        let Reply {
            code,
            headers,
            text,
        } = reply;
        let response = Response {
            status: code,
            headers,
            body: text.into_bytes(),
        };
        self.write(response, manner, socket)
    }

    fn write(&self, mut response: Response, manner: Manner, socket: &TcpStream) -> io::Result<()> {
        let mut stream = socket;
        if manner == Manner::Huge {
            response.body.splice(0..0, vec![b'x'; HUGE_BYTES]);
        }
        if matches!(manner, Manner::Truncated | Manner::Torn) {
            // Where there is no body to cut through, one is announced that never comes.
            let length = response.body.len().max(CUT_BYTES_MIN);
            send(&response.head(length), Manner::Whole, &mut stream, socket)?;
            return send(&response.body, manner, &mut stream, socket);
        }
        if let Manner::Slow(_) = manner {
            // The status has come; it is the body that does not.
            send(
                &response.head(response.body.len()),
                Manner::Whole,
                &mut stream,
                socket,
            )?;
            return send(&response.body, manner, &mut stream, socket);
        }
        let mut bytes = response.head(response.body.len());
        bytes.extend_from_slice(&response.body);
        send(&bytes, manner, &mut stream, socket)
    }
}

fn nobody(request: &Request) -> Response {
    let names: Vec<_> = LOOK_ALIKES.iter().map(|known| known.name).collect();
    let sentence = format!(
        "No service that is simulated here has {}. There are: {}.\n",
        request.line(),
        names.join(", ")
    );
    Response {
        status: 404,
        headers: vec![("Content-Type".into(), "text/plain; charset=utf-8".into())],
        body: sentence.into_bytes(),
    }
}
