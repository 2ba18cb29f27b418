//! ROUTES: the only list of endpoints. Routing, rights, 405 and OpenAPI are made from it.

use super::admin::{
    backup, captured, causes, clients, coverage, devices, enumerations, events, import, logs,
    operators, outbox, overview, preferences, preview, providers, sending, session, settings,
    system_preferences, templates, testing, types, users, versions,
};
use super::auth::Access;
use super::list::{List, Word};
use super::reply::Reply;
use super::request::Request;
use super::response::Response;
use super::send::{messages, notifications, templates as communication, token};
use super::{health, hooks, openapi, pages};
use crate::app::App;
use crate::domain::scope::{Area, Mode, Scope};
use crate::error::Result;
use crate::store::Db;
use schemars::{JsonSchema, Schema, SchemaGenerator};

/// What answers a route: decode, check, one store call, answer.
pub enum Handler {
    /// It has its reply when it returns.
    Now(AnswerNow),
    /// Its reply comes when the disk has what it promises.
    Later(AnswerLater),
}

type AnswerNow = fn(&App, &Request) -> Result<Response>;
/// It reads on the snapshot on which its caller was let in.
type AnswerLater = fn(&App, &Db, &Request) -> Result<Reply<Result<Response>>>;

/// One endpoint.
pub struct Route {
    /// Upper case; GET answers HEAD too.
    pub method: &'static str,
    /// Literal segments beat `{name}`.
    pub pattern: &'static str,
    /// Who may use it.
    pub access: Access,
    /// What answers.
    pub handler: Handler,
    /// One line for OpenAPI and the README.
    pub summary: &'static str,
    /// The body it takes.
    pub takes: Option<Body>,
    /// What it gives.
    pub gives: Gives,
    /// The headers it gives with a success, besides a page's `Link`.
    pub headers: &'static [&'static str],
    /// The words of its query, if it is no list's.
    pub query: &'static [Word],
    /// The list whose filters its query may name, without being that list.
    pub filters: Option<&'static List>,
    /// Whether it takes an `Idempotency-Key`.
    pub idempotent: bool,
    /// The failures it may answer with besides those that the rest of the line says, such as 409 for a taken place.
    pub may: &'static [u16],
    /// The document's own slugs of a 400.
    pub refuses: &'static [&'static str],
}

/// A body a route takes.
#[derive(Clone, Copy)]
pub struct Body {
    /// Its media type.
    pub media_type: &'static str,
    /// Makes its schema.
    pub schema: fn(&mut SchemaGenerator) -> Schema,
}

/// A successful reply.
#[derive(Clone, Copy)]
pub enum Gives {
    /// `{"Result":"OK"}`
    Done,
    /// `{"Result":"OK","Data":…}`
    Data(fn(&mut SchemaGenerator) -> Schema),
    /// `{"Result":"OK","Data":[…],"Paging":…}`, and what the list offers.
    Page(fn(&mut SchemaGenerator) -> Schema, &'static List),
    /// JSON without an envelope.
    Plain(fn(&mut SchemaGenerator) -> Schema),
    /// 202 without a body.
    Accepted,
    /// 204.
    Nothing,
    /// An OpenAPI document.
    Document,
    /// Another media type.
    Other(&'static str),
}

impl Route {
    const fn takes<T: JsonSchema>(mut self) -> Self {
        self.takes = Some(Body {
            media_type: "application/json",
            schema: schema_of::<T>,
        });
        self
    }

    const fn takes_form<T: JsonSchema>(mut self) -> Self {
        self.takes = Some(Body {
            media_type: "application/x-www-form-urlencoded",
            schema: schema_of::<T>,
        });
        self
    }

    const fn takes_csv<T: JsonSchema>(mut self) -> Self {
        self.takes = Some(Body {
            media_type: "text/csv",
            schema: schema_of::<T>,
        });
        self
    }

    const fn data<T: JsonSchema>(mut self) -> Self {
        self.gives = Gives::Data(schema_of::<T>);
        self
    }

    const fn page<T: JsonSchema>(mut self, list: &'static List) -> Self {
        self.gives = Gives::Page(schema_of::<T>, list);
        self
    }

    const fn plain<T: JsonSchema>(mut self) -> Self {
        self.gives = Gives::Plain(schema_of::<T>);
        self
    }

    const fn accepted(mut self) -> Self {
        self.gives = Gives::Accepted;
        self
    }

    const fn nothing(mut self) -> Self {
        self.gives = Gives::Nothing;
        self
    }

    const fn document(mut self) -> Self {
        self.gives = Gives::Document;
        self
    }

    const fn headers(mut self, headers: &'static [&'static str]) -> Self {
        self.headers = headers;
        self
    }

    const fn query(mut self, query: &'static [Word]) -> Self {
        self.query = query;
        self
    }

    const fn filters(mut self, list: &'static List) -> Self {
        self.filters = Some(list);
        self
    }

    const fn idempotent(mut self) -> Self {
        self.idempotent = true;
        self
    }

    const fn may(mut self, statuses: &'static [u16]) -> Self {
        self.may = statuses;
        self
    }

    const fn refuses(mut self, slugs: &'static [&'static str]) -> Self {
        self.refuses = slugs;
        self
    }

