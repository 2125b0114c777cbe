// The door of the file system: keys and log of a BAUTA_HOME.
export { BreakglassRegister, type KeptUse } from './breakglass-register.js';
export { findChangedTexts } from './erasable.js';
export { keepDecision, readDecision } from './decisions.js';
export { type Deleted, deleteLog, finishHomeChanges } from './delete-log.js';
export { eraseOne } from './erase-entry.js';
export { exportLog } from './export-log.js';
export { FileAuditSink, type LogPeriod } from './file-audit-sink.js';
export { openLogFiles } from './log-reader.js';
export { readEvents } from './read-events.js';
export { loadSigner, toLastSignedPath } from './signing-key.js';
export { LeaseRecords } from './lease-records.js';
export { keepServiceLog, readLastNote } from './service-log.js';
export { readTrustPolicy } from './trust-policy-file.js';
export { withWriteLock } from './write-lock.js';
export { WitnessFolder, writeCosigned } from './witness-folder.js';
export { listFileKeys, openFileKeys } from './file-key-provider.js';
export { type AgentEnrolment, AgentHome, type AgentIdentity } from './agent-home.js';
export { type AgentRegister, type RegisteredAgent, changeAgentRegister, readAgentRegister } from './agent-register.js';
