-- The log is filtered without a look at all of it.
drop index message_open;
create index message_status on message (status) where id > 0;
create index message_type_id on message (type_id) where id > 0;
create index message_format on message (format) where id > 0;
