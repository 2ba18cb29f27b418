//! Everything a person can set from outside: flags, environment, defaults. The only place that reads the environment.
//!
//! Flag > environment > default. Every secret also as `…_FILE`. The limits and times are one table.

use crate::channel::{Timeouts, url};
use crate::domain::format::Channel;
use crate::http::guard::{self, Listen, Network};
use crate::logger::LogFormat;
use crate::outbox::policy::Policy;
use crate::rates::REQUESTS_PER_MINUTE;
use crate::store::look;
use clap::Args;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

/// Where the data is; every verb that touches it has this flag.
#[derive(Debug, Clone, Args)]
pub struct DataDir {
    /// Directory that holds everything Herald keeps; made (mode 0700) if it is not there
    #[arg(
        long,
        env = "HERALD_DATA_DIR",
        default_value = "./herald-data",
        value_name = "DIR"
    )]
    pub data_dir: PathBuf,
}

/// How the log looks.
#[derive(Debug, Clone, Args)]
pub struct LogArgs {
    /// Lines for people or JSON for machines, on stderr
    #[arg(
        long,
        env = "HERALD_LOG_FORMAT",
        value_enum,
        default_value = "text",
        value_name = "FORMAT"
    )]
    pub log_format: LogFormat,
    /// error, warn, info, debug or trace
    #[arg(
        long,
        env = "HERALD_LOG_LEVEL",
        default_value = "info",
        value_name = "LEVEL"
    )]
    pub log_level: log::LevelFilter,
}

/// The flags of `herald serve`.
#[derive(Debug, Clone, Args)]
pub struct ServeArgs {
    /// Address and port, or unix:/path; may be given several times (environment: space-separated)
    #[arg(
        long,
        env = "HERALD_LISTEN",
        default_value = "127.0.0.1:8080",
        value_delimiter = ' ',
        value_name = "ADDRESS"
    )]
    pub listen: Vec<Listen>,
    /// Where the data is
    #[command(flatten)]
    pub data: DataDir,
    /// This appliance's public address, for links and for reports of providers [default: http:// and the first address,
    /// for links only]
    #[arg(
        long,
        env = "HERALD_BASE_URL",
        default_value = "",
        hide_default_value = true,
        value_name = "URL"
    )]
    pub base_url: String,
    /// Address or network of a proxy in front, whose X-Forwarded-For is believed; may be given several times
    #[arg(
        long,
        env = "HERALD_TRUSTED_PROXY",
        value_delimiter = ' ',
        value_name = "NETWORK"
    )]
    pub trusted_proxy: Vec<Network>,
    /// E-mail provider, such as smtp://user:password@host:587; several in failover order [also HERALD_EMAIL_FILE]
    #[arg(
        long,
        env = "HERALD_EMAIL",
        value_delimiter = ' ',
        hide_env_values = true,
        value_name = "URL"
    )]
    pub email: Vec<String>,
    /// SMS provider, such as twilio://SID:TOKEN@api.twilio.com?from=%2B15550001111 [also HERALD_SMS_FILE]
    #[arg(
        long,
        env = "HERALD_SMS",
        value_delimiter = ' ',
        hide_env_values = true,
        value_name = "URL"
    )]
    pub sms: Vec<String>,
    /// Push provider, such as ntfy://TOKEN@host or fcm:///path/service-account.json [also HERALD_PUSH_FILE]
    #[arg(
        long,
        env = "HERALD_PUSH",
        value_delimiter = ' ',
        hide_env_values = true,
        value_name = "URL"
    )]
    pub push: Vec<String>,
    /// How the log looks
    #[command(flatten)]
    pub log: LogArgs,
}

/// The configuration of a serving appliance.
#[derive(Clone)]
pub struct Config {
    /// Where to listen.
    pub listen: Vec<Listen>,
    /// Where the data is.
    pub data_dir: PathBuf,
    /// This appliance's public address; empty until the listeners are bound.
    pub base_url: String,
    /// Limits and times.
    pub limits: Limits,
    email: Vec<String>,
    sms: Vec<String>,
    push: Vec<String>,
}

/// Limits and times, each with an environment name in [`TABLE`].
#[derive(Debug, Clone)]
pub struct Limits {
    /// Outgoing connections.
    pub timeouts: Timeouts,
    /// Retries.
    pub policy: Policy,
    /// Incoming connections.
    pub front: guard::Limits,
    /// What one client may ask for in a minute; 0 means no limit.
    pub requests_per_minute: u32,
    /// What one look at the database may cost.
    pub looks: look::Limits,
    /// What the environment has set, by name.
    pub set: BTreeMap<&'static str, u64>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            timeouts: Timeouts::default(),
            policy: Policy::default(),
            front: guard::Limits::default(),
            requests_per_minute: REQUESTS_PER_MINUTE,
            looks: look::Limits::default(),
            set: BTreeMap::new(),
        }
    }
}

