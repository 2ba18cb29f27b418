//! The simulated outside world on free ports; each server with faults and a book of its own.

use herald::simulate::gateway::Gateway;
use herald::simulate::smtp::{MailServer, Options};
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

/// The URL of a provider that sends through this gateway's Twilio.
pub(crate) fn sms_url(gateway: &Gateway) -> String {
    let urls = gateway.urls();
    let url = urls.iter().find(|(service, _)| *service == "twilio");
    url.unwrap().1.clone()
}

/// Lets in nobody but this user.
pub(crate) fn account(user: &str, password: &str) -> Option<(String, String)> {
    Some((user.to_owned(), password.to_owned()))
}

/// Faults that have not struck.
pub(crate) fn faults_left(server: &MailServer) -> usize {
    server.orders().list().len()
}

/// How often MAIL was said.
pub(crate) fn mails_begun(server: &MailServer) -> usize {
    let lines = server.commands().concat();
    lines.iter().filter(|line| line.starts_with("MAIL")).count()
}
