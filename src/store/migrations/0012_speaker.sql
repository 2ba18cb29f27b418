-- The coverage of templates counted all users whenever somebody looked at it.
drop index recipient_language;
create table speaker (
    language text not null,
    has_email integer not null,
    has_mobile integer not null,
    count integer not null,
    primary key (language, has_email, has_mobile)
) strict, without rowid;
insert into speaker
    select language, email is not null, mobile is not null, count(*) from recipient where not is_disabled group by 1, 2, 3;
create trigger speaker_came after insert on recipient when not new.is_disabled begin
    insert into speaker values (new.language, new.email is not null, new.mobile is not null, 1)
    on conflict do update set count = count + 1;
end;
create trigger speaker_went after delete on recipient when not old.is_disabled begin
    update speaker set count = count - 1 where language = old.language
        and has_email = (old.email is not null) and has_mobile = (old.mobile is not null);
end;
create trigger speaker_changed after update of language, email, mobile, is_disabled on recipient begin
    update speaker set count = count - 1 where not old.is_disabled and language = old.language
        and has_email = (old.email is not null) and has_mobile = (old.mobile is not null);
    insert into speaker select new.language, new.email is not null, new.mobile is not null, 1 where not new.is_disabled
    on conflict do update set count = count + 1;
end;
