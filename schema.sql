-- The whole current schema: what a new database gets. An older one is brought to the same state by
-- src/store/migrations; a test compares the two.
--
-- Times are milliseconds since 1970-01-01T00:00:00Z. GUIDs are 16 bytes. Ids are never used again (autoincrement),
-- because clients keep them for ever.

-- What a person sets on the running appliance; absent keys have the defaults of domain::settings.
create table setting (
    key text primary key,
    value text not null
) strict, without rowid;

-- Message types: at the same time the send API's communication templates.
create table message_type (
    id integer primary key autoincrement,
    guid blob not null unique,
    slug text not null collate nocase unique,
    name text not null,
    is_system integer not null,
    is_notification integer not null,
    is_sensitive integer not null,      -- bodies are wiped after the final state
    default_channels text not null,     -- channel words, space-separated
    expiry_secs integer not null,
    created_at integer not null,
    updated_at integer not null
) strict;

-- Placeholder words that a type has of its own.
create table message_type_word (
    type_id integer not null references message_type (id) on delete cascade,
    position integer not null,
    name text not null,
    meaning text not null,
    is_required integer not null,
    sample text not null,
    primary key (type_id, position)
) strict, without rowid;

-- Message templates. Deleting marks: the log keeps pointing to the row.
create table template (
    id integer primary key autoincrement,
    guid blob not null unique,
    type_id integer not null references message_type (id),
    format integer not null,
    lcid integer not null,
    language text not null,
    sender text,                        -- null: the default sender of the settings
    subject text,
    body text,                          -- null: the text part is made from the HTML
    html_body text,
    created_at integer not null,
    updated_at integer not null,
    updated_by text not null,
    deleted_at integer
) strict;
create unique index template_place on template (type_id, format, lcid) where deleted_at is null;

-- What each template was after each save, the present state included; the oldest go first.
create table template_version (
    template_id integer not null references template (id) on delete cascade,
    version integer not null,           -- from 1 within the template
    saved_at integer not null,
    saved_by text not null,
    type_id integer not null,
    format integer not null,
    lcid integer not null,
    language text not null,
    sender text,
    subject text,
    body text,
    html_body text,
    primary key (template_id, version)
) strict;
create trigger template_kept after insert on template begin
    insert into template_version values (new.id, 1, new.updated_at, new.updated_by, new.type_id, new.format, new.lcid,
        new.language, new.sender, new.subject, new.body, new.html_body);
end;
create trigger template_kept_again after update on template
    when (new.type_id, new.format, new.lcid) <> (old.type_id, old.format, old.lcid) or new.sender is not old.sender
        or new.subject is not old.subject or new.body is not old.body or new.html_body is not old.html_body
begin
    insert into template_version
        select new.id, max(version) + 1, new.updated_at, new.updated_by, new.type_id, new.format, new.lcid,
            new.language, new.sender, new.subject, new.body, new.html_body
        from template_version where template_id = new.id;
    delete from template_version where template_id = new.id
        and version <= (select max(version) from template_version where template_id = new.id) - 50;
end;

-- Recipients.
create table recipient (
    id integer primary key autoincrement,
    guid blob not null unique,
    user_name text not null collate nocase unique,
    name text not null,
    email text,
    mobile text,
    language text not null,
    lcid integer not null,
    is_disabled integer not null,
    attributes text not null,           -- a JSON object, opaque here
    created_at integer not null,
    updated_at integer not null
) strict;
-- How many who are not disabled speak which language and can be reached how: counted as they come, change and go, so that
-- nobody has to count them in the list.
create table speaker (
    language text not null,
    has_email integer not null,
    has_mobile integer not null,
    count integer not null,
    primary key (language, has_email, has_mobile)
) strict, without rowid;
create trigger speaker_came after insert on recipient when not new.is_disabled begin
    insert into speaker values (new.language, new.email is not null, new.mobile is not null, 1)
    on conflict do update set count = count + 1;
end;
create trigger speaker_went after delete on recipient when not old.is_disabled begin
    update speaker set count = count - 1 where language = old.language
        and has_email = (old.email is not null) and has_mobile = (old.mobile is not null);
end;
create trigger speaker_changed after update of language, email, mobile, is_disabled on recipient begin
    update speaker set count = count - 1 where not old.is_disabled and language = old.language
        and has_email = (old.email is not null) and has_mobile = (old.mobile is not null);
    insert into speaker select new.language, new.email is not null, new.mobile is not null, 1 where not new.is_disabled
    on conflict do update set count = count + 1;
