// `bauta waivers`: asked for, listed and ended at a service.
import { InputError, toError } from '../kernel/errors.js';
import { type GlobalOptions, wantsJson } from './context.js';
import { paint, toTable, writeJson } from './print.js';
import { type Server, requireServer } from './server.js';

export interface WaiversOptions extends GlobalOptions {
  readonly until?: string;
  readonly reason?: string;
  readonly finding?: string;
  readonly repository?: string;
  readonly image?: string;
  readonly environment?: string;
}

interface Waiver {
  readonly id: string;
  readonly rule: string;
  readonly fingerprint: string | null;
  readonly scope: Readonly<Record<string, string>> | null;
  readonly reason: string;
  readonly until: string;
  readonly state: 'standing' | 'over' | 'ended';
}

export async function waivers(action: string, what: string | undefined, options: WaiversOptions): Promise<number> {
  if (!['ask', 'list', 'end'].includes(action)) throw toError('OPTION_INVALID', { name: 'the action', expected: 'ask, list or end' });
  const server = await requireServer(options, 'waivers');
  if (action === 'list') return tell(await server.list<Waiver>('/v1/waivers'), options);
  if (what === undefined)
    throw new InputError('OPTION_MISSING', { name: action === 'ask' ? 'the rule' : 'the id', expected: 'bauta waivers --help' });
  if (action === 'ask') return ask(server, what, options);
  await server.ask('DELETE', `/v1/waivers/${encodeURIComponent(what)}`);
  if (wantsJson(options)) writeJson({ ended: what, findings: [] });
  return 0;
}

/** Exit code 2: somebody else has to agree first. */
async function ask(server: Server, rule: string, options: WaiversOptions): Promise<number> {
  const { until, reason, finding, repository, image, environment } = options;
  for (const [name, value] of Object.entries({ '--until': until, '--reason': reason }))
    if (value === undefined) throw new InputError('OPTION_MISSING', { name, expected: 'bauta waivers --help' });
  const scope = Object.fromEntries(Object.entries({ repository, image, environment }).filter(([, value]) => value !== undefined));
  const wanted = {
    rule,
    reason,
    until,
    ...(finding === undefined ? {} : { fingerprint: finding }),
    ...(Object.keys(scope).length === 0 ? {} : { scope }),
  };
  const { approval } = await server.post<{ approval: { id: string; expiresAt: string } }>('/v1/waivers', wanted);
  if (wantsJson(options)) writeJson({ approval, findings: [] });
  else {
    const waits = `${paint('waits', 33, process.stdout)} until ${approval.expiresAt} for a second person, and it counts as before`;
    process.stdout.write(`${waits}: bauta approvals approve ${approval.id}\n`);
  }
  return 2;
}

function tell(found: readonly Waiver[], options: GlobalOptions): number {
  if (wantsJson(options)) writeJson({ waivers: found, findings: [] });
  else {
    const rows = found.map(({ id, rule, fingerprint, scope, until, state, reason }) => [
      ...[
        id,
        rule,
        fingerprint?.slice(0, 8) ?? 'every',
        scope === null ? 'everywhere' : Object.entries(scope).flat().join(' ').slice(0, 40),
      ],
      ...[until.slice(0, 16), state, reason.slice(0, 60)],
    ]);
    process.stdout.write(`${toTable([['WAIVER', 'RULE', 'FINDING', 'SCOPE', 'UNTIL', 'STATE', 'REASON'], ...rows], '')}\n`);
  }
  return 0;
}
