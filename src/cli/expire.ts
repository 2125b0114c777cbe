// `bauta expire`: versions that have expired are dropped, or one that is withdrawn; what was dropped, and what nobody can reach, is attested in the log.
import { systemClock } from '../kernel/clock.js';
import { toError } from '../kernel/errors.js';
import { newRunId } from '../kernel/ids.js';
import type { Attestation, Beyond } from '../pipeline/attestation.js';
import { type ExpiredVersion, type Expiry, expire as carryOut } from '../pipeline/expire.js';
import { type ComposeOptions, compose } from './compose.js';
import { type GlobalOptions, wantsJson } from './context.js';
import { type Subject, choosePlace } from './place.js';
import { paint, stripControls, toFindingText, toTable, writeJson } from './print.js';

export interface ExpireOptions extends GlobalOptions, Subject {
  /** This one, expired or not. */
  readonly withdraw?: number;
  /** Why it is withdrawn. */
  readonly reason?: string;
  readonly dryRun?: boolean;
}

export async function expire(options: ExpireOptions): Promise<number> {
  if (options.withdraw !== undefined && options.reason === undefined && options.dryRun !== true)
    throw toError('OPTION_MISSING', { name: '--reason', expected: 'bauta expire --withdraw 3 --reason "a person was in it"' });
  const place = await choosePlace('expire', options);
  const expiry = place.server
    ? await (await import('./await-errand.js')).awaitErrand<Expiry>(place.server, '/v1/expiries', place.pipeline, toOrder(options))
    : await expireHere({ ...options, file: place.file });
  if (wantsJson(options)) writeJson(expiry);
  else print(expiry, options.dryRun === true);
  return expiry.findings.some(({ severity }) => severity === 'error') ? 1 : 0;
}

const toOrder = ({ withdraw, reason, dryRun = false }: ExpireOptions): Readonly<Record<string, unknown>> => ({
  ...(withdraw === undefined ? {} : { withdraw: { version: withdraw, reason: reason ?? '' } }),
  dryRun,
});

async function expireHere(options: ExpireOptions & ComposeOptions): Promise<Expiry> {
  const { doors, request, run, verifiers, close } = await compose(options);
  try {
    const { name: pipeline, target } = request.pipeline.body;
    const { withdraw: version, reason = '', dryRun } = options;
    return await carryOut(doors, {
      ...{ pipeline, target, verifiers, dryRun },
      newId: () => newRunId(systemClock.now()),
      actor: dryRun ? undefined : await run.actor?.(),
      ...(version === undefined ? {} : { withdraw: { version, reason } }),
    });
  } finally {
    await close();
  }
}

function print({ versions, findings }: Expiry, dryRun: boolean): void {
  for (const version of versions) process.stdout.write(`${toText(version, dryRun)}\n`);
  for (const finding of findings) process.stdout.write(`${toFindingText(finding)}\n`);
  if (versions.length === 0 && findings.length === 0) process.stdout.write('nothing has expired\n');
}

function toText({ target, version, why, expiresAt, steps, attestation }: ExpiredVersion, dryRun: boolean): string {
  const said = why === 'expired' ? `expired at ${expiresAt ?? 'a time that nobody knows'}` : 'withdrawn';
  const word = dryRun ? 'would be dropped' : attestation ? paint('dropped', 32, process.stdout) : paint('not dropped', 31, process.stdout);
  const head = `${word}: ${stripControls(target)}, version ${version}, ${said}`;
  if (!attestation) return [head, ...steps.map(({ statement }) => `  ${stripControls(statement)}`)].join('\n');
  return [head, toDroppedText(attestation), toBeyondText(attestation)].filter((text) => text !== '').join('\n');
}

function toDroppedText({ dropped, kept, address, lookedAt }: Attestation): string {
  const things = dropped.map(({ kind, name, seen, statement }) => [kind, stripControls(name), seen, stripControls(statement)]);
  const stay = kept.map(({ kind, name, why }) => [kind, stripControls(name), 'kept', stripControls(why)]);
  return [toTable([...things, ...stay]), `  seen at ${lookedAt} on ${stripControls(address)}, in a session of its own`].join('\n');
}

export function toBeyondText({ beyond }: Pick<Attestation, 'beyond'>): string {
  const words: Readonly<Record<string, string>> = {
    backups: 'backups', walArchives: 'WAL archives', replicas: 'replicas', diskSnapshots: 'disk snapshots', files: 'files handed out', topics: 'topics',
  }; // prettier-ignore
  return toTable([...Object.entries(beyond).map(([reach, one]) => [words[reach] ?? reach, one.says, toWords(one)])]);
}

function toWords(one: Beyond): string {
  if (one.says === 'evidenced') return one.what;
  if (one.says === 'unknown') return 'nobody said how long it stays there';
  return one.days === 0 ? `none: ${stripControls(one.reason)}` : `until ${one.until}: ${stripControls(one.reason)}`;
}
