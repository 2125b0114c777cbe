// The door of protection: what a change of documents lowers, and how far that reaches.
export { type BlastRadius, blastRadiusSchema, toBlastRadius } from './blast-radius.js';
export { DocumentSet } from './document-set.js';
export { type Lowered } from './compare.js';
export { findLowered, loweredSchema } from './lowered.js';
