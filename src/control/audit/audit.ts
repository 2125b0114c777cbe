// The door of the audit log over REST.
export { AuditController } from './audit-controller.js';
export { AnchorClock, openAnchoring } from './anchor-clock.js';
export { CosignClock, openCosigning } from './cosign-clock.js';
export { RetentionController } from './retention-controller.js';
