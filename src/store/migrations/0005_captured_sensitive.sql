-- Whether what was captured is of a sensitive type: its content is sealed then. Of what was captured before nobody knows
-- unless the log still has the message.
alter table captured add column is_sensitive integer not null default 0;
update captured set is_sensitive = 1
where exists (select 1 from message where message.guid = captured.guid and message.is_sensitive);
