export {
  decodeRowsDescription,
  encodeRowsDescription,
  FIELD_ENCODINGS,
  type FieldEncoding,
  type RowsColumn,
  type RowsDescription,
  type RowsWindow,
} from './description.ts';
export {
  decodeRowsIndex,
  encodeRowsIndex,
  type RowsIndex,
  type RowsSample,
  SAMPLE_BYTES,
} from './index-object.ts';
