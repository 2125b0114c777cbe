// Names under which Nest keeps what is no class, and what a route says of itself.
export const CLOCK = Symbol('clock');
export const SERVER_KEY = Symbol('server key');
export const HOOK_SECRETS = Symbol('hook secrets');
export const GRANTS = Symbol('grants');
export const SETTINGS = Symbol('settings');
export const NEEDS = 'bauta:needs';

/** The text behind a reference of a webhook's secret; undefined: there is none. */
export type ReadHookSecret = (workspaceId: string, reference: string) => Promise<string | undefined>;
