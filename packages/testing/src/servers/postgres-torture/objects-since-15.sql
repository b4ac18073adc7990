CREATE TABLE shapes.nulls_equal (a int UNIQUE NULLS NOT DISTINCT, b text COMPRESSION pglz);
INSERT INTO shapes.nulls_equal VALUES (1, 'x'), (null, 'y');
CREATE VIEW code.invoked WITH (security_invoker) AS SELECT * FROM shapes.nulls_equal;
CREATE PUBLICATION narrow FOR TABLE shapes.serial (id) WHERE (id > 3);
CREATE PUBLICATION of_schema FOR TABLES IN SCHEMA kinds;
CREATE FUNCTION code.standard(a int) RETURNS int LANGUAGE sql IMMUTABLE BEGIN ATOMIC SELECT a + 1; END;
