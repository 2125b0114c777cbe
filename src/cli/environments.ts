// `bauta environments`: what a service has in each environment.
import { systemClock } from '../kernel/clock.js';
import { type GlobalOptions, wantsJson } from './context.js';
import { toTable, writeJson } from './print.js';
import { requireServer } from './server.js';

/** As `GET /v1/environments` has it, as far as it is shown. */
interface Environment {
  readonly name: string;
  readonly document: { readonly version: number } | null;
  readonly datasets: readonly Dataset[];
  readonly clones: { readonly count: number };
}

interface Dataset {
  readonly target: string;
  readonly version: number;
  readonly state: 'current' | 'previous';
  readonly ageSeconds: number;
  readonly expiresAt: string;
  readonly expired: boolean;
  readonly drifted: readonly string[];
  readonly rowsDrifted: readonly string[];
  readonly lookError: string | null;
  readonly rowsError: string | null;
  readonly quarantined: boolean;
  readonly heldUntil: string | null;
  readonly revokedAt: string | null;
  readonly documents: readonly { readonly kind: string; readonly name: string; readonly version: number | null }[];
  readonly policy: { readonly revision: string | null; readonly digest: string };
  readonly readers: { readonly roles: readonly { readonly role: string; readonly sessions: number }[] } | null;
}

export async function environments(options: GlobalOptions): Promise<number> {
  const found = await (await requireServer(options, 'environments')).list<Environment>('/v1/environments');
  if (wantsJson(options)) writeJson({ environments: found, findings: [] });
  else if (found.length === 0) process.stdout.write('no environment yet: bauta apply and bauta run make the first\n');
  else process.stdout.write(`${toTable([head, ...found.flatMap(toRows)], '')}\n`);
  return 0;
}

const head = ['ENVIRONMENT', 'TARGET', 'VERSION', 'AGE', 'STATE', 'RULEBOOKS', 'POLICY', 'READERS', 'CLONES'];

function toRows({ name, datasets, clones }: Environment): readonly (readonly string[])[] {
  const rows = datasets.map((one) => [
    ...[name, one.target, String(one.version), toAge(one.ageSeconds), toStateText(one)],
    ...[toRulebooks(one), one.policy.revision ?? one.policy.digest.slice(0, 19), toReaders(one.readers), String(clones.count)],
  ]);
  return rows.length === 0 ? [[name, '', '', '', 'nothing published', '', '', '', String(clones.count)]] : rows;
}

/** The largest unit that fits twice, or once where there is none. */
function toAge(seconds: number): string {
  if (seconds >= 2 * 86_400) return `${Math.floor(seconds / 86_400)} days`;
  if (seconds >= 2 * 3600) return `${Math.floor(seconds / 3600)} h`;
  return seconds >= 120 ? `${Math.floor(seconds / 60)} min` : `${seconds} s`;
}

/** What somebody has to do something about first, then until when. */
function toStateText(one: Dataset): string {
  const days = Math.floor((Date.parse(one.expiresAt) - systemClock.now()) / 86_400_000);
  const unseen = [one.lookError, one.rowsError].filter((code) => code !== null);
  return [
    ...(one.state === 'previous' ? ['previous'] : []),
    ...(one.revokedAt === null ? [] : ['revoked']),
    ...(one.quarantined ? ['quarantined'] : []),
    ...(one.drifted.length + one.rowsDrifted.length > 0 ? ['drifted'] : []),
    ...(unseen.length > 0 ? [`not looked at: ${unseen.join(', ')}`] : []),
    one.expired ? `expired ${one.expiresAt}` : `expires in ${days} days`,
    ...(one.heldUntil === null ? [] : [`held until ${one.heldUntil}`]),
  ].join(', ');
}

const toRulebooks = ({ documents }: Dataset): string =>
  documents.flatMap(({ kind, name, version }) => (kind === 'Rulebook' ? [version === null ? name : `${name} v${version}`] : [])).join(', ');

/** Roles with their sessions, as far as there are any. */
const toReaders = (readers: Dataset['readers']): string =>
  readers === null
    ? 'not looked at'
    : readers.roles.map(({ role, sessions }) => (sessions === 0 ? role : `${role} (${sessions})`)).join(', ');
