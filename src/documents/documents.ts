// What people write, as text: YAML or JSON in, definitions and findings out. The definitions themselves are src/pipeline/definition.ts.
export { type Rhythm, type ShownDue, dueTimes, nextDue, showDue } from '../pipeline/due-times.js';
export { type LoadedDocuments, loadDocuments, loadTrees } from './load.js';
export { parseLock } from './lock.js';
export { type WrittenDocument, documentKinds, loadWritten, parseDocuments } from './written.js';
export { isJson, parseBody } from './parse-body.js';
export { type ReadText, readText } from './read-text.js';
export { type Schema, documentSchemas, grantsSchema, lockSchema, publishedSchemas } from './schemas.js';
export { findKeyProblems } from './key-problems.js';
export { type Named, type NamedSecret, findNamed, findSecretsNamed, SLACK, toUrlPlace } from './named.js';
export { type SelectedDocuments, selectDocuments } from './select.js';
export { channelEvents } from './channel-schema.js';
export { checkResultSchema } from './check-result-schema.js';
export { privacySchema } from './privacy-schema.js';
export { trustRoles } from './issuer-schema.js';
export { fitsSchema } from './validate.js';
export { parseCatalogue } from './parse-catalogue.js';
export { writeCatalogue, writeClassification, writeLock } from './write-classification.js';