end;

-- API clients. Only hashes of their secrets are kept.
create table client (
    id integer primary key autoincrement,
    guid blob not null unique,
    label text not null,
    secret_hash blob not null,
    key_hash blob not null unique,
    scopes text not null,               -- space-separated
    created_at integer not null,
    created_by text not null,
    expires_at integer,
    last_used_at integer
) strict;

-- Bearer tokens of the send API, by hash; gone with their client.
create table access_token (
    hash blob primary key,
    client_id integer not null references client (id) on delete cascade,
    scopes text not null,
    expires_at integer not null
) strict, without rowid;
create index access_token_expiry on access_token (expires_at);

-- People who run the appliance.
create table operator (
    id integer primary key autoincrement,
    guid blob not null unique,
    user_name text not null collate nocase unique,
    password_hash text not null,
    created_at integer not null,
    updated_at integer not null,
    must_change integer not null default 0 -- somebody else knows the password
) strict;

-- The outbox and the log in one: a row is never deleted because it was sent.
create table message (
    id integer primary key autoincrement,
    guid blob not null unique,
    user_id integer,
    type_id integer not null,
    template_id integer,
    format integer not null,
    channel text not null,
    status text not null,
    lane integer not null,              -- 0 before 1: system messages do not wait behind a bulk
    recipient text not null,            -- empty where none was known
    recipient_name text,
    sender text,
    has_content integer not null,       -- set to 0, it wipes the content
    is_sensitive integer not null,
    created_at integer not null,
    created_by text not null,
    due_at integer not null,
    expires_at integer not null,
    by_the_minute integer not null default 0, -- a notification that a later one may replace until it is due
    claims integer not null default 0,  -- claims since the last result; the third without one is poison
    attempts integer not null default 0,-- rows in `attempt`
    tries integer not null default 0,   -- attempts that count for the backoff
    last_attempt_at integer,
    last_result integer,                -- null before a first result, 1 accepted by the provider, 0 not
    error text,
    cause text                          -- why it failed or expired, as domain::cause writes it; null otherwise
) strict;
create index message_due on message (channel, lane, due_at, expires_at) where status = 'queued';
create index message_open on message (status) where status in ('sending', 'scheduled');
create index message_scheduled on message (channel, due_at) where status = 'scheduled';
-- Whose a message is, by parts of 1024: those of the last part are on a few pages, which many new messages change together,
-- however many users there are. A user's messages are found by asking each part. (store::of_user)
create index message_user on message (id >> 10, user_id);
-- What a later notification within the minute takes the place of.
create index message_minute on message (user_id, due_at) where status = 'scheduled' and by_the_minute;
-- What ended without being sent: a list of one cause, and all causes counted without a look at the rows. Not `in`, for
-- which SQLite would make a table of its own with every row that is written.
create index message_cause on message (cause) where cause is not null;
create index message_unsent on message (status, format, cause, created_at, (has_content and recipient <> ''))
    where status = 'failed' or status = 'expired' or status = 'cancelled';
-- What few messages come to.
create index message_rare on message (status) where status = 'undelivered' or status = 'suppressed';
-- A type, a format or both, counted and found where few messages have them. A type in use is not deleted.
create index message_kind on message (type_id, format);

-- What a message says, and why: apart from its row, which changes several times in its life and is written anew as a whole
-- each time.
create table content (
    message_id integer primary key references message (id) on delete cascade,
    subject text,
    body text,                          -- null where has_content is 0
    html_body text,
    trace text not null                 -- the decisions, as store::messages encodes them
) strict;
create trigger content_wiped after update of has_content on message when not new.has_content begin
    update content set subject = null, body = null, html_body = null where message_id = new.id;
end;

-- How many messages ended how in each hour: counted as they end, so that nobody has to count them in the log.
create table tally (
    hour integer not null,              -- hours since 1970
    channel text not null,
    outcome text not null,              -- sent, failed or expired
    count integer not null,
    primary key (hour, channel, outcome)
) strict, without rowid;

-- One row per try. It is committed before connecting; a null result beside a final message is a crash in between.
create table attempt (
    message_id integer not null references message (id) on delete cascade,
    number integer not null,
    provider text not null,
    started_at integer not null,
    duration_ms integer,
    result integer,
    class text,
    code integer,
    answer text,
    provider_id text,
    primary key (message_id, number)
) strict, without rowid;

