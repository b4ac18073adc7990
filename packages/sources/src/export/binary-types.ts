/**
 * PostgreSQL types whose binary representation means the same in all supported versions and can be turned into text
 * here: name, oid, oid of the array of it. A table all of whose columns are of these types is read in binary form.
 */
export const BINARY_TYPES_BY_NAME = [
  ['bool', 16, 1000],
  ['bytea', 17, 1001],
  ['char', 18, 1002],
  ['name', 19, 1003],
  ['int8', 20, 1016],
  ['int2', 21, 1005],
  ['int4', 23, 1007],
  ['text', 25, 1009],
  ['oid', 26, 1028],
  ['json', 114, 199],
  ['xml', 142, 143],
  ['point', 600, 1017],
  ['lseg', 601, 1018],
  ['path', 602, 1019],
  ['box', 603, 1020],
  ['polygon', 604, 1027],
  ['line', 628, 629],
  ['cidr', 650, 651],
  ['float4', 700, 1021],
  ['float8', 701, 1022],
  ['circle', 718, 719],
  ['macaddr8', 774, 775],
  ['macaddr', 829, 1040],
  ['inet', 869, 1041],
  ['bpchar', 1042, 1014],
  ['varchar', 1043, 1015],
  ['date', 1082, 1182],
  ['time', 1083, 1183],
  ['timestamp', 1114, 1115],
  ['timestamptz', 1184, 1185],
  ['interval', 1186, 1187],
  ['timetz', 1266, 1270],
  ['bit', 1560, 1561],
  ['varbit', 1562, 1563],
  ['numeric', 1700, 1231],
  ['uuid', 2950, 2951],
  ['pg_lsn', 3220, 3221],
  ['tsvector', 3614, 3643],
  ['jsonb', 3802, 3807],
  ['int4range', 3904, 3905],
  ['numrange', 3906, 3907],
  ['tsrange', 3908, 3909],
  ['tstzrange', 3910, 3911],
  ['daterange', 3912, 3913],
  ['int8range', 3926, 3927],
  ['int4multirange', 4451, 6150],
  ['nummultirange', 4532, 6151],
  ['tsmultirange', 4533, 6152],
  ['tstzmultirange', 4534, 6153],
  ['datemultirange', 4535, 6155],
  ['int8multirange', 4536, 6157],
] as const satisfies readonly (readonly [name: string, oid: number, arrayOid: number])[];

export type BinaryTypeName = (typeof BINARY_TYPES_BY_NAME)[number][0];

const OIDS: ReadonlySet<number> = new Set(BINARY_TYPES_BY_NAME.flatMap(([, oid, array]) => [oid, array]));

/** Whether columns of the type with this oid (of a domain: its base type's) can be read in binary form. */
export const isBinaryType = (oid: number): boolean => OIDS.has(oid);