/// A limit or a time that has an environment name.
pub struct Key {
    /// Its name in the environment.
    pub env: &'static str,
    /// The default; shown, and what [`Limits::default`] holds.
    pub default: u64,
    /// The smallest and the largest value.
    pub range: (u64, u64),
    /// One line for `--help`.
    pub meaning: &'static str,
    set: fn(&mut Limits, u64),
}

const fn key(
    env: &'static str,
    default: u64,
    range: (u64, u64),
    meaning: &'static str,
    set: fn(&mut Limits, u64),
) -> Key {
    Key {
        env,
        default,
        range,
        meaning,
        set,
    }
}

const DAY: u64 = 86_400;

/// Every limit and time that can be set. Defaults and sources: delivery.md, "Retry policy".
#[rustfmt::skip] // A table: one key a line.
pub const TABLE: &[Key] = &[
    key("HERALD_RETRY_BASE_SECS", 0, (0, DAY), "backoff base of every channel; 0 = e-mail 60, SMS and push 10", |l, v| if v > 0 { l.policy.email_base = secs(v); l.policy.short_base = secs(v); }),
    key("HERALD_RETRY_CAP_SECS", 0, (0, DAY), "longest backoff of every channel; 0 = e-mail 3600, SMS and push 600", |l, v| if v > 0 { l.policy.email_cap = secs(v); l.policy.short_cap = secs(v); }),
    key("HERALD_ATTEMPTS_MAX", 50, (1, 1000), "attempts per message", |l, v| l.policy.attempts_max = u32::try_from(v).unwrap_or(u32::MAX)),
    key("HERALD_BREAKER_FAULTS", 5, (1, 1000), "faults in a row that pause a provider", |l, v| l.policy.breaker_faults = u32::try_from(v).unwrap_or(u32::MAX)),
    key("HERALD_BREAKER_PAUSE_SECS", 30, (1, DAY), "first pause of a provider, doubling to 300", |l, v| l.policy.breaker_pause = secs(v)),
    key("HERALD_CONFIGURATION_PROBE_SECS", 60, (1, DAY), "how often a provider that refuses us is tried again", |l, v| l.policy.configuration_probe = secs(v)),
    key("HERALD_RECIPIENT_TYPE_PER_HOUR", 0, (0, 100_000), "messages of one type that one recipient may get in an hour; further ones wait; 0 = no limit", |l, v| l.policy.recipient_type_per_hour = u32::try_from(v).unwrap_or(u32::MAX)),
    key("HERALD_SMTP_CONNECT_SECS", 30, (1, DAY), "connecting to a mail server", |l, v| l.timeouts.smtp_connect = secs(v)),
    key("HERALD_SMTP_GREETING_SECS", 60, (1, DAY), "its greeting", |l, v| l.timeouts.smtp_greeting = secs(v)),
    key("HERALD_SMTP_COMMAND_SECS", 300, (1, DAY), "its reply to a command", |l, v| l.timeouts.smtp_command = secs(v)),
    key("HERALD_SMTP_FINAL_DOT_SECS", 600, (1, DAY), "its reply after the mail", |l, v| l.timeouts.smtp_final_dot = secs(v)),
    key("HERALD_HTTP_CONNECT_SECS", 10, (1, DAY), "connecting to a gateway", |l, v| l.timeouts.http_connect = secs(v)),
    key("HERALD_HTTP_TOTAL_SECS", 30, (1, DAY), "a whole exchange with a gateway", |l, v| l.timeouts.http_total = secs(v)),
    key("HERALD_ATTEMPT_SECS", 900, (1, DAY), "a whole attempt", |l, v| l.timeouts.attempt = secs(v)),
    key("HERALD_REQUESTS_PER_MINUTE", 6000, (0, 10_000_000), "requests of one client in a minute; 0 = no limit", |l, v| l.requests_per_minute = u32::try_from(v).unwrap_or(u32::MAX)),
    key("HERALD_CONNECTIONS_MAX", 4096, (16, 65_536), "incoming connections, below the limit on open files", |l, v| l.front.connections_max = size(v)),
    key("HERALD_CONNECTIONS_PER_ADDRESS_MAX", 1024, (1, 65_536), "of these from one address", |l, v| l.front.connections_per_address_max = size(v)),
    key("HERALD_HANDLERS_MAX", 96, (1, 1024), "requests inside handlers at once", |l, v| l.front.handlers_max = size(v)),
    key("HERALD_QUEUE_MAX", 256, (1, 65_536), "requests waiting for a handler before 503", |l, v| l.front.queue_max = size(v)),
    key("HERALD_BODY_BYTES_MAX", 1_048_576, (1024, 16_777_216), "largest request body", |l, v| l.front.body_bytes_max = size(v)),
    key("HERALD_KEEP_ALIVE_MILLIS", 30_000, (100, 3_600_000), "how long an idle connection is kept", |l, v| l.front.keep_alive_millis = v),
    key("HERALD_HEAD_TIMEOUT_MILLIS", 10_000, (100, 600_000), "how long a request head may take", |l, v| l.front.head_timeout_millis = v),
    key("HERALD_BODY_GRACE_MILLIS", 10_000, (100, 600_000), "how long a small request body may take", |l, v| l.front.body_grace_millis = v),
    key("HERALD_READ_MILLIS", 10_000, (10, 600_000), "how long a request may look at the database", |l, v| l.looks.read = millis(v)),
    key("HERALD_SEARCH_ROWS_MAX", 100_000, (1, 10_000_000), "messages that one request searches through, the newest first", |l, v| l.looks.search_rows = v),
    key("HERALD_SEARCH_MILLIS", 1000, (1, 600_000), "how long one request searches", |l, v| l.looks.search = millis(v)),
];

