import { broken, type FieldBytes } from './field-bytes.ts';
import { float8Text } from './float-text.ts';

const number = (field: FieldBytes): string => float8Text(field.float8());

export const pointText = (field: FieldBytes): string => `(${number(field)},${number(field)})`;
export const lsegText = (field: FieldBytes): string => `[${pointText(field)},${pointText(field)}]`;
export const boxText = (field: FieldBytes): string => `${pointText(field)},${pointText(field)}`;
export const lineText = (field: FieldBytes): string => `{${number(field)},${number(field)},${number(field)}}`;
export const circleText = (field: FieldBytes): string => `<${pointText(field)},${number(field)}>`;
export const polygonText = (field: FieldBytes): string => `(${points(field)})`;

export function pathText(field: FieldBytes): string {
  const closed = field.uint8() !== 0;
  const list = points(field);
  return closed ? `(${list})` : `[${list}]`;
}

function points(field: FieldBytes): string {
  const count = field.int32();
  if (count * 16 !== field.left) throw broken('has another number of points than it says');
  return Array.from({ length: count }, () => pointText(field)).join(',');
}
