-- Why a message ended without being sent, as domain::cause writes it, so that all that ended alike can be counted and sent
-- again together. What ended before is given its cause from what is known of it.
alter table message add column cause text;

update message set cause = case
    when status = 'expired' then 'expired'
    when error like 'crashed: %' then 'crashed'
    when error = 'The channel has no provider any more that sends.' then 'no_provider'
    when attempts = 0 and error like 'The user has no %' then 'no_address'
    when attempts = 0 and error like 'The message type has no %' then 'no_template'
    else coalesce(
        (
            select iif(class in ('permanent', 'unregistered', 'in_doubt'), class, 'gave_up ' || class)
                || iif(class = 'in_doubt', '', coalesce(' ' || code, ''))
            from attempt where message_id = message.id order by number desc limit 1
        ),
        'gave_up unknown'
    )
    end
where status in ('failed', 'expired');

create index message_cause on message (cause) where cause is not null;
create index message_unsent on message (status, format, cause, created_at, (body is not null and recipient <> ''))
    where status in ('failed', 'expired', 'cancelled');
