// The door of the file system: keys and log of a BAUTA_HOME.
export { FileAuditSink, readEvents } from './file-audit-sink.js';
export { FileKeyProvider } from './file-key-provider.js';
