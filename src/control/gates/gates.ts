// The door of gates: which deployments may go ahead.
export { type Asked, askedSchema } from './asked.js';
export { GATE_DOORS, GateDoors } from './gate-doors.js';
export { FlipClock } from './flip-clock.js';
export { findGate } from './gate-facts.js';
export { AdmissionController } from './admission-controller.js';
export { type CallbackOptions, CallbackSender } from './callback-sender.js';
export { GateCallersController } from './callers-controller.js';
export { GatesController } from './gates-controller.js';
export { toReadEvidence } from './read-evidence.js';
export { takeDecision, toResult } from './take-decision.js';
export { answerSchema } from './to-answer.js';