    const fn other(mut self, media_type: &'static str) -> Self {
        self.gives = Gives::Other(media_type);
        self
    }
}

fn schema_of<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

const fn route(
    method: &'static str,
    pattern: &'static str,
    access: Access,
    handler: Handler,
    summary: &'static str,
) -> Route {
    Route {
        method,
        pattern,
        access,
        handler,
        summary,
        takes: None,
        gives: Gives::Done,
        headers: &[],
        query: &[],
        filters: None,
        idempotent: false,
        may: &[],
        refuses: &[],
    }
}

const fn get(
    pattern: &'static str,
    access: Access,
    handler: AnswerNow,
    summary: &'static str,
) -> Route {
    route("GET", pattern, access, Handler::Now(handler), summary)
}

const fn post(
    pattern: &'static str,
    access: Access,
    handler: AnswerNow,
    summary: &'static str,
) -> Route {
    route("POST", pattern, access, Handler::Now(handler), summary)
}

/// A POST whose handler does not wait for the disk.
const fn post_later(
    pattern: &'static str,
    access: Access,
    handler: AnswerLater,
    summary: &'static str,
) -> Route {
    route("POST", pattern, access, Handler::Later(handler), summary)
}

const fn delete(
    pattern: &'static str,
    access: Access,
    handler: AnswerNow,
    summary: &'static str,
) -> Route {
    route("DELETE", pattern, access, Handler::Now(handler), summary)
}

const PUBLIC: Access = Access::Public;
const OPERATOR: Access = Access::Operator;
const NEWCOMER: Access = Access::Newcomer;
const COMMUNICATION_READ: Access = Access::Needs(Scope::need(Area::Communication, Mode::Read));
const COMMUNICATION_WRITE: Access = Access::Needs(Scope::need(Area::Communication, Mode::Write));
const NOTIFICATIONS_WRITE: Access = Access::Needs(Scope::need(Area::Notifications, Mode::Write));
const LOGS_READ: Access = Access::Needs(Scope::need(Area::Logs, Mode::Read));
const LOGS_WRITE: Access = Access::Needs(Scope::need(Area::Logs, Mode::Write));
const USERS_READ: Access = Access::Needs(Scope::need(Area::Users, Mode::Read));
const USERS_WRITE: Access = Access::Needs(Scope::need(Area::Users, Mode::Write));
const SETTINGS_READ: Access = Access::Needs(Scope::need(Area::Settings, Mode::Read));
const SETTINGS_WRITE: Access = Access::Needs(Scope::need(Area::Settings, Mode::Write));

/// Where the new element, or the edited one, is.
const LOCATION: &[&str] = &["Location"];
const SESSION: &[&str] = &["Set-Cookie"];
/// The slugs for channels without a template. (Core - Messages, "Add new or edit existing notification preference")
const NO_TEMPLATE: &[&str] = &[
    "err_NoEmailTemplateFound",
    "err_NoSMSTemplateFound",
    "err_NoEmailSMSTemplateFound",
    "err_NoPushTemplateFound",
    "err_NoEmailPushTemplateFound",
    "err_NoSMSPushTemplateFound",
    "err_NoNotificationTemplateFound",
];

