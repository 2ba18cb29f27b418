-- For the pages: what happened by the hour, what templates were before, how many users speak which language.
create table template_version (
    template_id integer not null references template (id) on delete cascade,
    version integer not null,
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
insert into template_version
    select id, 1, updated_at, updated_by, type_id, format, lcid, language, sender, subject, body, html_body from template;
create index recipient_language on recipient (language, lcid, (email is not null), (mobile is not null))
    where is_disabled = 0;
create table tally (
    hour integer not null,
    channel text not null,
    outcome text not null,
    count integer not null,
    primary key (hour, channel, outcome)
) strict, without rowid;
-- As far as it can be told without reading a long log through.
insert into tally
    select coalesce(last_attempt_at, created_at) / 3600000, channel,
        iif(status in ('failed', 'expired'), status, 'sent') as outcome, count(*)
    from message
    where id > (select coalesce(max(id), 0) - 100000 from message)
        and status in ('sent', 'delivered', 'undelivered', 'failed', 'expired')
    group by 1, 2, 3;
alter table operator add column must_change integer not null default 0;
