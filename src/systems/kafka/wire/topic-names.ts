// What a topic is called. Names are made of documents' names and of a table's, never of a value; two things never share a name, nor names that differ
// in `.` and `_` only, which Kafka takes for the same: a raw `_` stands in the last part alone.
import { createHash } from 'node:crypto';

import { toError } from '../../../kernel/errors.js';

/** Kafka's own limit. */
export const longestTopicName = 249;

const longestPart = 63;

/** Whose topics: all of an environment begin with `<prefix>.<workspace>.<environment>.`. */
export interface TopicPlace {
  /** What all topics of this Bauta begin with; default `bauta`. */
  readonly prefix?: string;
  /** The command line's is `local`. */
  readonly workspace: string;
  readonly environment: string;
}

/** What a prefixed ACL is granted for: it ends in a dot, so that `shop` is not `shop-2`. */
export function toEnvironmentPrefix({ prefix = 'bauta', workspace, environment }: TopicPlace): string {
  return `${prefix}.${toPart(workspace)}.${toPart(environment)}.`;
}

export const toControlTopic = (place: TopicPlace): string => toTopic(place, 'control');

export const toReceiptsTopic = (place: TopicPlace): string => toTopic(place, 'receipts');

/** One per dataset version, for agents only. */
export const toBulkTopic = (place: TopicPlace, runId: string): string => toTopic(place, 'bulk', runId);

/** Rows of the published versions, one topic a table: written in one transaction. */
export const toRowsTopic = (place: TopicPlace, schema: string, table: string): string => toTopic(place, 'rows', schema, table);

/** Rows of one version, too many for a transaction. Not below `rows.`: who may read all that is there may not read these before they are published. */
export const toVersionTopic = (place: TopicPlace, runId: string, schema: string, table: string): string =>
  toTopic(place, 'versions', runId, schema, table);

/** Throws TOPIC_NAME_LONG where the prefix leaves no room. */
function toTopic(place: TopicPlace, kind: string, ...parts: readonly string[]): string {
  const before = parts.slice(0, -1).map((part) => `${toPart(part)}.`);
  const last = parts.length === 0 ? '' : toPart(parts.at(-1) ?? '', true);
  const name = `${toEnvironmentPrefix(place)}${kind}${parts.length === 0 ? '' : '.'}${before.join('')}${last}`;
  if (name.length > longestTopicName) throw toError('TOPIC_NAME_LONG', { object: kind, amount: `${longestTopicName} characters` });
  return name;
}

/**
 * Letters and digits stand for themselves, `--` for a dash, `-` and two hex digits for any other byte of its UTF-8; a part that would be long is its
 * beginning, `-x` and half of its SHA-256.
 */
function toPart(text: string, last = false): string {
  const words = [...Buffer.from(text, 'utf8')].map((byte) => {
    const letter = String.fromCharCode(byte);
    if (/[A-Za-z0-9]/.test(letter) || (last && letter === '_')) return letter;
    return letter === '-' ? '--' : `-${byte.toString(16).padStart(2, '0')}`;
  });
  const whole = words.join('');
  if (whole.length <= longestPart) return whole;
  const digest = createHash('sha256').update(text, 'utf8').digest('hex').slice(0, 32);
  let begin = '';
  for (const word of words) {
    if (begin.length + word.length + digest.length + 2 > longestPart) break;
    begin += word;
  }
  return `${begin}-x${digest}`;
}
