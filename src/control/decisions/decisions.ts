// The door of /v1/decisions: what was decided about deployments, each with the record by which it is taken again.
export { DecisionsController } from './decisions-controller.js';
