//! The simulated outside world on free ports; each server with faults and a book of its own.

use herald::simulate::fault::{Fault, Place};
use herald::simulate::gateway::Gateway;
use herald::simulate::smtp::{MailServer, Options, Stage};
use std::net::SocketAddr;
use std::sync::Arc;

fn free_port() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

pub(crate) fn mail_server(options: Options) -> MailServer {
    MailServer::start(free_port(), options, Arc::default(), Arc::default()).unwrap()
}

pub(crate) fn gateway() -> Gateway {
    Gateway::start(free_port(), Arc::default(), Arc::default()).unwrap()
}

/// What a test orders of a mail server.
pub(crate) trait SmtpFaults {
    /// The next time the stage is reached, this happens; several for one stage strike in turn.
    fn fault(&self, stage: Stage, fault: Fault) -> &Self;
}

impl SmtpFaults for MailServer {
    fn fault(&self, stage: Stage, fault: Fault) -> &Self {
        self.orders().next(Place::Smtp(stage), fault).unwrap();
        self
    }
}

/// What a test orders of a gateway.
pub(crate) trait HttpFaults {
    /// What happens to the next request, whoever it is for; several strike in turn.
    fn next(&self, fault: Fault) -> &Self;
}

impl HttpFaults for Gateway {
    fn next(&self, fault: Fault) -> &Self {
        self.orders().next(Place::Answer(None), fault).unwrap();
        self
    }
}

/// The URL of a provider that sends through this service of the gateway.
pub(crate) fn url_of(gateway: &Gateway, service: &str) -> String {
    let urls = gateway.urls();
    let url = urls.iter().find(|(known, _)| *known == service);
    url.unwrap().1.clone()
}

/// The URL of a provider that sends through this gateway's Twilio.
pub(crate) fn sms_url(gateway: &Gateway) -> String {
    url_of(gateway, "twilio")
}

/// Lets in nobody but this user.
pub(crate) fn account(user: &str, password: &str) -> Option<(String, String)> {
    Some((user.to_owned(), password.to_owned()))
}

/// Faults that have not struck.
pub(crate) fn faults_left(server: &MailServer) -> usize {
    server.orders().standing().len()
}

/// How often MAIL was said.
pub(crate) fn mails_begun(server: &MailServer) -> usize {
    let lines = server.commands().concat();
    lines.iter().filter(|line| line.starts_with("MAIL")).count()
}
