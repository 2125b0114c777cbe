// What stands in the control messages of a delivery and in the receipts of an agent. A body was signed by whom we know; that it is of this form is
// still looked at, because he may be of another release.
import type { Json } from '../../../kernel/canonical-json.js';
import type { Catalogue } from '../../../pipeline/catalogue.js';
import type { DeliveryPlan } from '../../../pipeline/delivery-plan.js';
import type { MarkerRow } from '../../../pipeline/marker.js';
import type { SequenceValue } from '../../../pipeline/ports.js';

/** `begin`: everything that staging is built of, and what records will come. */
export interface BeginBody {
  readonly catalogue: Catalogue;
  /** Records name its tables by their index. */
  readonly plan: DeliveryPlan;
  readonly planDigest: string;
  /** 16 bytes in hex: key of the digests. */
  readonly nonce: string;
  /** Name of the dataset, which the agent's database has to bear, and the number that the version gets. */
  readonly target: string;
  readonly version: number;
  /** How many ranges each table comes in. */
  readonly ranges: readonly number[];
  readonly topic: string;
  readonly partitions: number;
  /** No more ranges than these are under way at once. */
  readonly streams: number;
  /** The key of the values, for each agent an age file in base64; absent: they are not encrypted beyond TLS. */
  readonly sealed?: { readonly keyId: string; readonly for: Readonly<Record<string, string>> };
}

/** `complete`: what there is of each table, counted by who read it back, and one root over all records. */
export interface CompleteBody {
  readonly tables: readonly { readonly ranges: number; readonly rows: number; readonly bytes: number; readonly digest: string }[];
  readonly records: number;
  /** RFC 6962, in hex. */
  readonly root: string;
  readonly sequences: readonly SequenceValue[];
  readonly findings: { readonly errors: number; readonly warnings: number };
}

/** `publish`: the marker is written as it stands. */
export interface PublishBody {
  readonly version: number;
  readonly marker: MarkerRow;
  /** For agents whose place is not that of `marker`: theirs. */
  readonly markers?: Readonly<Record<string, MarkerRow>>;
  readonly expiresAt: string;
}

/** `withdraw`: staging, or the version, of this run. `rollback`: to the version before. `expire`: the version of this run. */
export interface ReasonBody {
  /** A code of ours or a word of the document: never free text. */
  readonly reason: string;
}

/** `enrolled`, `revoked`. */
export interface AgentBody {
  /** In hex. */
  readonly publicKey: string;
  /** `age1…` */
  readonly recipient: string;
  /** Absent: told by an earlier release. */
  readonly place?: AgentPlace;
}

/** In receipts: counts, and findings by code and coordinates. */
export interface ProgressBody {
  readonly rows: number;
  readonly bytes: number;
  /** Records that are on the broker and not yet here. */
  readonly lag: number;
  readonly rangesLoaded: number;
  readonly ranges: number;
  readonly bytesPerSecond: number;
  /** Null: nobody knows how much will come. */
  readonly secondsLeft: number | null;
}

