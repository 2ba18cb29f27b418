-- What a message says, and why, in a table of its own: its row changes several times in its life, and each time SQLite writes
-- a row anew as a whole. The table is made anew, because taking columns out of it would write it once for each.
create table content (
    message_id integer primary key references message (id) on delete cascade,
    subject text,
    body text,
    html_body text,
    trace text not null
) strict;
insert into content select id, subject, body, html_body, trace from message;

create table message_anew (
    id integer primary key autoincrement,
    guid blob not null unique,
    user_id integer,
    type_id integer not null,
    template_id integer,
    format integer not null,
    channel text not null,
    status text not null,
    lane integer not null,
    recipient text not null,
    recipient_name text,
    sender text,
    has_content integer not null,
    is_sensitive integer not null,
    created_at integer not null,
    created_by text not null,
    due_at integer not null,
    expires_at integer not null,
    by_the_minute integer not null default 0,
    claims integer not null default 0,
    attempts integer not null default 0,
    tries integer not null default 0,
    last_attempt_at integer,
    last_result integer,
    error text,
    cause text
) strict;
insert into message_anew
    select id, guid, user_id, type_id, template_id, format, channel, status, lane, recipient, recipient_name, sender,
        body is not null, is_sensitive, created_at, created_by, due_at, expires_at, by_the_minute, claims, attempts, tries,
        last_attempt_at, last_result, error, cause
    from message;
-- Ids are never used again, those of rows that are gone neither.
delete from sqlite_sequence where name = 'message_anew';
insert into sqlite_sequence select 'message_anew', seq from sqlite_sequence where name = 'message';
drop table message;
alter table message_anew rename to message;

create index message_due on message (channel, lane, due_at, expires_at) where status = 'queued';
create index message_open on message (status) where status in ('sending', 'scheduled');
create index message_scheduled on message (channel, due_at) where status = 'scheduled';
create index message_user on message (user_id, id);
create index message_cause on message (cause) where cause is not null;
create index message_unsent on message (status, format, cause, created_at, (has_content and recipient <> ''))
    where status = 'failed' or status = 'expired' or status = 'cancelled';
create trigger content_wiped after update of has_content on message when not new.has_content begin
    update content set subject = null, body = null, html_body = null where message_id = new.id;
end;
