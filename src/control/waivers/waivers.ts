// The door of /v1/waivers.
export { waiverConsequence } from './waiver-consequence.js';
export { WaiversController } from './waivers-controller.js';
