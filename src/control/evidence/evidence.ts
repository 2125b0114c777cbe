// The door of /v1/evidence.
export { EvidenceController } from './evidence-controller.js';
export { type EvidenceItem, readEvidence } from './read-evidence.js';
export { evidenceSchema } from './evidence-view.js';
