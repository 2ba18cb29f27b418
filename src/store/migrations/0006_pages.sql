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
create index recipient_language on recipient (is_disabled, language, lcid, (email is not null), (mobile is not null));
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
