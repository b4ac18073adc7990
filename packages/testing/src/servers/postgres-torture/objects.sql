-- What is neither a table nor a type.
CREATE SCHEMA code;
CREATE FUNCTION code.add_all(VARIADIC numbers int[] DEFAULT '{1}', OUT total bigint, OUT text) LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 7
  AS $f$ SELECT sum(n), 'it''s $$ "quoted" \ ' FROM unnest(numbers) n $f$;
CREATE FUNCTION code.stamp() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = code, "$user" AS $f$
BEGIN NEW.body := coalesce(NEW.body, '') || ' stamped'; RETURN NEW; END $f$;
CREATE FUNCTION code.forbid() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN RAISE EXCEPTION 'triggers must not fire on restore'; END $f$;
CREATE PROCEDURE code.tidy(INOUT n int DEFAULT 3) LANGUAGE plpgsql AS $f$ BEGIN n := n + 1; COMMIT; END $f$;
CREATE FUNCTION code.rows_of(n int) RETURNS TABLE (id int, label text) LANGUAGE sql ROWS 5 AS $f$ SELECT i, 'n' || i FROM generate_series(1, n) i $f$;
CREATE FUNCTION code.later() RETURNS bigint LANGUAGE sql STABLE AS $f$ SELECT count(*) FROM shapes.city $f$;
CREATE AGGREGATE code.product (float8) (SFUNC = float8mul, STYPE = float8, INITCOND = 1);
CREATE FUNCTION code.distance(kinds.pair, kinds.pair) RETURNS int LANGUAGE sql IMMUTABLE AS $f$ SELECT abs($1.left_part - $2.left_part) $f$;
CREATE OPERATOR code.<~> (LEFTARG = kinds.pair, RIGHTARG = kinds.pair, FUNCTION = code.distance, COMMUTATOR = OPERATOR(code.<~>));
CREATE OPERATOR FAMILY code.backwards USING btree;
CREATE OPERATOR CLASS code.backwards_int FOR TYPE int4 USING btree FAMILY code.backwards AS
  OPERATOR 1 >, OPERATOR 2 >=, OPERATOR 3 =, OPERATOR 4 <=, OPERATOR 5 <, FUNCTION 1 btint4cmp(int4, int4);
CREATE FUNCTION code.to_mood(int) RETURNS kinds.mood LANGUAGE sql IMMUTABLE AS $f$ SELECT (enum_range(null::kinds.mood))[$1] $f$;
CREATE CAST (int AS kinds.mood) WITH FUNCTION code.to_mood(int) AS ASSIGNMENT;
CREATE COLLATION code.posix FROM "C";
CREATE TEXT SEARCH DICTIONARY code.plain (TEMPLATE = simple, stopwords = 'english');
CREATE TEXT SEARCH CONFIGURATION code.words (COPY = simple);
ALTER TEXT SEARCH CONFIGURATION code.words ALTER MAPPING FOR asciiword WITH code.plain, simple;
CREATE TEXT SEARCH TEMPLATE code.same (INIT = dsimple_init, LEXIZE = dsimple_lexize);
CREATE CONVERSION code.latin FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8;
CREATE FOREIGN DATA WRAPPER nowhere OPTIONS (debug 'true');
CREATE SERVER far_away TYPE 'none' VERSION '1' FOREIGN DATA WRAPPER nowhere OPTIONS (host 'example.org');
CREATE USER MAPPING FOR "torture owner" SERVER far_away OPTIONS (user 'remote', password 'of the remote server');
CREATE FOREIGN TABLE code.remote (id int OPTIONS (column_name 'ID') NOT NULL, t text) SERVER far_away OPTIONS (table_name 'x');

CREATE VIEW code.cities WITH (security_barrier) AS SELECT id, upper(name) AS loud FROM shapes.city WHERE id < 100 WITH LOCAL CHECK OPTION;
CREATE VIEW code.cities_again AS SELECT *, code.later() FROM code.cities;
CREATE RECURSIVE VIEW code.twins (id, depth) AS SELECT id, 0 FROM shapes.city WHERE twin IS NULL UNION ALL
  SELECT c.id, t.depth + 1 FROM shapes.city c JOIN twins t ON c.twin = t.id WHERE depth < 5;
-- Their names sort against the order in which they can be filled.
CREATE MATERIALIZED VIEW code.z_first AS SELECT country, count(*) AS n FROM shapes.city GROUP BY country;
CREATE UNIQUE INDEX ON code.z_first (country);
CREATE MATERIALIZED VIEW code.a_second AS SELECT sum(n) AS n FROM code.z_first;
CREATE MATERIALIZED VIEW code.never AS SELECT 1 AS one WITH NO DATA;

