// Files of this machine: keys, and later the log.
export { FileKeyProvider } from './file-key-provider.js';
