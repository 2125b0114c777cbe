// The door of environments: their documents, and the clones of what is published in them.
export { giveBack } from './ask-for-clone.js';
export { CloneClock } from './clone-clock.js';
export { ClonesController } from './clones-controller.js';
export { EnvironmentsController } from './environments-controller.js';
