//! How an outage is begun and ended while the simulator runs: `/simulate/faults` and `/simulate/messages`.
//!
//! Faults of the look-alikes do not strike here. Whoever reaches the port may give orders, so it is for loopback; a web
//! page may not, although a browser would let it.

use super::book::{Book, Event, Message, Report};
use super::http::{Request, Response};
use super::language::help;
use super::orders::{Order, Orders};
use super::smtp::SERVICE;
use mailparse::MailHeaderMap as _;
use serde_json::{Value, json};

/// The most messages of one answer; `after` asks for the next.
pub const MESSAGES_PER_ANSWER_MAX: usize = 1000;

/// Whether a request is an order to the simulator.
pub(super) fn owns(request: &Request) -> bool {
    request.path().starts_with("/simulate/")
}

/// Carries out an order.
pub(super) fn answer(request: &Request, orders: &Orders, book: &Book) -> Response {
    if request.header("origin").is_some() {
        return said(403, "A web page gives no orders here.");
    }
    match (request.method.as_str(), request.path()) {
        ("GET", "/simulate/faults") => list(200, orders),
        ("POST", "/simulate/faults") => add(&request.body, orders),
        ("DELETE", "/simulate/faults") => {
            orders.lift();
            list(200, orders)
        }
        ("GET", "/simulate/messages") => match after(request) {
            Ok(after) => {
                let messages = book.messages(after, MESSAGES_PER_ANSWER_MAX);
                let messages: Vec<_> = messages.iter().map(message_json).collect();
                let taken = book.taken();
                Response::json(
                    200,
                    json!({ "Taken": taken, "Messages": messages }).to_string(),
                )
            }
            Err(sentence) => said(400, &sentence),
        },
        ("DELETE", "/simulate/messages") => {
            book.clear();
            Response::json(
                200,
                json!({ "Taken": book.taken(), "Messages": [] }).to_string(),
            )
        }
        (_, "/simulate/faults") => said(405, "GET, POST or DELETE faults."),
        (_, "/simulate/messages") => said(405, "GET or DELETE messages."),
        _ => said(404, "There are /simulate/faults and /simulate/messages."),
    }
}

/// Orders the faults of a body, one a line: all of them or, when one cannot be read, none.
fn add(body: &[u8], orders: &Orders) -> Response {
    let text = String::from_utf8_lossy(body);
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    let read: Result<Vec<Order>, String> = lines.map(str::parse).collect();
    match read {
        Ok(read) if read.is_empty() => {
            said(400, &format!("Send faults, one a line.\n\n{}", help()))
        }
        Ok(read) => match orders.add(read) {
            Ok(()) => list(201, orders),
            Err(sentence) => said(409, &sentence),
        },
        Err(sentence) => said(400, &format!("{sentence}\n\n{}", help())),
    }
}

fn list(status: u16, orders: &Orders) -> Response {
    let standing = orders.standing();
    let standing = standing.iter().map(|standing| {
        json!({
            "Number": standing.number,
            "Fault": standing.order.to_string(),
            "Struck": standing.struck,
        })
    });
    let body = json!({ "Faults": standing.collect::<Vec<_>>() });
    Response::json(status, body.to_string())
}

fn after(request: &Request) -> Result<u64, String> {
    let query = request
        .target
        .split_once('?')
        .map_or("", |(_, query)| query);
    match query.split_once('=') {
        None if query.is_empty() => Ok(0),
        Some(("after", number)) => number
            .parse()
            .map_err(|_| format!("after takes the number of a message, not {number:?}.")),
        _ => Err("Messages are asked for with after=NUMBER, or all.".into()),
    }
}

fn said(status: u16, sentence: &str) -> Response {
    Response {
        status,
        headers: vec![("Content-Type".into(), "text/plain; charset=utf-8".into())],
        body: format!("{sentence}\n").into_bytes(),
    }
}

/// What happened, for machines.
#[must_use]
pub fn event_json(event: Event<'_>) -> Value {
    match event {
        Event::Taken(message) => message_json(message),
        Event::Reported(number, report) => {
            let mut value = report_json(report);
            value["Number"] = number.into();
            value
        }
    }
}

/// What happened, for people.
#[must_use]
pub fn event_line(event: Event<'_>) -> String {
    match event {
        Event::Taken(message) => {
            let Message {
                number,
                service,
                from,
                to,
                ..
            } = message;
            let words = subject(message).unwrap_or_else(|| text(message));
            let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
            let words: String = words.chars().take(WORDS_MAX).collect();
            format!("{number} {service} {from} -> {}: {words}", to.join(", "))
        }
        Event::Reported(number, Report { status, answer }) => match answer {
            Ok(code) => format!("{number} reported {status}: {code}"),
            Err(why) => format!("{number} reported {status}: {why}"),
        },
    }
}

/// The most characters of a message in a line.
const WORDS_MAX: usize = 80;

fn message_json(message: &Message) -> Value {
    let reports: Vec<_> = message.reports.iter().map(report_json).collect();
    json!({
        "Number": message.number,
        "Service": message.service,
        "Id": message.id,
        "Reference": message.reference,
        "Connection": message.connection,
        "Encrypted": message.encrypted,
        "User": message.user,
        "From": message.from,
        "To": message.to,
        "Subject": subject(message),
        "Content": text(message),
        "Reports": reports,
    })
}

fn report_json(Report { status, answer }: &Report) -> Value {
    match answer {
        Ok(code) => json!({ "Reported": status, "Answer": code }),
        Err(why) => json!({ "Reported": status, "Failure": why }),
    }
}

fn text(message: &Message) -> String {
    String::from_utf8_lossy(&message.content).into_owned()
}

/// The decoded subject of a mail.
fn subject(message: &Message) -> Option<String> {
    if message.service != SERVICE {
        return None;
    }
    let (headers, _) = mailparse::parse_headers(&message.content).ok()?;
    headers.get_first_value("Subject")
}