/** Where an agent delivers to. */
export interface AgentPlace {
  readonly database: string;
  readonly systemIdentifier: string;
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
const isText = (value: unknown): value is string => typeof value === 'string';
const isHex = (value: unknown, bytes: number): boolean => isText(value) && new RegExp(`^[0-9a-f]{${bytes * 2}}$`).test(value);
const isName = (value: unknown): boolean => isObject(value) && isText(value['schema']) && isText(value['name']);

const MOST_PARTITIONS = 1000;
const MOST_STREAMS = 64;

/** Undefined: it is not of this form. */
export function parseBegin(body: Json): BeginBody | undefined {
  if (!isObject(body)) return undefined;
  const { catalogue, plan, ranges, nonce, target, version, topic, partitions, streams, planDigest, sealed } = body;
  if (!isObject(catalogue) || !isObject(catalogue['server']) || !isObject(plan) || !isObject(plan['facts']) || !isObject(plan['source']))
    return undefined;
  const lists = [catalogue['schemas'], catalogue['tables'], catalogue['objects'], plan['cutReferences'], plan['tables']];
  if (!lists.every(Array.isArray) || !isObject(plan['facts']['target']) || !(plan['tables'] as unknown[]).every(isTable)) return undefined;
  const fits =
    Array.isArray(ranges) && ranges.length === (plan['tables'] as unknown[]).length && ranges.every(isCount) &&
    isHex(nonce, 16) && isText(target) && isCount(version) && version > 0 && isText(topic) && isText(planDigest) &&
    isCount(partitions) && partitions > 0 && partitions <= MOST_PARTITIONS && isCount(streams) && streams > 0 && streams <= MOST_STREAMS &&
    (sealed === undefined || (isObject(sealed) && isText(sealed['keyId']) && isObject(sealed['for']) && Object.values(sealed['for']).every(isText))); // prettier-ignore
  return fits ? (body as unknown as BeginBody) : undefined;
}

function isTable(value: unknown): boolean {
  if (!isName(value) || !isObject(value)) return false;
  const { kind, loadInto, columns } = value;
  return (
    (kind === 'r' || kind === 'p') &&
    isName(loadInto) &&
    Array.isArray(columns) &&
    columns.every((one) => isObject(one) && isText(one['name']))
  );
}

export function parseComplete(body: Json): CompleteBody | undefined {
  if (!isObject(body)) return undefined;
  const { tables, records, root, sequences, findings } = body;
  const isTold = (one: unknown): boolean =>
    isObject(one) && isCount(one['ranges']) && isCount(one['rows']) && isCount(one['bytes']) && isHex(one['digest'], 16);
  const isSequence = (one: unknown): boolean =>
    isName(one) &&
    isObject(one) &&
    isText(one['lastValue']) &&
    /^-?\d{1,19}$/.test(one['lastValue']) &&
    typeof one['isCalled'] === 'boolean';
  const fits =
    Array.isArray(tables) && tables.every(isTold) && isCount(records) && isHex(root, 32) && Array.isArray(sequences) && sequences.every(isSequence) &&
    isObject(findings) && isCount(findings['errors']) && isCount(findings['warnings']); // prettier-ignore
  return fits ? (body as unknown as CompleteBody) : undefined;
}

export function parsePublish(body: Json): PublishBody | undefined {
  if (!isObject(body)) return undefined;
  const { version, marker, markers, expiresAt } = body;
  const fits =
    isCount(version) &&
    isText(expiresAt) &&
    isMarkerRow(marker) &&
    (markers === undefined || (isObject(markers) && Object.values(markers).every(isMarkerRow)));
  return fits ? (body as unknown as PublishBody) : undefined;
}

function isMarkerRow(row: unknown): boolean {
  if (!isObject(row)) return false;
  const { version, logIndex, manifest } = row;
  const texts = ['planDigest', 'logOrigin', 'madeAt', 'expiresAt', 'claim', 'note'];
  return isCount(version) && isCount(logIndex) && Array.isArray(manifest) && texts.every((name) => isText(row[name]));
}

export function parseAgent(body: Json): AgentBody | undefined {
  if (!isObject(body)) return undefined;
  const { publicKey, recipient, place } = body;
  const isPlace = place === undefined || (isObject(place) && isText(place['database']) && isText(place['systemIdentifier']));
  return isHex(publicKey, 32) && isText(recipient) && isPlace ? (body as unknown as AgentBody) : undefined;
}

/** Signed by an agent, and perhaps of another release: only numbers go further. */
export function isProgress(body: unknown): body is ProgressBody {
  const { rows, bytes, lag, secondsLeft } = body as Partial<Record<keyof ProgressBody, unknown>>;
  return [rows, bytes, lag].every((one) => typeof one === 'number') && (secondsLeft === null || typeof secondsLeft === 'number');
}

/** Somebody else's words go no further: a code is capitals. */
export function toCodes(body: Json): readonly { readonly code: string }[] {
  const { findings } = body as { readonly findings?: unknown };
  if (!Array.isArray(findings)) return [];
  return findings.flatMap((finding: unknown) => {
    const { code } = (finding ?? {}) as { readonly code?: unknown };
    return typeof code === 'string' && /^[A-Z][A-Z_]{2,60}$/.test(code) ? [{ code }] : [];
  });
}

/** `refused`: so many on a topic, for that reason. */
export interface Refused {
  readonly topic: 'control' | 'bulk';
  readonly problem: string;
  readonly amount: number;
}

export function toRefused(body: Json): readonly Refused[] {
  const { refused } = body as { readonly refused?: unknown };
  if (!Array.isArray(refused)) return [];
  return refused.slice(0, 100).flatMap((one: unknown) => {
    const { topic, problem, amount } = (one ?? {}) as Partial<Record<keyof Refused, unknown>>;
    if ((topic !== 'control' && topic !== 'bulk') || !isText(problem) || !/^[a-z][a-z ]{2,40}$/.test(problem) || !isCount(amount))
      return [];
    return [{ topic, problem, amount }];
  });
}
