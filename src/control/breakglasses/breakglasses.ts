// The door of /v1/breakglasses: one deployment past its gate, by two approvers, and what came of it.
export { BreakglassClock } from './breakglass-clock.js';
export { breakglassConsequence } from './breakglass-consequence.js';
export { BreakglassUsesController } from './breakglass-uses-controller.js';
export { BreakglassesController } from './breakglasses-controller.js';
