//! One SMTP connection, step by step, so that it is always known how far a mail had got. (RFC 5321)

mod opening;

use super::Server;
use super::verdict::{judge, phrase};
use super::wire::Wire;
use crate::channel::mime::{Envelope, Mail, with_final_dot};
use crate::channel::{Failure, Receipt};
use crate::domain::retry::{Signal, Stage};
use mail_send::SmtpClient;
use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncWriteExt as _;
use tokio::time::error::Elapsed;
use tokio::time::{Instant, timeout};

/// The longest wait for a sign of life from a connection that lay idle, and for the reply to QUIT.
const COURTESY_MAX: Duration = Duration::from_secs(5);

/// An open, greeted and signed-in connection.
pub(super) struct Connection {
    server: Arc<Server>,
    client: SmtpClient<Wire>,
    /// Whether the mail under way has got past MAIL: from then on it is not quietly tried again elsewhere.
    pub(super) mail_taken: bool,
    /// Whether every command has its reply, so that the next reply answers the next command.
    pub(super) in_step: bool,
    /// The envelope that went out behind the mail before, and has none of its replies yet.
    early: Option<Envelope>,
    /// Whether it has carried a mail before.
    is_used: bool,
    /// Whether the server reads commands that do not wait for each other's replies. (RFC 2920)
    pipelining: bool,
    words: String,
}

/// What a step came to before its time was over.
type Came<T> = Result<mail_send::Result<T>, Elapsed>;

struct Reply {
    code: u16,
    message: String,
    /// Code, enhanced code and text, as it is kept.
    answer: String,
}

impl Connection {
    /// What the server said last before it let us in: to our name, or to our password.
    pub(super) fn words(&self) -> &str {
        &self.words
    }

    /// Sends one mail and waits for the word that the server has taken it. The envelope of the next goes out behind it, so
    /// that a mail of many costs one round trip. (RFC 2920, section 3.1: content may be the first in a group)
    pub(super) async fn hand_over(
        &mut self,
        mail: &Mail,
        next: Option<&Envelope>,
        deadline: Instant,
    ) -> Result<Receipt, Failure> {
        self.mail_taken = false;
        self.envelope(&mail.envelope, deadline).await?;
        let next = next.filter(|_| self.pipelining);
        self.content(&mail.raw, next, deadline).await?;
        // From here on the server may have taken the mail, whatever we hear or do not hear.
        let limit = self.server.timeouts.smtp_final_dot.min(left(deadline));
        let reply = self.hear(Stage::Dot, limit).await?;
        self.judge(Stage::Dot, &reply)?;
        Ok(Receipt {
            provider_id: None,
            code: Some(reply.code),
            answer: self.server.mask.clean(&reply.answer),
        })
    }

    /// The mail with its dot, and the next envelope behind it: in one packet where they fit, lest the replies to the second
    /// wait until we have acknowledged those to the first.
    async fn content(
        &mut self,
        raw: &[u8],
        next: Option<&Envelope>,
        deadline: Instant,
    ) -> Result<(), Failure> {
        let mut bytes = with_final_dot(raw);
        let dot_ends = bytes.len();
        if let Some(next) = next {
            bytes.extend_from_slice(text(&commands(next)).as_bytes());
            self.early = Some(next.clone());
        }
        let limit = self.server.timeouts.smtp_command.min(left(deadline));
        let (written, so_far) = self.write(&bytes, limit).await;
        // A server takes nothing before it has the whole dot, and what could not be written whole has not left whole.
        let stage = match next.is_some() && so_far >= dot_ends {
            true => Stage::Dot,
            false => Stage::Data,
        };
        self.arrived(stage, written)
    }

    /// The commands before the mail: in one packet where the server can do that, else each after the reply to the last.
    async fn envelope(&mut self, envelope: &Envelope, deadline: Instant) -> Result<(), Failure> {
        let early = self.early.take();
        let is_said = early.as_ref() == Some(envelope);
        if early.is_some() && !is_said {
            let what = "Another mail was begun on this connection.";
            return Err(self.server.mask.signal(Signal::NoReply(Stage::Reset), what));
        }
        let mut commands = commands(envelope);
        if std::mem::replace(&mut self.is_used, true) && !is_said {
            commands.insert(0, (Stage::Reset, "RSET\r\n".to_owned()));
        }
        let at_once = if self.pipelining { commands.len() } else { 1 };
        for group in commands.chunks(at_once) {
            if !is_said {
                let limit = self.limit(group[0].0, deadline);
                self.say(group[0].0, text(group).as_bytes(), limit).await?;
            }
            for (number, (stage, _)) in group.iter().enumerate() {
                let reply = self.hear(*stage, self.limit(*stage, deadline)).await?;
                if let Err(failure) = self.judge(*stage, &reply) {
                    self.in_step = self.hears_out(&group[number + 1..]).await;
                    return Err(failure);
                }
                self.mail_taken |= *stage == Stage::Mail;
            }
        }
        Ok(())
    }

