-- By user alone, each new message changed a page of the index by itself, and each of them was written to the disk.
drop index message_user;
create index message_user on message (id >> 10, user_id);
create index message_minute on message (user_id, due_at) where status = 'scheduled' and by_the_minute;
