// Names under which Nest keeps what is no class, and what a route says of itself.
export const CLOCK = Symbol('clock');
export const SERVER_KEY = Symbol('server key');
export const SETTINGS = Symbol('settings');
export const NEEDS = 'bauta:needs';
