//! What no kill, full disk, failing disk or power cut may take away: the promises of delivery, tried on the real program
//! under load. (delivery.md, promises 1 to 3)

mod clients;
mod disk;
mod failing_disk;
mod full_disk;
mod kill_loop;
mod once;
mod power;
mod refused;

use crate::support::app::Caller;

use crate::support::binary::{Running, done};
use crate::support::outside::{sms_url, url_of};
use disk::SmallDisk;
use herald::simulate::book::{Book, MESSAGES_MAX, Message};
use herald::simulate::gateway::Gateway;
use herald::simulate::orders::Orders;
use herald::simulate::smtp::{MailServer, Options};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::str::FromStr;
use std::sync::Arc;
use tempfile::TempDir;

const LOGS: &str = "/api/admin/v1/messages/logs";

/// What is not the default: what failed is tried again within a second, nobody is told to slow down.
const SETTINGS: [(&str, &str); 4] = [
    ("HERALD_RETRY_BASE_SECS", "1"),
    ("HERALD_RETRY_CAP_SECS", "1"),
    ("HERALD_BREAKER_PAUSE_SECS", "1"),
    ("HERALD_REQUESTS_PER_MINUTE", "0"),
];

/// An appliance's directory and the providers around it, which outlive the processes.
struct World {
    /// Goes before the directory that it is mounted in.
    disk: Option<SmallDisk>,
    directory: TempDir,
    orders: Arc<Orders>,
    mails: Arc<Book>,
    texts: Arc<Book>,
    mail_server: MailServer,
    gateway: Gateway,
    /// Connections to the mail server at most.
    connections: usize,
    /// What the server is started with beyond [`SETTINGS`] and the providers.
    environment: Vec<(&'static str, String)>,
    key: String,
}

impl World {
    fn new() -> Self {
        Self::made(|_| None, Book::default())
    }

    /// With its data on a disk of its own.
    fn on(disk: impl FnOnce(&str) -> Option<SmallDisk>) -> Self {
        Self::made(disk, Book::default())
    }

    /// With this book of mails.
    fn with_mails(mails: Book) -> Self {
        Self::made(|_| None, mails)
    }

    fn made(disk: impl FnOnce(&str) -> Option<SmallDisk>, mails: Book) -> Self {
        let free = || "127.0.0.1:0".parse().unwrap();
        let (orders, mails, texts) = (Arc::default(), Arc::new(mails), Arc::default());
        let options = Options::default();
        let mail_server =
            MailServer::start(free(), options, Arc::clone(&orders), Arc::clone(&mails)).unwrap();
        let gateway = Gateway::start(free(), Arc::clone(&orders), Arc::clone(&texts)).unwrap();
        let directory = tempfile::tempdir().unwrap();
        let mut world = Self {
            disk: disk(directory.path().join("data").to_str().unwrap()),
            directory,
            orders,
            mails,
            texts,
            mail_server,
            gateway,
            connections: 4,
            environment: Vec::new(),
            key: String::new(),
        };
        world.key = world.client();
        world
    }

    /// Makes a client on the directory as it is, and gives back its key.
    fn client(&self) -> String {
        let words = "client create --json --label app --scope relesys.api --data-dir";
        let data_dir = self.data_dir();
        let words: Vec<_> = words.split(' ').chain([data_dir.as_str()]).collect();
        let client: Value = serde_json::from_str(&done(&words, &[])).unwrap();
        client["key"].as_str().unwrap().to_owned()
    }

    fn path(&self, name: &str) -> String {
        self.directory.path().join(name).display().to_string()
    }

    fn data_dir(&self) -> String {
        self.path("data")
    }

    /// The environment of `herald serve`: everything goes to the simulated providers.
    fn whole_environment(&self) -> Vec<(&'static str, String)> {
        let email = format!(
            "{}&connections={}",
            self.mail_server.url(false),
            self.connections
        );
        let settings = SETTINGS.map(|(name, value)| (name, value.to_owned()));
        let providers = [
            ("HERALD_EMAIL", email),
            ("HERALD_SMS", sms_url(&self.gateway)),
            ("HERALD_PUSH", url_of(&self.gateway, "ntfy")),
        ];
        let settings = settings.into_iter().chain(providers);
        settings.chain(self.environment.clone()).collect()
    }

