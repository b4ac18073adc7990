export { keptRowsSink } from './kept-rows-sink.ts';
export { type KeyCondition, KeyRange, parseKeyConditions } from './key-range.ts';
export { checkSelection, EVERYTHING, isSelected, type RowSelection, selectsAll } from './row-selection.ts';
export { RowSum } from './row-sum.ts';
export { TupleIntake, type TupleIntakeOptions } from './tuple-intake.ts';
export { encodeTuple, fieldsOf, TupleSplitter } from './tuple-splitter.ts';
