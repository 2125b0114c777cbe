// A break-glass: one deployment of one commit of a service past one gate, once, signed with the log's key so that it can be checked where the service
// cannot be reached.
import { toCanonicalJson } from '../kernel/canonical-json.js';
import { type NoteProblem, type Verifier, openNote } from '../kernel/signed-note.js';

const claim = 'one deployment past its gate, once';

/** What it is good for. */
export interface BreakglassScope {
  readonly gate: string;
  readonly environment: string;
  readonly service: string;
  /** A whole commit id. */
  readonly commit: string;
}

/** What is signed. */
export interface Breakglass extends BreakglassScope {
  readonly claim: typeof claim;
  readonly id: string;
  readonly issuedAt: string;
  readonly expiresAt: string;
  /** Where the log has that it was issued. */
  readonly log: { readonly origin: string; readonly index: number };
}

export const breakglassScope = ['gate', 'environment', 'service', 'commit'] as const satisfies readonly (keyof BreakglassScope)[];
export const longestBreakglassMs = 4 * 3_600_000;
/** The clock of the machine that uses it may be so much behind the service's. */
const SKEW_MS = 300_000;

/** First line of the text: a signature under it can be taken for no checkpoint. */
const heading = 'bauta break-glass v1';
const instant = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

export function toBreakglassText(of: Omit<Breakglass, 'claim'>): string {
  return `${heading}\n${toCanonicalJson({ claim, ...of })}\n`;
}

/** Undefined for any other text: a key may have signed much, and only this is a break-glass. */
export function parseBreakglassText(text: string): Breakglass | undefined {
  const [first, second = '', ...rest] = text.split('\n');
  if (first !== heading || rest.length !== 1 || rest[0] !== '') return undefined;
  const found = parseJson(second) as Partial<Breakglass> | null | undefined;
  if (!found || typeof found !== 'object' || toCanonicalJson(found) !== second) return undefined;
  const { id = '', issuedAt = '', expiresAt = '', log } = found;
  const lasts = Date.parse(expiresAt) - Date.parse(issuedAt);
  const fits =
    found.claim === claim &&
    breakglassScope.every((name) => typeof found[name] === 'string') &&
    /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id) &&
    [issuedAt, expiresAt].every((at) => instant.test(at)) &&
    lasts > 0 &&
    lasts <= longestBreakglassMs &&
    typeof log?.origin === 'string' &&
    Number.isSafeInteger(log.index);
  return fits ? (found as Breakglass) : undefined;
}

/** The break-glass that one of these keys signed; or why it is none. */
export function openBreakglass(
  note: string,
  verifiers: readonly Verifier[],
): { readonly breakglass: Breakglass } | { readonly breakglass?: never; readonly problem: NoteProblem } {
  const opened = openNote(note, verifiers);
  if (opened.problem !== undefined) return { problem: opened.problem };
  const breakglass = parseBreakglassText(opened.text);
  return breakglass ? { breakglass } : { problem: 'malformed' };
}

/** What of it does not fit what is wanted then; undefined: it is good for it. */
export function findMisfit(breakglass: Breakglass, wanted: BreakglassScope, nowMs: number): string | undefined {
  const other = breakglassScope.find((name) => breakglass[name] !== wanted[name]);
  if (other !== undefined) return `it is for another ${other}`;
  if (nowMs >= Date.parse(breakglass.expiresAt)) return `it expired at ${breakglass.expiresAt}`;
  return nowMs < Date.parse(breakglass.issuedAt) - SKEW_MS ? 'it is not issued yet, by the clock of this machine' : undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
