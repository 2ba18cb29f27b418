-- What a provider reported later of an attempt it took.
create table report (
    message_id integer not null,
    number integer not null,
    at integer not null,
    words text not null,                -- the provider's word, with its error code
    is_delivered integer,               -- null while it is on its way
    primary key (message_id, number),
    foreign key (message_id, number) references attempt (message_id, number) on delete cascade
) strict, without rowid;
