-- Columns of every kind of type, with the values at which representations break.
CREATE SCHEMA kinds;
CREATE TYPE kinds.mood AS ENUM ('sad', 'it''s "ok"', 'with space', 'überglücklich', '');
CREATE TYPE kinds.pair AS (left_part int, "right part" text, inner_mood kinds.mood);
CREATE TYPE kinds.nest AS (one kinds.pair, many kinds.pair[], at timestamptz);
CREATE TYPE kinds.floats AS RANGE (subtype = float8, subtype_diff = float8mi);
CREATE DOMAIN kinds.positive AS int CHECK (VALUE > 0);
CREATE DOMAIN kinds.required AS text NOT NULL DEFAULT 'there';
CREATE DOMAIN kinds.pairs AS kinds.pair[] CONSTRAINT few CHECK (cardinality(VALUE) < 9);

CREATE TABLE kinds.numbers (
  id int PRIMARY KEY, i2 smallint, i8 bigint, n numeric, np numeric(20, 5), nn numeric(3, 0), f4 real, f8 double precision,
  m money, b boolean, oid_value oid, bits bit(5), varbits bit varying(70));
INSERT INTO kinds.numbers VALUES
  (1, -32768, -9223372036854775808, 'NaN', -99999.99999, 999, 'NaN', '-Infinity', '-92233720368547758.08', true, 4294967295, '10101', ''),
  (2, 32767, 9223372036854775807, 1e-1000, 0.00001, -999, 'Infinity', 'NaN', '0.01', false, 0, '00000', repeat('1', 70)::bit varying),
  (3, 0, 0, 12345678901234567890123456789.000000, 0, 0, 1.17549435e-38, 5e-324, 0, null, 1, null, '1'),
  (4, null, null, 0.1000, null, null, 3.4028235e38, 1.7976931348623157e308, null, null, null, null, null),
  (5, 1, 1, -0.0, 1, 1, '-0', '-0', 1, true, 5, '11111', '01'),
  (6, 1, 1, 10::numeric ^ 300, 1, 1, 0.1, 0.1, 1, true, 6, '11111', '01');

CREATE TABLE kinds.texts (
  id int PRIMARY KEY, t text, v varchar(10), c char(6), n name, ch "char", raw bytea, js json, jb jsonb, x xml, ts tsvector, q tsquery, u uuid,
  path jsonpath);
