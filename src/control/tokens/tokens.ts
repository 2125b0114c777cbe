// The door of tokens: how values are exchanged for tokens, and tokens for values, outside of a run.
export { DetokenizeController } from './detokenize-controller.js';
export { KeptTokens, type KeptDomain } from './kept-tokens.js';
export { TOKEN_DOORS, TokenDoors } from './token-doors.js';
export { TokensController } from './tokens-controller.js';
