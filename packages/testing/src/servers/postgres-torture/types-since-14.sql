CREATE TABLE kinds.multiranges (id int PRIMARY KEY, m4 int4multirange, mn nummultirange, mtz tstzmultirange, mf kinds.floats_multirange);
INSERT INTO kinds.multiranges VALUES
  (1, '{[1,3),[5,9)}', '{(,0],[1.0,2.00)}', '{[2026-01-01 00:00+02,infinity)}', '{[1.5,2.5)}'), (2, '{}', '{}', '{}', '{}'), (3, null, null, null, null);
CREATE TABLE kinds.infinite_numbers (id int PRIMARY KEY, n numeric);
INSERT INTO kinds.infinite_numbers VALUES (1, 'Infinity'), (2, '-Infinity'), (3, 'NaN');
