// The door of access: people, what they may do, and the tokens that they come with.
export { issueFirstToken } from './first-token.js';
export { PeopleController } from './people-controller.js';
export { TokensController } from './tokens-controller.js';