CREATE TABLE code.ruled (id int PRIMARY KEY, body text);
INSERT INTO code.ruled VALUES (1, 'a'), (2, null);
CREATE TABLE code.audit (id int, at timestamptz);
CREATE RULE watch AS ON UPDATE TO code.ruled WHERE OLD.id = 1 DO ALSO INSERT INTO code.audit VALUES (NEW.id, '2026-01-01Z');
CREATE RULE nothing AS ON DELETE TO code.ruled DO INSTEAD NOTHING;
CREATE TRIGGER stamping BEFORE UPDATE OF body ON code.ruled FOR EACH ROW WHEN (OLD.body IS DISTINCT FROM NEW.body) EXECUTE FUNCTION code.stamp();
CREATE TRIGGER forbidding BEFORE INSERT ON code.ruled FOR EACH ROW EXECUTE FUNCTION code.forbid();
CREATE TRIGGER forbidding AFTER INSERT ON shapes.city REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION code.forbid();
CREATE TRIGGER off BEFORE DELETE ON code.ruled FOR EACH ROW EXECUTE FUNCTION code.forbid();
ALTER TABLE code.ruled DISABLE TRIGGER off, ENABLE ALWAYS TRIGGER stamping;
CREATE CONSTRAINT TRIGGER deferred AFTER UPDATE ON code.ruled DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION code.forbid();
CREATE FUNCTION code.watch_ddl() RETURNS event_trigger LANGUAGE plpgsql AS $f$ BEGIN INSERT INTO code.audit VALUES (-1, null); END $f$;

CREATE TABLE code.secured (id int PRIMARY KEY, owner name, body text);
INSERT INTO code.secured SELECT i, 'torture owner', 'b' FROM generate_series(1, 10) i;
ALTER TABLE code.secured OWNER TO "torture owner";
CREATE POLICY own ON code.secured AS RESTRICTIVE FOR SELECT TO "torture owner", torture_reader USING (owner = current_user);
CREATE POLICY insert_any ON code.secured FOR INSERT WITH CHECK (true);
ALTER TABLE code.secured ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

GRANT SELECT, INSERT (id, body) ON code.secured TO torture_reader WITH GRANT OPTION;
GRANT USAGE ON SCHEMA code, kinds TO torture_reader;
REVOKE ALL ON FUNCTION code.later() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION code.later() TO torture_reader;
GRANT USAGE ON TYPE kinds.mood TO torture_reader;
GRANT SELECT ON SEQUENCE shapes.odd TO torture_reader;
GRANT USAGE ON FOREIGN SERVER far_away TO torture_reader;
ALTER DEFAULT PRIVILEGES FOR ROLE "torture owner" IN SCHEMA code GRANT SELECT ON TABLES TO torture_reader;
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
ALTER TABLE shapes.city OWNER TO "torture owner";
ALTER FUNCTION code.later() OWNER TO "torture owner";

COMMENT ON TABLE shapes.city IS 'with ''quotes'', "double" ones, \backslash
and a second line';
COMMENT ON COLUMN shapes.city.name IS 'a name';
COMMENT ON CONSTRAINT "named ""check""" ON shapes.city IS 'short';
COMMENT ON FUNCTION code.later() IS 'a function';
COMMENT ON TYPE kinds.mood IS 'an enum';
COMMENT ON SCHEMA code IS 'a schema';
COMMENT ON INDEX shapes.expression IS 'an index';
COMMENT ON TRIGGER stamping ON code.ruled IS 'a trigger';
COMMENT ON RULE watch ON code.ruled IS 'a rule';
COMMENT ON POLICY own ON code.secured IS 'a policy';

CREATE PUBLICATION a_few FOR TABLE shapes.city, ONLY shapes.parent WITH (publish = 'insert, update');
CREATE PUBLICATION everything FOR ALL TABLES WITH (publish_via_partition_root = true);

-- Large objects: empty, of several pages, with a hole, owned, granted, commented.
SELECT lo_create(70001);
SELECT lo_from_bytea(70002, decode(repeat('00ff10', 3000), 'hex'));
SELECT lo_create(70003), lo_put(70003, 100000, 'after a hole');
SELECT lo_from_bytea(70004, 'x');
SELECT lo_from_bytea(70005, convert_to((SELECT string_agg(md5(i::text), '') FROM generate_series(1, 25000) i), 'UTF8'));
SELECT lo_create(70006), lo_put(70006, 700000, 'after a longer hole');
ALTER LARGE OBJECT 70002 OWNER TO "torture owner";
GRANT SELECT ON LARGE OBJECT 70002 TO torture_reader WITH GRANT OPTION;
GRANT SELECT, UPDATE ON LARGE OBJECT 70004 TO PUBLIC;
COMMENT ON LARGE OBJECT 70002 IS 'it''s large';
CREATE TABLE code.attachments (id int PRIMARY KEY, content oid);
INSERT INTO code.attachments VALUES (1, 70001), (2, 70002);

-- Last, since from here on every command would be written down.
CREATE EVENT TRIGGER watching ON ddl_command_end WHEN TAG IN ('REFRESH MATERIALIZED VIEW', 'CREATE TABLE') EXECUTE FUNCTION code.watch_ddl();
COMMENT ON EVENT TRIGGER watching IS 'an event trigger';
