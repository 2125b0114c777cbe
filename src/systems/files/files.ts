// The door of the file system: keys and log of a BAUTA_HOME.
export { FileAuditSink, type LogPeriod } from './file-audit-sink.js';
export { readEvents } from './read-events.js';
export { FileKeyProvider } from './file-key-provider.js';