    /// Hears the replies to commands that went out with one that was refused; whether the next mail may follow. A server
    /// that wants a mail all the same would have to get an empty one. (RFC 2920, section 3.1)
    async fn hears_out(&mut self, rest: &[(Stage, String)]) -> bool {
        for (stage, _) in rest {
            match self.hear(*stage, COURTESY_MAX).await {
                Ok(reply) if reply.code != 354 => {}
                _ => return false,
            }
        }
        true
    }

    /// How long a command and its reply may take.
    fn limit(&self, stage: Stage, deadline: Instant) -> Duration {
        let limit = match stage {
            Stage::Reset => COURTESY_MAX,
            _ => self.server.timeouts.smtp_command,
        };
        limit.min(left(deadline))
    }

    /// Says goodbye; the connection is done for whatever comes back.
    pub(super) async fn quit(mut self) {
        if self.early.is_some() {
            // In the middle of a mail there is no goodbye, and a mail without its dot is none.
            return;
        }
        let said = timeout(
            COURTESY_MAX,
            self.exchange(Stage::Reset, "QUIT", COURTESY_MAX),
        )
        .await;
        if !matches!(said, Ok(Ok(_))) {
            log::debug!("{} did not answer QUIT", self.server.name());
        }
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
        let deadline = Instant::now() + limit;
        self.say(stage, format!("{line}\r\n").as_bytes(), limit)
            .await?;
        self.hear(stage, left(deadline)).await
    }

    async fn say(&mut self, stage: Stage, bytes: &[u8], limit: Duration) -> Result<(), Failure> {
        let (written, _) = self.write(bytes, limit).await;
        self.arrived(stage, written)
    }

    /// Writes, and says how much may have left where not all did.
    async fn write(&mut self, bytes: &[u8], limit: Duration) -> (Came<()>, usize) {
        let stream = &mut self.client.stream;
        stream.forget_unasked();
        let mut so_far = 0;
        let written = timeout(limit, async {
            while so_far < bytes.len() {
                match stream.write(&bytes[so_far..]).await? {
                    0 => return Err(io::Error::from(ErrorKind::WriteZero).into()),
                    length => so_far += length,
                }
            }
            Ok(stream.flush().await?)
        });
        (written.await, so_far)
    }

    async fn hear(&mut self, stage: Stage, limit: Duration) -> Result<Reply, Failure> {
        self.client.stream.expect_reply();
        let reply = timeout(limit, self.client.read()).await;
        let reply = self.arrived(stage, reply)?;
        Ok(Reply::new(reply.code, reply.esc, reply.message))
    }

    /// Turns everything that is not a reply into the failure it means at this stage.
    fn arrived<T>(&self, stage: Stage, came: Came<T>) -> Result<T, Failure> {
        let why = match came {
            Ok(Ok(reply)) => return Ok(reply),
            Err(_) | Ok(Err(mail_send::Error::Timeout)) => "No answer in time".to_string(),
            Ok(Err(mail_send::Error::UnparseableReply)) if self.client.stream.is_closed() => {
                "The server closed the connection".to_string()
            }
            Ok(Err(_)) if self.client.stream.is_too_long() => "The reply is too long".to_string(),
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

/// A mail's commands before its content.
fn commands(Envelope { from, to }: &Envelope) -> Vec<(Stage, String)> {
    vec![
        (Stage::Mail, format!("MAIL FROM:<{}>\r\n", from.address())),
        (Stage::Rcpt, format!("RCPT TO:<{to}>\r\n")),
        (Stage::Data, "DATA\r\n".to_owned()),
    ]
}

fn text(commands: &[(Stage, String)]) -> String {
    commands.iter().map(|(_, line)| line.as_str()).collect()
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

/// What is left of the attempt.
fn left(deadline: Instant) -> Duration {
    deadline.saturating_duration_since(Instant::now())
}
