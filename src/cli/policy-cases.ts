// Questions that rules are asked again: of decisions that were taken (here, or at a service), or of files.
import { readFile, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

import { toError } from '../kernel/errors.js';
import type { Json } from '../kernel/canonical-json.js';
import type { GateInput } from '../pipeline/decision.js';
import type { DecisionRecord } from '../pipeline/gate/gate.js';
import { readDecision } from '../systems/files/files.js';
import type { Question } from '../systems/opa/opa.js';
import type { Server } from './server.js';

export interface PolicyCase {
  /** Of the decision, or the file. */
  readonly id: string;
  readonly question: Question;
  readonly input: GateInput;
  /** By which a policy's randomness goes. */
  readonly decisionId: string;
  /** Absent: it was never decided. */
  readonly record?: DecisionRecord;
}

const none = '00000000-0000-4000-8000-000000000000';

export async function readCase(id: string, home: string, server: Server | undefined): Promise<PolicyCase> {
  if (!server) return toCase(id, await readDecision(home, id));
  const { record } = await server.ask<{ record: unknown }>('GET', `/v1/decisions/${encodeURIComponent(id)}`);
  return toCase(id, record);
}

/** Decisions that this machine took about plans, or a service about deployments, newest first. Throws POLICY_CASES_MISSING. */
export async function readCases(home: string, server: Server | undefined, count: number): Promise<readonly PolicyCase[]> {
  if (!server) return readCaseFiles(join(home, 'decisions'));
  const { items } = await server.ask<{ items: readonly { readonly id: string }[] }>('GET', `/v1/decisions?limit=${Math.min(count, 200)}`);
  if (items.length === 0) throw toError('POLICY_CASES_MISSING', { name: 'the service' });
  const cases: PolicyCase[] = [];
  for (const { id } of items) cases.push(await readCase(id, home, server));
  return cases;
}

/** A file, or every .json of a folder. Throws POLICY_CASES_MISSING, POLICY_CASE_UNREADABLE. */
export async function readCaseFiles(path: string): Promise<readonly PolicyCase[]> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) throw toError('POLICY_CASES_MISSING', { name: path });
  const names = found.isDirectory() ? (await readdir(path)).filter((name) => name.endsWith('.json')).sort() : undefined;
  if (names?.length === 0) throw toError('POLICY_CASES_MISSING', { name: path });
  const files = names === undefined ? [path] : names.map((name) => join(path, name));
  return Promise.all(files.map(async (file) => toCase(file, await readJson(file))));
}

async function readJson(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as unknown;
  } catch {
    throw toError('POLICY_CASE_UNREADABLE', { file });
  }
}

type Members = Readonly<Record<string, unknown>>;
const isMembers = (value: unknown): value is Members => typeof value === 'object' && value !== null && !Array.isArray(value);

/** A record, what holds one (`bauta decisions show --json`), or a bare input. */
function toCase(id: string, value: unknown): PolicyCase {
  const refuse = (): never => {
    throw toError('POLICY_CASE_UNREADABLE', { file: id });
  };
  const given = isMembers(value) ? value : refuse();
  const shown = given['decision'];
  const record = isMembers(shown) && isMembers(shown['record']) ? shown['record'] : given;
  const { decision_id: decisionId, input } = record;
  if (typeof decisionId === 'string' && isMembers(input)) {
    const whole = record as unknown as DecisionRecord;
    return { id: decisionId, decisionId, record: whole, input: whole.input, question: toQuestion(whole.input) ?? refuse() };
  }
  const bare = isMembers(given['input']) ? given['input'] : given;
  return { id, decisionId: none, input: bare as GateInput, question: toQuestion(bare as Readonly<Record<string, Json>>) ?? refuse() };
}

/** What a question is about shows in its members. */
function toQuestion(input: Readonly<Record<string, Json | undefined>>): Question | undefined {
  if (input['columns'] !== undefined) return 'provision';
  return input['gate'] !== undefined && input['request'] !== undefined ? 'deploy' : undefined;
}
