export { fileSink } from './file/single-file-sink.ts';
export { isSourceKind, type RestoreTarget, SOURCE_KINDS, type SourceKind, sinkFor } from './source-kinds.ts';
export { sqliteSink } from './sqlite/sqlite-sink.ts';
export { type SqliteSourceOptions, sqliteSource } from './sqlite/sqlite-source.ts';
export { streamSink } from './stream/stream-sink.ts';
export { type StreamSourceOptions, streamSource } from './stream/stream-source.ts';
export { treeSink } from './tree/tree-sink.ts';
export { type TreeSourceOptions, treeSource } from './tree/tree-source.ts';