-- What a provider reported later of an attempt it took.
create table report (
    message_id integer not null,
    number integer not null,
    at integer not null,
    words text not null,                -- the provider's word, with its error code
    is_delivered integer,               -- null while it is on its way
    primary key (message_id, number),
    foreign key (message_id, number) references attempt (message_id, number) on delete cascade
) strict, without rowid;

-- Answers to requests that carried an Idempotency-Key.
create table idempotency (
    owner integer not null,             -- a client's id, or an operator's below zero
    key text not null,
    request_hash blob not null,
    guids text not null,                -- of the queued messages, space-separated
    location text not null,
    created_at integer not null,
    primary key (owner, key)
) strict, without rowid;
create index idempotency_age on idempotency (created_at);

-- What the capture channel caught.
create table captured (
    id integer primary key autoincrement,
    guid blob not null,                 -- the message's
    format integer not null,
    recipient text not null,
    sender text,
    subject text,
    body text not null,
    html_body text,
    source blob,                        -- the raw mail
    created_at integer not null,
    is_sensitive integer not null default 0 -- its content is sealed, see store::seals
) strict;
create index captured_recipient on captured (recipient, id);

-- Providers of the channels, in failover order. Those given by flag or environment are written anew at each start, with
-- ids below zero, so that one list shows all; they are never read back.
create table provider (
    id integer primary key autoincrement,
    guid blob not null unique,
    channel text not null,
    position integer not null,          -- from 1 within the channel; the given ones come first
    masked text not null,               -- the URL without its secrets
    is_locked integer not null,         -- given by flag or environment
    sealed blob,                        -- the URL, readable with secret.key; null for the given ones
    fingerprint blob,                   -- of the URL, keyed; null for the given ones
    created_at integer not null,
    updated_at integer not null,
    unique (channel, fingerprint)
) strict;

-- Over which format each system message goes. (Core - Messages, "Get system message preferences")
create table system_preference (
    id integer primary key autoincrement,
    type_id integer not null unique references message_type (id) on delete cascade,
    format integer not null,
    created_at integer not null,
    created_by text not null,
    updated_at integer not null,
    updated_by text
) strict;

-- Over which channels a user wants a notification. (Core - Messages, "Get notification preferences")
create table notification_preference (
    id integer primary key autoincrement,
    user_id integer not null references recipient (id) on delete cascade,
    type_id integer not null references message_type (id) on delete cascade,
    is_email integer not null,
    is_sms integer not null,
    is_push integer not null,
    is_off integer not null,            -- the user wants none of it
    updated_at integer not null,
    updated_by text not null,
    unique (user_id, type_id)
) strict;

-- Push targets of a user.
create table device (
    id integer primary key autoincrement,
    guid blob not null unique,
    user_id integer not null references recipient (id) on delete cascade,
    label text not null,
    token text not null,                -- what the push provider calls the device
    created_at integer not null,
    unique (user_id, token)
) strict;

-- Signed-in operators, by hash of their token.
create table session (
    hash blob primary key,
    operator_id integer not null references operator (id) on delete cascade,
    expires_at integer not null
) strict, without rowid;

-- How often anything of the catalogue has changed: what store::memo keeps in memory is good for one count. The triggers
-- count, so that a command beside a running server is counted too. When a client was last used does not matter here.
create table catalogue (version integer not null) strict;
insert into catalogue (version) values (1);
create trigger setting_added after insert on setting begin update catalogue set version = version + 1; end;
create trigger setting_changed after update on setting begin update catalogue set version = version + 1; end;
create trigger setting_removed after delete on setting begin update catalogue set version = version + 1; end;
create trigger message_type_added after insert on message_type begin update catalogue set version = version + 1; end;
create trigger message_type_changed after update on message_type begin update catalogue set version = version + 1; end;
create trigger message_type_removed after delete on message_type begin update catalogue set version = version + 1; end;
create trigger message_type_word_added after insert on message_type_word begin update catalogue set version = version + 1; end;
create trigger message_type_word_changed after update on message_type_word begin update catalogue set version = version + 1; end;
create trigger message_type_word_removed after delete on message_type_word begin update catalogue set version = version + 1; end;
create trigger template_added after insert on template begin update catalogue set version = version + 1; end;
create trigger template_changed after update on template begin update catalogue set version = version + 1; end;
create trigger template_removed after delete on template begin update catalogue set version = version + 1; end;
create trigger client_added after insert on client begin update catalogue set version = version + 1; end;
create trigger client_changed after update of label, key_hash, scopes, expires_at on client begin update catalogue set version = version + 1; end;
create trigger client_removed after delete on client begin update catalogue set version = version + 1; end;