    /// Starts a server and does not wait for it.
    fn start(&self) -> Running {
        let environment = self.whole_environment();
        let environment: Vec<_> = environment.iter().map(|(n, v)| (*n, v.as_str())).collect();
        let data_dir = self.data_dir();
        let words = ["serve", "--listen", "127.0.0.1:0", "--data-dir", &data_dir];
        Running::start(&words, &environment)
    }

    fn serve(&self) -> Running {
        let running = self.start();
        running.until_it_logs("Herald serves ");
        running
    }

    /// How often each mail came, by the GUID of its message.
    fn received(&self) -> BTreeMap<String, usize> {
        count(taken(&self.mails).iter().map(|mail| guid_of(mail)))
    }
}

/// The part of the Message-ID that names the message.
fn guid_of(mail: &str) -> String {
    let (_, rest) = mail.split_once("Message-ID: <").unwrap();
    rest.split('@').next().unwrap().to_owned()
}

/// The content of all that a provider took.
fn taken(book: &Book) -> Vec<String> {
    let content = |message: Message| String::from_utf8(message.content).unwrap();
    let all: Vec<_> = book
        .messages(0, MESSAGES_MAX)
        .into_iter()
        .map(content)
        .collect();
    assert_eq!(all.len() as u64, book.taken(), "the book still holds all");
    all
}

/// What their sender calls the messages that the gateways took, of those that are told that.
fn references(book: &Book) -> Vec<String> {
    let all = book.messages(0, MESSAGES_MAX).into_iter();
    all.filter_map(|message| message.reference).collect()
}

/// How often each comes.
fn count<T: Ord>(all: impl Iterator<Item = T>) -> BTreeMap<T, usize> {
    let mut times = BTreeMap::new();
    for one in all {
        *times.entry(one).or_default() += 1;
    }
    times
}

/// Adds a user with an address, a number and a device; where to send to.
fn user(api: &Caller) -> String {
    let user =
        json!({ "UserName": "bo", "Email": "bo@example.net", "Mobile": "+4790000001" }).to_string();
    let user = api.post("/api/admin/v1/users", &user).json();
    let device = json!({ "Label": "Phone", "Token": "device-1" }).to_string();
    assert_eq!(
        api.post("/api/admin/v1/users/1/devices", &device).status,
        200
    );
    let guid = user["Data"]["Guid"].as_str().unwrap();
    format!("/api/v1.3/communication/messages/{guid}/send")
}

/// How many messages of the log the filter chooses.
fn logged(api: &Caller, filter: &str) -> usize {
    let log = api.get(&format!("{LOGS}?pageSize=1&{filter}")).json();
    usize::try_from(log["Paging"]["TotalRecords"].as_u64().unwrap()).unwrap()
}

/// How many messages wait or are being sent: as one moment has it, for between two counts a message may change places.
fn unfinished(api: &Caller) -> u64 {
    let outbox = api.get("/api/admin/v1/outbox").json();
    let channels = outbox["Data"]["Channels"].as_array().unwrap().iter();
    let counts =
        channels.flat_map(|queue| ["Waiting", "Scheduled", "Sending"].map(|name| &queue[name]));
    counts.map(|count| count.as_u64().unwrap()).sum()
}

/// A size of a test from the environment: CI takes the default, `make` targets more.
fn number<T: FromStr<Err: Debug>>(name: &str, default: T) -> T {
    std::env::var(name).map_or(default, |text| text.parse().unwrap())
}

/// Numbers that look like chance and come again with their seed: the generator SplitMix64. (Steele, Lea, Flood: "Fast
/// splittable pseudorandom number generators", 2014)
struct Chance(u64);

impl Chance {
    /// A number below this one.
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }
}
