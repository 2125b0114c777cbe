// The door of approvals: what waits for a second person, who may be that person, and what follows from what he says.
export { ApprovalsController } from './approvals-controller.js';
export { CONSEQUENCES, type Consequence, type Consequences } from './consequences.js';
export { type ApprovalTerm, type Pending, objectionTo, openApproval, pendingSchema } from './second-person.js';
export { ApprovalExpiry } from './expiry.js';