fn secs(value: u64) -> Duration {
    Duration::from_secs(value)
}

fn millis(value: u64) -> Duration {
    Duration::from_millis(value)
}

fn size(value: u64) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}

impl Config {
    /// The configuration that flags and environment give.
    ///
    /// # Errors
    /// A sentence that names the key.
    pub fn resolve(args: ServeArgs) -> Result<Self, String> {
        let ServeArgs {
            listen,
            data: DataDir { data_dir },
            base_url,
            trusted_proxy,
            email,
            sms,
            push,
            log: _,
        } = args;
        let mut limits = limits(|env| std::env::var(env).ok())?;
        limits.front.trusted_proxies = trusted_proxy;
        Ok(Self {
            listen,
            data_dir,
            base_url: base_url.trim_end_matches('/').to_owned(),
            limits,
            email: or_file(email, "HERALD_EMAIL")?,
            sms: or_file(sms, "HERALD_SMS")?,
            push: or_file(push, "HERALD_PUSH")?,
        })
    }

    /// A configuration that captures everything: the demo, and commands beside a server.
    ///
    /// # Errors
    /// A sentence that names the key.
    pub fn capturing(listen: Vec<Listen>, data_dir: PathBuf) -> Result<Self, String> {
        Ok(Self {
            listen,
            data_dir,
            base_url: String::new(),
            limits: limits(|env| std::env::var(env).ok())?,
            email: Vec::new(),
            sms: Vec::new(),
            push: Vec::new(),
        })
    }

    /// The same with these providers for a channel.
    #[must_use]
    pub fn with_providers(mut self, channel: Channel, urls: Vec<String>) -> Self {
        *match channel {
            Channel::Email => &mut self.email,
            Channel::Sms => &mut self.sms,
            Channel::Push => &mut self.push,
        } = urls;
        self
    }

    /// The provider URLs of a channel in failover order; they hold secrets.
    #[must_use]
    pub fn providers(&self, channel: Channel) -> &[String] {
        match channel {
            Channel::Email => &self.email,
            Channel::Sms => &self.sms,
            Channel::Push => &self.push,
        }
    }
}

/// The limits with what `look` finds in the environment.
fn limits(look: impl Fn(&str) -> Option<String>) -> Result<Limits, String> {
    let mut limits = Limits::default();
    for Key {
        env,
        range: (min, max),
        set,
        ..
    } in TABLE
    {
        let Some(text) = look(env) else { continue };
        match text.trim().parse() {
            Ok(value) if (*min..=*max).contains(&value) => {
                set(&mut limits, value);
                limits.set.insert(env, value);
            }
            _ => {
                return Err(format!(
                    "{env} must be a whole number from {min} to {max}, not {text:?}."
                ));
            }
        }
    }
    Ok(limits)
}

/// The limits and times as `herald serve --help` shows them.
#[must_use]
pub fn help() -> String {
    let mut text = url::help() + "\nLimits and times (environment):\n";
    for Key {
        env,
        default,
        meaning,
        ..
    } in TABLE
    {
        // Two short lines, as clap sets its own: one long line would be wrapped in the middle.
        text.push_str(&format!(
            "  {env}\n          {meaning} [default: {default}]\n"
        ));
    }
    text
}

/// URLs from the file that `<env>_FILE` names, when none were given directly.
fn or_file(given: Vec<String>, env: &str) -> Result<Vec<String>, String> {
    let given: Vec<_> = given.into_iter().filter(|url| !url.is_empty()).collect();
    let twin = format!("{env}_FILE");
    match std::env::var(&twin) {
        Ok(path) if given.is_empty() => {
            let text = std::fs::read_to_string(&path)
                .map_err(|fault| format!("Cannot read {path}, which {twin} names: {fault}."))?;
            Ok(text.split_whitespace().map(str::to_owned).collect())
        }
        _ => Ok(given),
    }
}
