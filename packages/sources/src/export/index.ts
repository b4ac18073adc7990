export { type ExportFileOptions, exportFileSink } from './export-file.ts';
export { EXPORT_FORMATS, type ExportFormat, type ExportOptions, exportSink } from './export-sink.ts';
