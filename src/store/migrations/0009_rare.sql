-- What few messages come to, so that they are found without a look at all of the log.
create index message_rare on message (status) where status = 'undelivered' or status = 'suppressed';
