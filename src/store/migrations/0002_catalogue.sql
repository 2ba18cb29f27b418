-- How often anything of the catalogue has changed: what store::memo keeps in memory is good for one count. The triggers
-- count, so that a command beside a running server is counted too. When a client was last used does not matter here.
create table catalogue (version integer not null) strict;
insert into catalogue (version) values (1);
create trigger setting_added after insert on setting begin update catalogue set version = version + 1; end;
create trigger setting_changed after update on setting begin update catalogue set version = version + 1; end;
create trigger setting_removed after delete on setting begin update catalogue set version = version + 1; end;
create trigger message_type_added after insert on message_type begin update catalogue set version = version + 1; end;
create trigger message_type_changed after update on message_type begin update catalogue set version = version + 1; end;
create trigger message_type_removed after delete on message_type begin update catalogue set version = version + 1; end;
create trigger message_type_word_added after insert on message_type_word begin update catalogue set version = version + 1; end;
create trigger message_type_word_changed after update on message_type_word begin update catalogue set version = version + 1; end;
create trigger message_type_word_removed after delete on message_type_word begin update catalogue set version = version + 1; end;
create trigger template_added after insert on template begin update catalogue set version = version + 1; end;
create trigger template_changed after update on template begin update catalogue set version = version + 1; end;
create trigger template_removed after delete on template begin update catalogue set version = version + 1; end;
create trigger client_added after insert on client begin update catalogue set version = version + 1; end;
create trigger client_changed after update of label, key_hash, scopes, expires_at on client begin update catalogue set version = version + 1; end;
create trigger client_removed after delete on client begin update catalogue set version = version + 1; end;
