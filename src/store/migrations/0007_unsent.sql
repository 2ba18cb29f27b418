-- The same index without `in`, for which SQLite makes a table of its own with every row that is written.
drop index message_unsent;
create index message_unsent on message (status, format, cause, created_at, (body is not null and recipient <> ''))
    where status = 'failed' or status = 'expired' or status = 'cancelled';
