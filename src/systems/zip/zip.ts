// The door of archives that auditors take away: without compression, the same bytes for the same contents.
export { ZipReader } from './zip-reader.js';
export { type Spooled, ZipWriter } from './zip-writer.js';
