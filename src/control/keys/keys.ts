// The door of /v1/keys: which versions the environments' keys have, the next one, and the end of old ones.
export { KeysController } from './keys-controller.js';
export { keysConsequence } from './keys-consequence.js';
