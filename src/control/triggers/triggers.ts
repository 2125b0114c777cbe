// The door of triggers: what asks for runs when something happens.
export { answerDatasets } from './dataset-watch.js';
export { followTrigger, getTrigger } from './stored-trigger.js';
export { TriggersController } from './triggers-controller.js';