INSERT INTO kinds.texts VALUES
  (1, E'a\tb\nc\rd\\e\u0001\u00e9\U0001F600', E'\\N', 'ab', 'a name', 'x', '\x00ff5c0a0d09', '{"a" : 1,  "a": [null, "\u00e9\\"]}', '{"b": 1e400, "a": null}',
   '<a b="c">d&amp;<!-- e --></a>', 'a:1A fat:2B,4C cat:5D ''it''''s'':9', 'fat & (rat | !cat:ab)', '00000000-0000-0000-0000-000000000000', '$.a[*] ? (@.b > 3)'),
  (2, '', '', '', '', '', '', '""', '""', '', '', '', 'ffffffff-ffff-ffff-ffff-ffffffffffff', '$'),
  (3, '\.', 'NULL', 'null', null, null, '\x5c4e', 'null', 'null', null, null, null, null, null),
  (4, null, null, null, null, null, null, null, null, '<?xml version="1.0"?><root/>', null, null, null, null),
  (5, E'\\N', E'\\.', E'a\\', E'b''"', E'\\', 'line\012break', '[1, 2.0,  3e0]', '[1, 2.0, 3e0]', 'two <b/> roots <c/>', null, null, null, null);

CREATE TABLE kinds.times (
  id int PRIMARY KEY, d date, t time, tz timetz, ts timestamp, tstz timestamptz, iv interval, ts3 timestamp(3));
INSERT INTO kinds.times VALUES
  (1, 'infinity', '00:00', '00:00+15:59', 'infinity', 'infinity', '-178000000 years', '2026-03-29 01:59:59.999'),
  (2, '-infinity', '24:00', '24:00-15:59', '-infinity', '-infinity', '178000000 years', '1999-12-31 23:59:59.9999'),
  (3, '4713-01-01 BC', '12:34:56.789012', '12:34:56.789012+05:30', '4713-01-01 00:00:00 BC', '4713-01-02 00:00:00+00 BC', '1 mon -1 day +00:00:01.5', null),
  (4, '5874897-12-31', null, null, '294276-12-31 23:59:59.999999', '294276-12-31 23:59:59.999999+00', '-00:00:00.000001', null),
  (5, '0044-03-15 BC', null, null, '0001-12-31 BC', '2026-10-25 02:30:00+01', 'P1Y2M3DT4H5M6S', null);

CREATE TABLE kinds.ranges (
  id int PRIMARY KEY, r4 int4range, r8 int8range, rn numrange, rd daterange, rts tsrange, rtz tstzrange, rf kinds.floats);
INSERT INTO kinds.ranges VALUES
  (1, 'empty', '(,)', '[1.0,2.00)', '[2026-01-01,infinity]', '(,2026-01-01 BC]', '[2026-01-01 00:00+02,)', '(1.5,NaN]'),
  (2, '[1,5)', '[1,1]', '(,0]', 'empty', '["2026-01-01 00:00:00","2026-01-02 00:00:00")', 'empty', 'empty'),
  (3, null, null, null, null, null, null, null);

CREATE TABLE kinds.composed (
  id bigint PRIMARY KEY, m kinds.mood, ms kinds.mood[], p kinds.pair, n kinds.nest, pos kinds.positive, req kinds.required, prs kinds.pairs,
  a1 int[], a2 text[][], offset_array int[], jsons jsonb[], byteas bytea[], ranges int4range[]);
INSERT INTO kinds.composed VALUES
  (1, 'it''s "ok"', '{"it''s \"ok\"",sad,NULL,""}', '(1,"a ""quoted"", (text)\\",sad)', ROW(ROW(1, null, 'sad'), ARRAY[ROW(2, '', null)::kinds.pair, null], 'infinity'),
   7, 'x', ARRAY[ROW(1, 'a,b', 'sad')::kinds.pair], '{1,NULL,3}', '{{a,"b c"},{NULL,"NULL"}}', '[-2:0]={7,8,9}', ARRAY['{"a":1}', 'null']::jsonb[], ARRAY['\x00', '\x']::bytea[],
   ARRAY['[1,2)', 'empty']::int4range[]),
  (2, '', '{}', '(,,)', null, null, 'y', '{}', '{}', '{}', '{}', '{}', '{}', '{}'),
  (3, null, null, null, ROW(null, null, null), 2147483647, '', null, null, null, null, null, null, null);

CREATE TABLE kinds.places (
  id int PRIMARY KEY, pt point, ln line, sg lseg, bx box, pa path, po polygon, ci circle, ip inet, net cidr, mac macaddr, mac8 macaddr8, lsn pg_lsn, snap txid_snapshot);
INSERT INTO kinds.places VALUES
  (1, '(1e-300,-1e300)', '{1,-1,0}', '[(0,0),(1,1)]', '(1,1),(0,0)', '[(0,0),(1,1)]', '((0,0),(1,1),(2,0))', '<(0,0),5>', '::ffff:1.2.3.4/120', '10.0.0.0/8',
   '08:00:2b:01:02:03', '08:00:2b:01:02:03:04:05', '16/B374D848', '10:20:10,14,15'),
  (2, '(NaN,Infinity)', null, null, null, '((0,0))', null, null, '192.168.0.1', '2001:db8::/32', null, null, 'FFFFFFFF/FFFFFFFF', null);

CREATE TABLE kinds.names_of_things (id int PRIMARY KEY, class regclass, procedure regprocedure, type regtype, role regrole, space regnamespace);
INSERT INTO kinds.names_of_things VALUES
  (1, 'kinds.numbers', 'lower(text)', 'kinds.mood[]', 'pg_monitor', 'kinds'), (2, 'pg_class', 'pg_catalog.now()', 'int4', null, 'pg_catalog');

-- Rows that are wide, or longer than any buffer.
CREATE TABLE kinds.long_rows (id int PRIMARY KEY, body text, raw bytea);
INSERT INTO kinds.long_rows SELECT i, repeat(md5(i::text), 50000), decode(repeat(md5((-i)::text), 50000), 'hex') FROM generate_series(1, 3) i;
DO $$ BEGIN
  EXECUTE 'CREATE TABLE kinds.wide_rows (' || (SELECT string_agg(format('c%s int', i), ', ') FROM generate_series(1, 1500) i) || ')';
  EXECUTE 'INSERT INTO kinds.wide_rows SELECT ' || (SELECT string_agg(CASE i % 3 WHEN 0 THEN 'NULL' ELSE 'i' END, ', ') FROM generate_series(1, 1500) i) || ' FROM generate_series(1, 20) i';
END $$;
