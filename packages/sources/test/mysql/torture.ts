import type { MariadbServer } from '@holdfast/testing/servers/mariadb-server';

/** Every type of MariaDB 10.11, every kind of object, and the values that go wrong first. */
export const TORTURE = `
set sql_mode = 'NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES';
set time_zone = '+00:00';
set foreign_key_checks = 0;

create table numbers (
  id bigint unsigned not null auto_increment primary key,
  a tinyint, b smallint unsigned, c mediumint, d int zerofill, e bigint, f decimal(65,30), g decimal(10,0),
  h float, i double, j float(7,4), k double(30,10), l bit(1), m bit(64), n boolean, o int(8) unsigned zerofill
) auto_increment = 1000;
insert into numbers values
  (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, b'0', b'0', 0, 0),
  (1, -128, 65535, -8388608, 4294967295, -9223372036854775808, -99999999999999999999999999999999999.999999999999999999999999999999, 9999999999, 3.4028234663852886e38, 1.7976931348623157e308, 999.9999, 12345678901234567890.0123456789, b'1', ~0, true, 42),
  (2, 127, 1, 8388607, 7, 9223372036854775807, 0.000000000000000000000000000001, -1, 1.17549435e-38, 4.9e-324, -0.0001, 1e-10, b'1', 1, false, 1),
  (3, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null),
  (18446744073709551614, 1, 1, 1, 1, 1, 1.5, 1, -0e0, -0e0, -0e0, -0e0, b'0', b'1010', 1, 1),
  (5, 1, 1, 1, 1, 1, 1.5, 1, 0.1, 0.1, 0.1, 0.1, b'0', 0x5c090a00, 1, 1),
  (6, 1, 1, 1, 1, 1, 1.5, 1, 16777217, 123456789.123456789, 1, 1, b'0', 0x5c270d1a, 1, 1);

create table times (
  id int primary key, a date, b time(6), c datetime(6), d timestamp(6) null, e year, f datetime, g time,
  h timestamp not null default current_timestamp on update current_timestamp
);
insert into times values
  (1, '0000-00-00', '-838:59:59.999999', '0000-00-00 00:00:00', '0000-00-00 00:00:00', 0, '2020-02-31 10:00:00', '838:59:59', '2020-01-01 00:00:01'),
  (2, '9999-12-31', '838:59:59.999999', '9999-12-31 23:59:59.999999', '2038-01-19 03:14:07.999999', 2155, '2020-00-00 00:00:00', '-00:00:01', '1970-01-01 00:00:01'),
  (3, '2020-00-01', '00:00:00.000001', '1000-01-01 00:00:00.000001', '1970-01-01 00:00:01.000000', 1901, null, null, '2026-03-29 01:30:00'),
  (4, null, null, null, null, null, null, null, '2026-10-25 00:30:00');

create table texts (
  id varchar(40) character set utf8mb4 collate utf8mb4_unicode_ci not null, a char(10), b varchar(200), c tinytext, d text, e mediumtext, f longtext,
  l1 varchar(50) character set latin1, sj varchar(50) character set sjis, gb text character set gbk, u2 varchar(50) character set ucs2,
  u16 varchar(50) character set utf16, u32 char(5) character set utf32, c12 varchar(20) character set cp1251, bn varchar(20) character set utf8mb4 collate utf8mb4_bin,
  en enum('a','B','ö''x') character set latin1, st set('x','y','z'), st2 set('ä','ö') character set latin1,
  primary key (id)
) default charset utf8mb4;
insert into texts (id, a, b, d, l1, sj, gb, u2, u16, u32, c12, bn, en, st, st2) values
  ('zebra', 'pad  ', 'tab\\tnewline\\nback\\\\slash\\0nul\\Zsub''quote"', repeat('é\\n', 1000), 'äöü€', _utf8mb4'表ソ', _utf8mb4'中文', _utf8mb4'ab', _utf8mb4'😀x', _utf8mb4'😀', _utf8mb4'Привет', 'AbC', 'ö''x', 'x,y', 'ä,ö'),
  ('Äpfel', '', '', '', '', '', '', '', '', '', '', '', '', '', ''),
  ('apple', 'a', '\\\\N', 'NULL', x'80', x'815f', null, null, null, null, null, null, 'B', 'y', null),
  ('😀', null, '\\r\\n', '\\f\\v\\b', null, null, null, null, null, null, null, null, null, null, null);
set sql_mode = '';
insert ignore into texts (id, en) values ('wrong', 'nonsense');
set sql_mode = 'NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES';

create table bytes (
  a binary(8) not null, b varbinary(300) not null, c tinyblob, d blob, e mediumblob, f longblob, primary key (b, a)
);
insert into bytes values
  (x'00', x'', '', x'', x'00', x'09'), (x'5c4e', x'5c4e', x'0a5c0a', x'5c', x'0d0a', x'1a'),
  (x'ffffffffffffffff', x'ff', x'fe', x'c328', x'f0288cbc', null);

create table json_and_more (
  id int primary key, j json, u uuid, i4 inet4, i6 inet6,
  check (json_valid(j))
);
insert into json_and_more values (1, '{"a": [1, 2.50, "\\\\u00e4\\\\n"], "b": null}', '123e4567-e89b-12d3-a456-426655440000', '192.0.2.1', '2001:db8::1'),
  (2, '[]', null, null, null);

create table shapes (
  id int primary key, g geometry, p point ref_system_id=4326 not null, l linestring, po polygon, mp multipoint, ml multilinestring, mpo multipolygon, gc geometrycollection,
  spatial index (p)
);
insert into shapes values (1, st_geomfromtext('POINT(1 2)', 4326), st_geomfromtext('POINT(10.5 -20.25)', 4326), st_geomfromtext('LINESTRING(0 0,1 1)'),
  st_geomfromtext('POLYGON((0 0,1 0,1 1,0 0))'), st_geomfromtext('MULTIPOINT(0 0,1 1)'), st_geomfromtext('MULTILINESTRING((0 0,1 1))'),
  st_geomfromtext('MULTIPOLYGON(((0 0,1 0,1 1,0 0)))'), st_geomfromtext('GEOMETRYCOLLECTION(POINT(1 1),LINESTRING(0 0,1 1))')),
  (2, null, point(0, 0), null, null, null, null, null, null);

create table parents (id int primary key, name varchar(20) unique);
create table children (
  id int auto_increment primary key, parent int, other int,
  constraint parent foreign key (parent) references parents (id) on delete cascade on update set null,
  constraint ring foreign key (other) references children (id)
);
insert into parents values (1, 'one'), (2, 'two');
insert into children values (1, 1, 3), (2, 2, 1), (3, null, 2);

create table computed (
  a int not null, b int generated always as (a * 2) virtual, c int generated always as (a + 1) stored, d varchar(20) invisible default 'unseen',
  e int default (a + 5), f varchar(10) as (concat('x', a)) persistent, g timestamp default current_timestamp(), key (b), unique (c), primary key (a)
);
insert into computed (a, g) values (1, '2020-01-01'), (-5, '2021-01-01');
insert into computed (a, d, e, g) values (7, 'seen', 7, '2022-01-01');

create table versioned (id int primary key, x varchar(10)) with system versioning;
insert into versioned values (1, 'a'), (2, 'b');
create table versioned2 (id int primary key, x int, s timestamp(6) generated always as row start, e timestamp(6) generated always as row end, period for system_time (s, e)) with system versioning;
insert into versioned2 (id, x) values (1, 1);
update versioned set x = 'c' where id = 1;
create table periods (id int, f date, t date, period for app (f, t), unique (id, app without overlaps));
insert into periods values (1, '2020-01-01', '2020-02-01'), (1, '2020-02-01', '2020-03-01');

create table no_key (x int, y varchar(10));
insert into no_key values (3, 'c'), (1, 'a'), (3, 'c'), (null, null);
create table unique_key (x int not null, y varchar(10), unique (y), unique wide (x));
insert into unique_key values (9, null), (-1, 'a');
create table prefix_key (x text not null, primary key (x(10)));
insert into prefix_key values ('b'), ('a');
create table empty_table (id int primary key);
create table gap (id int auto_increment primary key) auto_increment = 500;
insert into gap values (3);
create table gap_empty (id bigint auto_increment, x int, key (id)) auto_increment = 77;
create table parted (id int not null, day date not null, primary key (id, day)) partition by range (year(day)) (partition old values less than (2020), partition new values less than maxvalue);
insert into parted values (1, '2019-01-01'), (2, '2025-01-01');
create table \`odd \`\`name. /%ü?\` (\`a \`\`b'?\` int primary key, \`select\` int comment 'it''s; a \\'comment\\'\\nover lines');
insert into \`odd \`\`name. /%ü?\` values (1, 2);
create table full_text (id int primary key, t text, fulltext (t)) row_format=compressed comment='with ; AUTO_INCREMENT=5';
insert into full_text values (1, 'quick brown fox');

create sequence plain_sequence;
create sequence odd_sequence start with 5 increment by -3 minvalue -100 maxvalue 50 cycle nocache;
create table sequenced (id int not null default nextval(plain_sequence) comment 'nextval(\`torture\`.\`x\`)', t varchar(30) default concat('no ', nextval(plain_sequence)), primary key (id));
insert into sequenced () values ();
do nextval(odd_sequence), nextval(odd_sequence), nextval(plain_sequence);

create function twice(x int) returns int deterministic comment 'doubles' return x * 2;
create user if not exists 'someone'@'elsewhere';
grant all on *.* to 'someone'@'elsewhere';
create definer = 'someone'@'elsewhere' view zz_base as select id, twice(id) as double_id from parents;
create view aa_top as select id from zz_base where id > 0;
create algorithm = merge sql security invoker view checked as select id, name from parents where id < 100 with cascaded check option;
create view with_text as select 'a\`b.\\'c' as \`co\`\`l\`, t.id from children t;
`;

