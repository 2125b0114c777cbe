// The door of the file system: keys and log of a BAUTA_HOME.
export { FileKeyProvider } from './file-key-provider.js';
