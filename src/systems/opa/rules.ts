// Rules that are looked at and decide nothing: those of a release (a folder with manifest.json) or those of a bundle. They are asked like the ones in force, with
// other input or data if one likes, and say which file a reason comes from.
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';

import { parse } from 'yaml';

import { toCanonicalJson } from '../../kernel/canonical-json.js';
import { toError } from '../../kernel/errors.js';
import type { Decision, GateInput } from '../../pipeline/decision.js';
import { readBundle } from './bundle.js';
import { unreachable } from './bundle-source.js';
import { PolicyThread } from './policy-thread.js';
import { compareReasons, parseDecision, parseDenials, parseDeployment, toResult } from './reasons.js';
import { parseUserBundle, userEntrypoints } from './user-bundle.js';

export type Question = 'provision' | 'deploy';

const entrypoints = { provision: 'gate/provision/decision', deploy: 'deploy/gate/decision' } as const;

/** The rule that gives a code, as its METADATA has it; without METADATA the file alone. */
export interface SpokenRule {
  readonly file: string;
  readonly line: number;
  readonly title: string | null;
  readonly severity: string | null;
}

export interface Rules {
  /** `bauta`: of a release; `user`: of a bundle, which can only add reasons. */
  readonly name: 'bauta' | 'user';
  readonly revision: string;
  readonly digest: string;
  readonly questions: readonly Question[];
  /** JSON text of the parameters. */
  readonly data: string;
  /** Reasons against, sorted; `data`: JSON text to ask with instead. Rejects when it could not be decided. */
  ask(question: Question, input: GateInput, decisionId: string, data?: string): Promise<Decision['reasons']>;
  /** Undefined: no source names the code, and none is the only one of the question. */
  findRule(code: string, question: Question): SpokenRule | undefined;
  close(): Promise<void>;
}

interface Read {
  readonly name: Rules['name'];
  readonly revision: string;
  readonly digest: string;
  readonly wasm: Uint8Array;
  readonly data: string;
  readonly places: Readonly<Partial<Record<Question, string>>>;
  readonly sources: ReadonlyMap<string, string>;
}

/** `place`: the folder `policies` of a release, or the archive of a bundle, signed or not. MUST be closed. */
export async function openRules(place: string, timeLimitMs = 5000): Promise<Rules> {
  const isFolder = await stat(place).then(
    (found) => found.isDirectory(),
    (error: unknown) => {
      throw unreachable(error);
    },
  );
  const read = isFolder ? await readRelease(place) : await readUserBundle(await readFile(place));
  const { name, revision, digest, wasm, data, places, sources } = read;
  const thread = new PolicyThread({ wasm, data, entrypoints: Object.values(places) }, timeLimitMs);
  await thread.start().catch(async (error: unknown) => {
    await thread.close();
    throw error;
  });
  return {
    ...{ name, revision, digest, data, questions: Object.keys(places) as Question[] },
    ask: async (question, input, decisionId, other) => {
      const entrypoint = places[question];
      if (entrypoint === undefined) throw toError('POLICY_BUNDLE_ENTRYPOINT', { name: userEntrypoints[question] });
      const asked = { entrypoint, input: toCanonicalJson(input), nowNs: toNowNs(input), seed: decisionId };
      const { results } = await thread.ask({ ...asked, ...(other === undefined ? {} : { data: other }) });
      const result = toResult(JSON.parse(results));
      if (name === 'user') return [...parseDenials(result)].sort(compareReasons);
      return [...(question === 'deploy' ? parseDeployment(result).reasons : parseDecision(result))].sort(compareReasons);
    },
    findRule: (code, question) => findRule(sources, code, question),
    close: () => thread.close(),
  };
}

/** What now is to a policy: the instant that stands in the question, and so in its record. */
export function toNowNs({ nowMs }: GateInput): bigint {
  return typeof nowMs === 'number' && Number.isSafeInteger(nowMs) ? BigInt(nowMs) * 1_000_000n : 0n;
}

async function readRelease(folder: string): Promise<Read> {
  const { revision, digest, wasm, entrypoints: named, sources: paths } = await readBundle(folder);
  const texts = paths.map(async (path) => [path, await readFile(join(folder, ...path.split('/').slice(1)), 'utf8')] as const);
  const places = Object.fromEntries(Object.entries(entrypoints).filter(([, place]) => named.includes(place)));
  return { name: 'bauta', revision, digest, wasm, data: '{}', places, sources: new Map(await Promise.all(texts)) };
}

async function readUserBundle(packed: Uint8Array): Promise<Read> {
  const bundle = await parseUserBundle(packed, undefined);
  const places = Object.fromEntries(Object.entries(userEntrypoints).filter(([, place]) => bundle.entrypoints.includes(place)));
  const sources = [...bundle.files]
    .filter(([path]) => path.endsWith('.rego'))
    .map(([path, bytes]) => [path, bytes.toString('utf8')] as const);
  const { revision, digest, wasm, data } = bundle;
  return { name: 'user', revision, digest, wasm, data, places, sources: new Map(sources) };
}

/**
 * The line that gives it. A bundle's sources are without the rules that were compiled: there its METADATA names the code, or its package is the only one
 * that is asked.
 */
function findRule(sources: ReadonlyMap<string, string>, code: string, question: Question): SpokenRule | undefined {
  const ways = [
    (line: string): boolean => !line.startsWith('#') && line.includes(`"${code}"`),
    (line: string): boolean => line.startsWith('#') && line.trim().replace(/^#\s*/, '').startsWith(`${code}:`),
    (line: string): boolean => line.trim() === `package bauta.${question}`,
  ];
  for (const way of ways) {
    const found = [...sources].map(([file, text]) => ({ file, lines: text.split('\n') })).filter(({ lines }) => lines.some(way));
    const [first] = found;
    if (first && (found.length === 1 || way !== ways[2]))
      return { file: first.file, line: first.lines.findIndex(way) + 1, ...readMetadata(first.lines) };
  }
  return undefined;
}

function readMetadata(lines: readonly string[]): { readonly title: string | null; readonly severity: string | null } {
  const from = lines.indexOf('# METADATA');
  const to = lines.findIndex((line, n) => n > from && !line.startsWith('#'));
  const none = { title: null, severity: null };
  if (from < 0) return none;
  try {
    const block = lines.slice(from + 1, to < 0 ? lines.length : to).map((line) => line.replace(/^# ?/, ''));
    const { title, custom } = (parse(block.join('\n')) ?? {}) as { title?: unknown; custom?: { severity?: unknown } };
    const severity = custom?.severity;
    return { title: typeof title === 'string' ? title : null, severity: typeof severity === 'string' ? severity : null };
  } catch {
    return none;
  }
}
