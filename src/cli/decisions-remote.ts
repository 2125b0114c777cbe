// `bauta decisions list|show|replay` at a service: decisions about deployments.
import { toError } from '../kernel/errors.js';
import { type GlobalOptions, wantsJson } from './context.js';
import { paint, stripControls, toTable, writeJson } from './print.js';
import type { Server } from './server.js';

interface Head {
  readonly id: string;
  readonly gate: string;
  readonly environment: string;
  readonly service: string;
  readonly decidedAt: string;
  readonly allow: boolean;
  readonly enforced: boolean;
  readonly codes: readonly string[];
  readonly score: number;
  readonly flipped: { readonly at: string; readonly codes: readonly string[]; readonly revoked: string | null } | null;
}

interface Shown extends Head {
  readonly answer: { readonly log: { readonly origin: string | null; readonly index: number | null } };
  readonly record: { readonly bundles: { readonly bauta: { readonly revision: string } } };
}

/** Exit codes: 0 · of replay 1 where the answer is another one. */
export async function decisionsAt(
  server: Server,
  action: string,
  id: string | undefined,
  options: GlobalOptions & { readonly gate?: string; readonly count?: number },
): Promise<number> {
  if (action === 'list') return list(server, options);
  if (id === undefined) throw toError('OPTION_MISSING', { name: 'the decision', expected: 'bauta decisions --help' });
  return action === 'show' ? show(server, id, options) : replay(server, id, options);
}

async function list(server: Server, options: GlobalOptions & { readonly gate?: string; readonly count?: number }): Promise<number> {
  const query = new URLSearchParams({ limit: String(Math.min(options.count ?? 20, 200)) });
  if (options.gate !== undefined) query.set('gate', options.gate);
  const { items: decisions } = await server.ask<{ items: readonly Head[] }>('GET', `/v1/decisions?${query.toString()}`);
  if (wantsJson(options)) writeJson({ decisions });
  else process.stdout.write(decisions.length === 0 ? 'none\n' : `${toTable(decisions.map(toLine))}\n`);
  return 0;
}

const wordOf = ({ allow, enforced, flipped }: Head): string =>
  flipped ? 'flipped' : enforced ? (allow ? 'allow' : 'deny') : 'not enforced';

const toLine = (one: Head): readonly string[] =>
  [
    one.id,
    one.decidedAt,
    wordOf(one),
    `${one.score}`,
    one.gate,
    `${one.service} → ${one.environment}`,
    (one.flipped ?? one).codes.join(', '),
  ].map((text) => stripControls(text));

async function show(server: Server, id: string, options: GlobalOptions): Promise<number> {
  const decision = await server.ask<Shown>('GET', `/v1/decisions/${encodeURIComponent(id)}`);
  if (wantsJson(options)) writeJson({ decision });
  else {
    const { origin, index } = decision.answer.log;
    const { flipped } = decision;
    const lines = [
      toLine(decision).join('  '),
      ...(flipped
        ? [`flipped ${flipped.at}${flipped.revoked === null ? '' : `, the version of run ${flipped.revoked} was revoked with it`}`]
        : []),
      `policy ${decision.record.bundles.bauta.revision}, ${index === null ? 'not in the log yet' : `log ${origin ?? ''}, entry ${index}`}`,
    ];
    process.stdout.write(`${stripControls(lines.join('\n'), '\n')}\n`);
  }
  return 0;
}

interface Replayed {
  readonly decisionId: string;
  readonly same: boolean;
  readonly then: object;
  readonly now: object;
}

async function replay(server: Server, id: string, options: GlobalOptions): Promise<number> {
  const replayed = await server.post<Replayed>(`/v1/decisions/${encodeURIComponent(id)}/replay`, {});
  if (wantsJson(options)) writeJson(replayed);
  else
    process.stdout.write(replayed.same ? `${paint('the same', 32, process.stdout)}\n` : `${paint('not the same', 31, process.stdout)}\n`);
  return replayed.same ? 0 : 1;
}