/// Every endpoint, in the order of the API's pages. The send API is served under v1.2 and v1.1 too.
#[rustfmt::skip] // A table: one endpoint a line.
pub const ROUTES: &[Route] = &[
    get("/livez", PUBLIC, health::livez, "The process is alive").other("text/plain"),
    get("/readyz", PUBLIC, health::readyz, "The database and its writer answer").other("text/plain"),
    get("/openapi.json", PUBLIC, openapi::all, "Documents both APIs (OpenAPI 3.1)").document(),
    post("/preview", OPERATOR, pages::preview, "Shows HTML in a frame in which it can do nothing").takes_form::<pages::Preview>().other("text/html"),
    post("/hooks/twilio/{token}", PUBLIC, hooks::of_twilio, "Takes Twilio's word on what became of a message").takes_form::<hooks::TwilioReport>().nothing().may(&[403]),
    post("/hooks/vonage/{token}", PUBLIC, hooks::of_vonage, "Takes Vonage's word on what became of a message").takes_form::<hooks::VonageReport>().nothing().may(&[403]),
    get("/hooks/vonage/{token}", PUBLIC, hooks::of_vonage, "Takes Vonage's word on what became of a message, in a query").query(hooks::VONAGE_QUERY).nothing().may(&[403]),

    post("/login/oauth/authorize", PUBLIC, token::authorize, "Gets a bearer token").takes_form::<token::TokenRequest>().plain::<token::AuthorizeReply>(),
    post("/oauth/token", PUBLIC, token::token, "Gets a bearer token").takes_form::<token::TokenRequest>().plain::<token::TokenReply>(),
    post("/api/v1.3/login/oauth/authorize", PUBLIC, token::authorize, "Gets a bearer token").takes_form::<token::TokenRequest>().plain::<token::AuthorizeReply>(),
    post("/api/v1.3/oauth/token", PUBLIC, token::token, "Gets a bearer token").takes_form::<token::TokenRequest>().plain::<token::TokenReply>(),
    post_later("/api/v1.3/communication/messages/{userId}/send", USERS_WRITE, messages::send, "Sends a message to a user").takes::<messages::SendMessage>().accepted().headers(&["Location", "X-Message-Id"]).idempotent(),
    get("/api/v1.3/communication/templates", COMMUNICATION_READ, communication::list, "Lists communication templates").plain::<communication::CommunicationTemplates>().query(communication::QUERY),
    get("/api/v1.3/communication/templates/{id}", COMMUNICATION_READ, communication::get, "Gets a communication template").plain::<communication::CommunicationTemplate>(),
    post("/api/v1.3/communication/notifications", NOTIFICATIONS_WRITE, notifications::send, "Sends notifications, all or none").takes::<notifications::SendNotifications>().accepted().may(&[404, 409]),
    get("/api/v1.3/openapi.json", PUBLIC, openapi::send, "Documents the send API (OpenAPI 3.1)").document(),

    get("/api/admin/v1/openapi.json", PUBLIC, openapi::admin, "Documents the admin API (OpenAPI 3.1)").document(),
    post("/api/admin/v1/user/logon", PUBLIC, session::logon, "Signs an operator in").takes::<session::Logon>().data::<session::LoggedOn>().headers(SESSION).may(&[401, 403, 429]),
    post("/api/admin/v1/user/signin", PUBLIC, session::signin, "Signs an operator in who has a one-time link").takes::<session::LinkSignin>().data::<session::LoggedOn>().headers(SESSION).may(&[401, 403]),
    post("/api/admin/v1/user/logoff", NEWCOMER, session::logoff, "Signs an operator out").headers(SESSION),
    post("/api/admin/v1/user/password", NEWCOMER, session::change_password, "Changes an operator's password; every session of theirs ends").takes::<session::ChangePassword>().headers(SESSION),
    post("/api/admin/v1/user/setup", PUBLIC, session::setup, "Makes the first operator of a new appliance").takes::<session::Setup>().data::<session::LoggedOn>().headers(SESSION).may(&[401, 403, 409, 429]),
    get("/api/admin/v1/session", PUBLIC, session::get, "Says who is signed in and what every page shows, or how to begin").data::<session::WireSession>(),
    get("/api/admin/v1/messages/templates/combined-email", COMMUNICATION_READ, templates::combined_email, "Lists HTML e-mail templates").page::<templates::MailTemplate>(&templates::LIST),
    get("/api/admin/v1/messages/templates/simple-text-email", COMMUNICATION_READ, templates::simple_text_email, "Lists text e-mail templates").page::<templates::MailTemplate>(&templates::LIST),
    get("/api/admin/v1/messages/templates/sms", COMMUNICATION_READ, templates::sms, "Lists SMS templates").page::<templates::SmsTemplate>(&templates::LIST),
    get("/api/admin/v1/messages/templates/push-notification", COMMUNICATION_READ, templates::push_notification, "Lists push templates").page::<templates::PushTemplate>(&templates::LIST),
    get("/api/admin/v1/messages/templates/list", COMMUNICATION_READ, templates::list, "Lists all templates").page::<templates::MailTemplate>(&templates::LIST),
    post("/api/admin/v1/messages/templates", COMMUNICATION_WRITE, templates::save, "Adds a template or edits one").takes::<templates::SaveTemplate>().headers(LOCATION).may(&[409]),
    post("/api/admin/v1/messages/templates/preview", COMMUNICATION_READ, preview::preview, "Shows what a template becomes; stores and sends nothing").takes::<preview::Preview>().data::<preview::Previewed>().may(&[404]),
    get("/api/admin/v1/messages/templates/coverage", COMMUNICATION_READ, coverage::get, "Says which template the users of each language would get").data::<coverage::Coverage>(),
    get("/api/admin/v1/messages/templates/{id}", COMMUNICATION_READ, templates::get, "Gets a template").data::<templates::OneTemplate>(),
    delete("/api/admin/v1/messages/templates/{id}", COMMUNICATION_WRITE, templates::delete, "Marks a template as deleted"),
    get("/api/admin/v1/messages/templates/{id}/versions", COMMUNICATION_READ, versions::list, "Lists what a template was after each save").data::<Vec<versions::WireVersion>>(),
    get("/api/admin/v1/messages/templates/{id}/versions/{version}", COMMUNICATION_READ, versions::get, "Gets a template as it was after a save").data::<versions::WholeVersion>(),
    post("/api/admin/v1/messages/templates/{id}/versions/{version}/restore", COMMUNICATION_WRITE, versions::restore, "Makes a template again what it was").headers(LOCATION).may(&[409]),
    post("/api/admin/v1/messages/templates/{id}/test", COMMUNICATION_WRITE, testing::test, "Tries a template on a recipient, through the real channel").takes::<testing::TestTemplate>().data::<bool>().refuses(&["err_TestNoRecipient", "err_TestFormatNotTestable"]).may(&[409]),
    get("/api/admin/v1/messages/types", COMMUNICATION_READ, types::list, "Lists message types").page::<types::WireType>(&types::LIST),
    post("/api/admin/v1/messages/types", COMMUNICATION_WRITE, types::save, "Adds a message type or edits one").takes::<types::SaveType>().data::<super::Identity>().headers(LOCATION).may(&[409]),
    get("/api/admin/v1/messages/types/{id}", COMMUNICATION_READ, types::get, "Gets a message type").data::<types::WireType>(),
    delete("/api/admin/v1/messages/types/{id}", COMMUNICATION_WRITE, types::delete, "Deletes a message type that nothing uses").may(&[409]),
    get("/api/admin/v1/messages/enumerations", COMMUNICATION_READ, enumerations::enumerations, "Names every number of the API").data::<enumerations::Enumerations>(),
    get("/api/admin/v1/messages/placeholders", COMMUNICATION_READ, enumerations::placeholders, "Lists the words that templates of a type may use").data::<Vec<types::WireWord>>().query(enumerations::PLACEHOLDERS_QUERY).may(&[404]),
    post_later("/api/admin/v1/messages/send", USERS_WRITE, sending::send, "Sends a message as the preferences say").takes::<sending::SendByPreference>().data::<Vec<sending::Queued>>().headers(LOCATION).may(&[404, 409]),
    post("/api/admin/v1/messages/explain", USERS_READ, sending::explain, "Explains what sending would do, and does not do it").takes::<sending::SendByPreference>().data::<Vec<sending::Explained>>().may(&[404]),
    get("/api/admin/v1/messages/logs", LOGS_READ, logs::of_all, "Lists the messages sent to anyone").page::<logs::EveryonesLine>(&logs::LOG),
    get("/api/admin/v1/messages/logs/{user}", LOGS_READ, logs::of_user, "Lists the messages sent to a user").page::<logs::Line>(&logs::LOG),
    get("/api/admin/v1/messages/logs/entries/{id}", LOGS_READ, logs::entry, "Gets a message with its attempts and decisions").data::<logs::Entry>(),
    post("/api/admin/v1/messages/logs/entries/{id}/retry", LOGS_WRITE, logs::retry, "Sends a message again that failed, expired, was cancelled or did not arrive").may(&[409]),
    post("/api/admin/v1/messages/logs/entries/{id}/cancel", LOGS_WRITE, logs::cancel, "Cancels a message that waits").may(&[409]),
    get("/api/admin/v1/messages/logs/causes", LOGS_READ, causes::list, "Counts what failed or expired by its cause").data::<Vec<causes::WireCause>>().filters(&causes::CAUSES),
    get("/api/admin/v1/messages/logs/events", LOGS_READ, events::stream, "Tells of new and changed messages as they come (server-sent events)").other("text/event-stream").may(&[503]),
    post("/api/admin/v1/messages/logs/retry", LOGS_WRITE, causes::retry, "Sends again what the filters choose, at most 1000 a call").data::<causes::Retried>().filters(&logs::LOG).query(causes::BEFORE),
    post("/api/admin/v1/messages/logs/cancel", LOGS_WRITE, causes::cancel, "Cancels what waits and the filters choose, at most 1000 a call").data::<causes::Cancelled>().filters(&logs::LOG),
    get("/api/admin/v1/messages/system-message-preferences", COMMUNICATION_READ, system_preferences::list, "Lists system message preferences").page::<system_preferences::WireSystemPreference>(&system_preferences::LIST),
    post("/api/admin/v1/messages/system-message-preferences", COMMUNICATION_WRITE, system_preferences::save, "Adds a system message preference or edits one").takes::<system_preferences::SaveSystemPreference>().headers(LOCATION).may(&[409]).refuses(&["err_NoTemplateFound"]),
    delete("/api/admin/v1/messages/system-message-preferences/{id}", COMMUNICATION_WRITE, system_preferences::delete, "Removes a system message preference: the type's default counts again"),
    get("/api/admin/v1/messages/preferences/{id}", USERS_READ, preferences::list, "Lists a user's notification preferences").page::<preferences::WirePreference>(&preferences::LIST),
    post("/api/admin/v1/messages/preferences/{id}", USERS_WRITE, preferences::save, "Adds a notification preference of a user or edits one").takes::<preferences::SavePreference>().headers(LOCATION).may(&[409]).refuses(NO_TEMPLATE),
    delete("/api/admin/v1/messages/preferences/{id}/{preference}", USERS_WRITE, preferences::delete, "Removes a notification preference of a user: the type's default counts again"),
    get("/api/admin/v1/users", USERS_READ, users::list, "Lists users").page::<users::WireUser>(&users::LIST),
    get("/api/admin/v1/users/list", USERS_READ, users::list, "Lists users").page::<users::WireUser>(&users::LIST),
    post("/api/admin/v1/users", USERS_WRITE, users::save, "Adds a user or edits one").takes::<users::SaveUser>().data::<super::Identity>().headers(LOCATION).may(&[409]),
    post("/api/admin/v1/users/import", USERS_WRITE, import::import, "Adds and changes users from a list, line by line").takes_csv::<import::UserList>().data::<import::Imported>().query(import::QUERY),
    get("/api/admin/v1/users/{id}", USERS_READ, users::get, "Gets a user").data::<users::WireUser>(),
    delete("/api/admin/v1/users/{id}", USERS_WRITE, users::delete, "Erases a person"),
    get("/api/admin/v1/users/{id}/devices", USERS_READ, devices::list, "Lists a user's devices").page::<devices::WireDevice>(&devices::LIST),
    post("/api/admin/v1/users/{id}/devices", USERS_WRITE, devices::add, "Adds a push target to a user").takes::<devices::SaveDevice>().data::<super::Identity>().headers(LOCATION).may(&[409]),
    delete("/api/admin/v1/users/{id}/devices/{device}", USERS_WRITE, devices::delete, "Removes a push target of a user"),
    get("/api/admin/v1/clients", SETTINGS_READ, clients::list, "Lists API clients").page::<clients::WireClient>(&clients::LIST),
    post("/api/admin/v1/clients", SETTINGS_WRITE, clients::create, "Adds an API client; its secrets are shown once").takes::<clients::CreateClient>().data::<clients::NewCredentials>().headers(LOCATION),
    delete("/api/admin/v1/clients/{id}", SETTINGS_WRITE, clients::delete, "Revokes an API client"),
    get("/api/admin/v1/operators", OPERATOR, operators::list, "Lists operators").page::<operators::WireOperator>(&operators::LIST),
    post("/api/admin/v1/operators", OPERATOR, operators::create, "Adds an operator").takes::<operators::CreateOperator>().data::<super::Identity>().headers(LOCATION).may(&[409]),
    delete("/api/admin/v1/operators/{id}", OPERATOR, operators::delete, "Removes an operator, but not oneself").may(&[409]),
    get("/api/admin/v1/backup", OPERATOR, backup::download, "Downloads a backup of the database").other("application/vnd.sqlite3").headers(&["Content-Disposition"]).may(&[503]),
    get("/api/admin/v1/settings", SETTINGS_READ, settings::get, "Gets the settings").data::<settings::WireSettings>(),
    post("/api/admin/v1/settings", SETTINGS_WRITE, settings::save, "Changes settings").takes::<settings::SaveSettings>(),
    get("/api/admin/v1/providers", SETTINGS_READ, providers::list, "Lists the providers of each channel in failover order").page::<providers::WireProvider>(&providers::LIST),
    post("/api/admin/v1/providers", SETTINGS_WRITE, providers::save, "Adds a provider or edits one; it is used at once").takes::<providers::SaveProvider>().data::<super::Identity>().headers(LOCATION).may(&[409]),
    post("/api/admin/v1/providers/check", SETTINGS_WRITE, providers::check_url, "Proves the credentials in a provider URL; stores and sends nothing").takes::<providers::CheckProvider>().data::<providers::Checked>(),
    delete("/api/admin/v1/providers/{id}", SETTINGS_WRITE, providers::delete, "Deletes a stored provider"),
    post("/api/admin/v1/providers/{id}/check", SETTINGS_WRITE, providers::check_stored, "Proves the credentials of a stored provider; sends nothing").data::<providers::Checked>(),
    get("/api/admin/v1/overview", LOGS_READ, overview::get, "Says what waits, what became of the rest, how the providers are and what needs a person").data::<overview::Overview>(),
    get("/api/admin/v1/outbox", LOGS_READ, outbox::get, "Says whether the outbox is paused, and what waits in it").data::<outbox::WireOutbox>(),
    post("/api/admin/v1/outbox/pause", SETTINGS_WRITE, outbox::pause, "Pauses the outbox: what is accepted waits").takes::<outbox::PauseOutbox>(),
    post("/api/admin/v1/outbox/resume", SETTINGS_WRITE, outbox::resume, "Lets the outbox go"),
    get("/api/admin/v1/captured", LOGS_READ, captured::list, "Lists captured messages").page::<captured::WireCaptured>(&captured::LIST),
    get("/api/admin/v1/captured/{id}", LOGS_READ, captured::get, "Gets a captured message").data::<captured::WireCaptured>(),
    get("/api/admin/v1/captured/{id}/source", LOGS_READ, captured::source, "Gets a captured mail as it would have been sent").other("message/rfc822"),
    post("/api/admin/v1/captured/{id}/release", LOGS_WRITE, captured::release, "Sends a captured message to a given recipient, through a provider that sends").takes::<captured::ReleaseCaptured>().data::<super::Identity>().headers(LOCATION).may(&[409]),
    delete("/api/admin/v1/captured/{id}", LOGS_WRITE, captured::delete, "Deletes a captured message"),
];
