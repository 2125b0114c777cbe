// The door of access: people, what they may do, and the tokens that they come with.
export { issueFirstToken } from './first-token.js';
export { takesAnother } from './grants.js';
export { askForRoles, rolesConsequence, tokenConsequence } from './grant-consequences.js';
export { WorkspacesController } from './workspaces-controller.js';
export { ErasureController } from './erasure-controller.js';
export { PeopleController } from './people-controller.js';
export { ApiKeysController } from './api-keys-controller.js';
