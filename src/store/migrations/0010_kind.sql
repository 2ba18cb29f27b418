-- So that a type or a format that few messages have is found without a look at all of the log.
create index message_kind on message (type_id, format);
