// The door of links: what is handed out once.
export { LinksController } from './links-controller.js';
export { type OneTimeLink, makeLink, seal, unseal } from './one-time-link.js';
