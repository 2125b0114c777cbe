// The door of gates: which deployments may go ahead.
export { GATE_DOORS, GateDoors } from './gate-doors.js';
export { GatesController } from './gates-controller.js';
export { toReadEvidence } from './read-evidence.js';
export { toResult } from './take-decision.js';
export { answerSchema } from './to-answer.js';
