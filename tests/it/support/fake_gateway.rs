//! An HTTP gateway that writes down what it is asked and answers what it was told to.
//!
//! It answers as Twilio does, after checking path, credentials and form, unless an [`Answer`] is queued.

use super::faults::{reset, stay_silent};
use super::listener::Listener;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};

pub(crate) const ACCOUNT: &str = "AC0123";
pub(crate) const TOKEN: &str = "t0ken/with+signs";

/// What the gateway does with one request.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    /// Status, further headers, body.
    Reply(u16, Vec<(&'static str, String)>, Vec<u8>),
    /// Announces a longer body than it sends, then closes.
    CutShort(u16, Vec<u8>),
    /// Closes without a word.
    Close,
    /// Resets the connection.
    Reset,
    /// Says nothing until the client goes.
    Silence,
}

/// A request as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked {
    /// The connection it came over, from 0.
    pub(crate) connection: usize,
    /// Method and path.
    pub(crate) line: String,
    /// Headers, names in lower case, sorted.
    pub(crate) headers: Vec<(String, String)>,
    /// The form's fields in their order.
    pub(crate) form: Vec<(String, String)>,
}

#[derive(Default)]
struct Book {
    answers: Vec<Answer>,
    asked: Vec<Asked>,
}

/// The running gateway; stops when dropped.
pub(crate) struct FakeGateway {
    book: Arc<Mutex<Book>>,
    listener: Listener,
}

impl FakeGateway {
    pub(crate) fn start() -> Self {
        let book = Arc::new(Mutex::new(Book::default()));
        let shared = Arc::clone(&book);
        // A lost connection is what many tests are about.
        let listener = Listener::start(move |socket, number| drop(serve(socket, number, &shared)));
        Self { book, listener }
    }

    pub(crate) fn port(&self) -> u16 {
        self.listener.port()
    }

    /// Queues what happens to the next request.
    pub(crate) fn next(&self, answer: Answer) -> &Self {
        self.book.lock().unwrap().answers.push(answer);
        self
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.book.lock().unwrap().asked.clone()
    }
}

fn serve(mut socket: TcpStream, connection: usize, book: &Mutex<Book>) -> io::Result<()> {
    let mut reader = BufReader::new(socket.try_clone()?);
    loop {
        let asked = read(&mut reader, connection)?;
        let answer = {
            let mut book = book.lock().unwrap();
            book.asked.push(asked.clone());
            if book.answers.is_empty() {
                twilio(&asked)
            } else {
                book.answers.remove(0)
            }
        };
        match answer {
            Answer::Reply(status, headers, body) => {
                write(&mut socket, status, &headers, body.len(), &body)?;
            }
            Answer::CutShort(status, body) => {
                return write(&mut socket, status, &[], body.len() + 100, &body);
            }
            Answer::Close => return Ok(()),
            Answer::Reset => {
                reset(&socket);
                return Ok(());
            }
            Answer::Silence => {
                stay_silent(&mut reader);
                return Ok(());
            }
        }
    }
}

/// What Twilio would say. (gateways.md, 3.1)
fn twilio(asked: &Asked) -> Answer {
    let header = |name: &str| asked.headers.iter().find(|(n, _)| n == name);
    let proof = format!("Basic {}", STANDARD.encode(format!("{ACCOUNT}:{TOKEN}")));
    let json = |status: u16, body: String| Answer::Reply(status, Vec::new(), body.into_bytes());
    if header("authorization").is_none_or(|(_, value)| *value != proof) {
        return json(
            401,
            r#"{"code":20003,"message":"Authenticate","status":401}"#.into(),
        );
    }
    if asked.line == format!("GET /2010-04-01/Accounts/{ACCOUNT}.json") {
        let account = format!(r#"{{"sid":"{ACCOUNT}","friendly_name":"Shop","status":"active"}}"#);
        return json(200, account);
    }
    if asked.line != format!("POST /2010-04-01/Accounts/{ACCOUNT}/Messages.json") {
        return json(
            404,
            r#"{"code":20404,"message":"Not found","status":404}"#.into(),
        );
    }
    let field = |name: &str| asked.form.iter().any(|(n, v)| n == name && !v.is_empty());
    if !field("To") || !field("Body") || !(field("From") ^ field("MessagingServiceSid")) {
        return json(
            400,
            r#"{"code":21604,"message":"Missing field","status":400}"#.into(),
        );
    }
    json(
        201,
        r#"{"sid":"SM1","status":"queued","error_code":null,"error_message":null}"#.into(),
    )
}

fn write(
    socket: &mut TcpStream,
    status: u16,
    headers: &[(&str, String)],
    length: usize,
    body: &[u8],
) -> io::Result<()> {
    let mut head = format!("HTTP/1.1 {status} Fake\r\nContent-Length: {length}\r\n");
    for (name, value) in headers {
        head += &format!("{name}: {value}\r\n");
    }
    head += "\r\n";
    socket.write_all(head.as_bytes())?;
    socket.write_all(body)
}

fn read(reader: &mut BufReader<TcpStream>, connection: usize) -> io::Result<Asked> {
    let mut line = || {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof));
        }
        Ok(line.trim_end().to_string())
    };
    let first = line()?;
    let mut headers = Vec::new();
    loop {
        let header = line()?;
        let Some((name, value)) = header.split_once(':') else {
            break;
        };
        headers.push((name.to_ascii_lowercase(), value.trim().to_string()));
    }
    headers.sort();
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length = length.map_or(0, |(_, value)| value.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let form = form_urlencoded::parse(&body).into_owned().collect();
    Ok(Asked {
        connection,
        line: first.trim_end_matches(" HTTP/1.1").to_string(),
        headers,
        form,
    })
}