/** Statements that hold semicolons, for the client that knows DELIMITER. */
export const TORTURE_PROGRAMS = `
delimiter //
set sql_mode = 'ANSI_QUOTES,STRICT_ALL_TABLES'//
create procedure "greet"(in who varchar(20), out said text)
  modifies sql data
begin
  set said = concat("who", 'ö; ', who);
end//
set sql_mode = 'STRICT_TRANS_TABLES'//
create trigger children_first before insert on children for each row begin set new.other = coalesce(new.other, null); end//
create trigger children_second before insert on children for each row follows children_first set new.parent = new.parent//
create trigger parents_gone after delete on parents for each row delete from children where parent = old.id//
create trigger texts_never before insert on texts for each row signal sqlstate '45000' set message_text = 'must not run'//
set time_zone = 'SYSTEM'//
create event tidy on schedule every 1 day starts '2030-01-01 00:00:00' on completion preserve disable comment 'nightly' do begin delete from no_key; end//
set sql_mode = 'ORACLE'//
create package accounts as
  function total(x int) return int;
end//
create package body accounts as
  function total(x int) return int as begin return x + 1; end;
end//
delimiter ;
`;

export async function createTorture(server: MariadbServer, name: string): Promise<void> {
  await server.query(`create database \`${name}\` character set latin1 collate latin1_german1_ci`);
  await server.script(TORTURE, name);
  await server.script(TORTURE_PROGRAMS, name);
}

/**
 * Without what a dump does not keep stable: its date, the database's name. And without the start of rows' times in
 * system-versioned tables, which a restore begins anew (docs/specs/sources.md).
 */
export const normalised = (dump: string): string =>
  dump
    .replace(/^-- (Dump completed|Host:).*$/gm, '')
    .replace(/^-- Dumping (events|routines) for database .*$/gm, '')
    .replace(/nextval\(`\w+`\.`plain/g, 'nextval(`plain')
    .replace(/(INSERT INTO `versioned2` VALUES\n\(1,1,)'[^']*'/, '$1');
