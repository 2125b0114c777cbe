// The whole way, top to bottom: source → extract → classify → mask → gate → deliver → verify → audit → report.
import type { Json } from '../kernel/canonical-json.js';
import { type Finding, toError, toErrorView, toFindings, toKnownError } from '../kernel/errors.js';
import { Journal } from './audit/audit.js';
import type { Catalogue } from './catalogue.js';
import type { Reader, Receipt } from './ports.js';
import { makeChecks } from './make-checks.js';
import { measurePrivacy } from './measure-privacy.js';
import { move } from './move.js';
import type { Plan } from './plan.js';
import { readRetired } from './drop.js';
import { publish } from './publish.js';
import { type Prepared, type Request, prepare, toRefusal, toScope } from './prepare.js';
import type { Doors, Hooks, Run } from './run.js';
import { toShownError, toShownFinding, toShownPath } from './shown-path.js';
import { findReusable } from './reuse.js';
import { settle } from './settle.js';
import { type RunState, type RunSummary, toSummary } from './report/report.js';
import { type Ground, type GroundOf, letGo, takeUp, toRanges, toStagingRun } from './take-up.js';
import { closingAfter, untilStopped } from './until-stopped.js';
import { outputSpace } from './mask/mask.js';
import { type VerifyReport, Verification } from './verify/verify.js';

/** One run: a published dataset, or a target as it was. Never throws: what went wrong is in the summary, and the error beside it. */
export async function provision(
  doors: Doors,
  request: Request,
  run: Run,
  hooks: Hooks = {},
): Promise<{ summary: RunSummary; error?: unknown }> {
  const journal = new Journal(doors.sink, doors.clock, run.id);
  const end = async (state: RunState, error?: unknown): Promise<{ summary: RunSummary; error?: unknown }> => {
    await journal.append('report', 'run.ended', {
      ...{ state, peakRssBytes: doors.peakRssBytes() },
      ...(error === undefined ? {} : { error: toJson(toErrorView(error)) }),
    });
    return { summary: toSummary(run.id, journal.events, journal.checkpoint, (text) => journal.textOf(text)), error };
  };
  const fate: Fate = {};
  try {
    return await end(await way(doors, request, run, hooks, journal, fate));
  } catch (error) {
    const { published } = fate;
    // A stop cuts connections: what that broke is no reason of its own.
    const stopped = run.signal?.aborted === true;
    const told = published
      ? toError('AFTER_PUBLICATION', { stage: 'audit', name: toKnownError(error).code })
      : toShownError(stopped ? run.signal?.reason : error);
    return end(published ? 'published' : stopped ? 'cancelled' : 'failed', told).catch((broken: unknown) => {
      // The log itself could not be written: what it would have said is said here.
      const said = published ? told : broken;
      const state: RunState = published ? 'published' : 'failed';
      const view = { state, dataset: published ?? null, findings: toFindings(said), error: toErrorView(said) };
      return {
        summary: { ...toSummary(run.id, journal.events, journal.checkpoint, (text) => journal.textOf(text)), ...view },
        error: said,
      };
    });
  }
}

/** What cannot be taken back, whatever fails after it. */
interface Fate {
  published?: NonNullable<RunSummary['dataset']>;
}

async function way(doors: Doors, request: Request, run: Run, hooks: Hooks, journal: Journal, fate: Fate): Promise<RunState> {
  const border = async (name: string): Promise<void> => {
    run.signal?.throwIfAborted();
    await hooks.border?.(name);
  };
  await journal.append('source', 'run.started', {
    pipeline: request.pipeline.body.name,
    environment: request.pipeline.body.target.environment,
    actor: run.actor === undefined ? null : await run.actor(),
  });

  const prepared = await untilStopped(
    run,
    () => doors.source.close(),
    () => prepare(doors, request),
  );
  hooks.prepared?.(prepared);
  await journal.append('source', 'source.seen', { ...prepared.seenSource });
  await journal.append('classify', 'findings.made', { findings: toJson(prepared.findings) });
  const { plan, planDigest, decision, question, targetFacts } = prepared;
  if (!plan || !planDigest || !decision || !question || prepared.findings.some(isError)) throw toRefusal(prepared.findings);
  await journal.append('gate', 'plan.decided', { planDigest, decision: toJson(decision), ...toPlace(targetFacts) });
  if (!decision.allow) return 'denied';
  if (run.reuse && (await reuse(doors, run.reuse, { ...prepared, plan, planDigest }, request.knownSources, hooks, journal)))
    return 'reused';
  if (request.pipeline.body.approval) await requireApproval(request.pipeline.body.name, planDigest, hooks);

  await border('source');
  // Threads take their time to start: they do it while source and target are made ready.
  const executing = doors.executor(plan);
  executing.catch(() => undefined);
  return closingAfter(
    async () => (await executing).close(),
    () =>
      throughStaging(
        { ...doors, executor: () => executing },
        { ...prepared, plan, planDigest, question },
        request,
        run,
        hooks,
        journal,
        border,
        fate,
      ),
  );
}

/** By which others know the target. */
const toPlace = (facts: Prepared['targetFacts']): { readonly target?: Json } =>
  facts ? { target: { address: facts.address, database: facts.database, systemIdentifier: facts.systemIdentifier } } : {};

/** True when a version was found, which then is told of. It changes nothing anywhere, so nobody has to approve of it. */
async function reuse(
  doors: Doors,
  { verifiers }: NonNullable<Run['reuse']>,
  prepared: Prepared & { readonly plan: Plan; readonly planDigest: string },
  knownSources: Request['knownSources'],
  hooks: Hooks,
  journal: Journal,
): Promise<boolean> {
  const found = await findReusable(doors, prepared, { verifiers, journal, knownSources });
  if ('why' in found) {
    await journal.append('gate', 'dataset.not-reused', { why: found.why });
    hooks.notReused?.(found.why);
    return false;
  }
  await journal.append('gate', 'dataset.reused', { ...found });
  return true;
}

async function requireApproval(name: string, planDigest: string, hooks: Hooks): Promise<void> {
  if (!hooks.approve) throw toError('APPROVAL_MISSING', { stage: 'gate', name });
  await hooks.approve(planDigest);
}

/** From a plan that may go ahead to the published dataset, or to a target as it was. */
async function throughStaging(
  doors: Doors,
  { plan, planDigest, question, catalogue, key, tokenKey, targetFacts }: Prepared & Pick<GroundOf, 'plan' | 'planDigest' | 'question'>,
  request: Request,
  run: Run,
  hooks: Hooks,
  journal: Journal,
  border: (name: string) => Promise<void>,
  fate: Fate,
): Promise<RunState> {
  const place = { server: targetFacts?.systemIdentifier ?? '', target: targetFacts?.database ?? '' };
  const of: GroundOf = { plan, planDigest, question, catalogue, scope: toScope(request), place };
  if (!request.recordedKeys.checks.has(key.version)) await journal.append('mask', 'key.recorded', { ...key });
  if (tokenKey && !request.recordedTokenKeys.checks.has(tokenKey.version)) await journal.append('mask', 'key.recorded', { ...tokenKey });
  const held = (await run.succession?.held()) ?? [];
  const goingOn = new Set(await run.succession?.goingOn());
  // What this run left itself is only of use while somebody holds its snapshot.
  if (held.length === 0) goingOn.delete(run.id);
  const swept = await doors.target.sweep(goingOn);
  if (swept.length > 0) await journal.append('deliver', 'staging.swept', { ...place, names: swept });
  const left = await takeUp(doors, run, journal, of, held);
  const provisioned = (ground: Ground): Promise<RunState> => onGround(doors, of, run, hooks, journal, border, fate, ground);
  if (left)
    return closingAfter(
      () => left.snapshot.close(),
      () =>
        closingAfter(
          () => letGo(run, left.staging),
          () => provisioned(left),
        ),
    );
  await settle(doors);
  // Before the snapshot: what is committed between the two is counted later, and the version then is not taken for the source's state.
  const { digest: sourceState } = await doors.source.state(plan, catalogue);
  const snapshot = await doors.source.open(plan, of.scope);
  return closingAfter(
    () => snapshot.close(),
    async () => {
      await journal.append('extract', 'snapshot.opened', { catalogueDigest: plan.catalogueDigest, sourceState });
      await border('extract');
      const [login, retired] = [await toStagingRun(doors.keys, plan, run), await readRetired(doors.sink, place)];
      const own = { ...login, nonce: run.nonce, retired, ranges: snapshot.ranges() };
      const staging = await journal.change('deliver', 'staging', { ...place, planDigest }, () => doors.target.begin(plan, catalogue, own));
      return closingAfter(
        () => letGo(run, staging),
        async () => provisioned({ snapshot, staging, ranges: await toRanges(run, planDigest, snapshot, staging) }),
      );
    },
  );
}

/** From staging, empty or not, to the published dataset. */
async function onGround(
  doors: Doors,
  { plan, planDigest, question, catalogue, scope, place }: GroundOf,
  run: Run,
  hooks: Hooks,
  journal: Journal,
  border: (name: string) => Promise<void>,
  fate: Fate,
  ground: Ground,
): Promise<RunState> {
  await run.succession?.holding(ground.snapshot.held, plan, scope);
  ground.staging.listen?.((line) => hooks.heard?.(line));
  const report = await fill(doors, plan, run, hooks, journal, border, ground, catalogue);
  if (report.findings.some(isError)) return 'withheld';
  await border('publish');
  const onPublished = (dataset: NonNullable<Fate['published']>): void => void (fate.published = dataset);
  await publish(doors, journal, run, ground.staging, {
    plan,
    planDigest,
    question,
    systemIdentifier: place['server'] as string,
    receipts: report.receipts,
    onPublished,
    onArchived: () => border('archive'),
  });
  // No stop counts any more: what is published is published.
  await hooks.border?.('done');
  return 'published';
}

/** Staging from empty to verified; a stop cuts it wherever it is. */
async function fill(
  doors: Doors,
  plan: Plan,
  run: Run,
  hooks: Hooks,
  journal: Journal,
  border: (name: string) => Promise<void>,
  ground: Ground,
  catalogue: Catalogue,
): Promise<VerifyReport> {
  const { snapshot, staging } = ground;
  const reader = await doors.reader(snapshot.held.id, staging);
  const cut = (): Promise<unknown> => Promise.all([snapshot.close(), reader.close(), letGo(run, staging)]);
  return closingAfter(
    () => reader.close(),
    () =>
      untilStopped({ signal: run.signal, exceeded: snapshot.exceeded }, cut, () =>
        fillAndVerify(doors, plan, run, hooks, journal, border, ground, reader, catalogue),
      ),
  );
}

/** Extract, mask and deliver run overlapped, and the verifier reads the source beside them; then keys and indexes, then the verifier reads staging. */
async function fillAndVerify(
  doors: Doors,
  plan: Plan,
  run: Run,
  hooks: Hooks,
  journal: Journal,
  border: (name: string) => Promise<void>,
  { snapshot, staging, ranges }: Ground,
  reader: Reader,
  catalogue: Catalogue,
): Promise<VerifyReport> {
  const verification = new Verification({ reader, plan, nonce: staging.nonce, slotsLog2: doors.slotsLog2, outputSpace });
  const collecting = verification.collect();
  collecting.catch(() => undefined);
  const receipts: readonly Receipt[] = await move(doors, plan, hooks, journal, snapshot, staging, ranges);
  await border('deliver');
  const built = await staging.finish((done, of) => hooks.built?.(done, of));
  if (built.some(isError)) {
    await journal.append('deliver', 'findings.made', { findings: toJson(built) });
    throw toError('DELIVER_SCHEMA_FAILED', { stage: 'deliver', amount: String(built.filter(isError).length) }, built);
  }
  await staging.setSequences(await snapshot.sequences());
  // The load is compared with its receipts before the pipeline's own files write there too, and everything else after them.
  const loaded = run.after.length > 0 ? await verification.digest() : undefined;
  await staging.runAfter(run.after);
  await collecting;
  await border('verify');
  const report = await verification.check(receipts, loaded);
  hooks.verified?.(report);
  await journal.append('verify', 'dataset.verified', {
    tables: report.receipts.length,
    verdicts: toJson(
      report.verdicts.map((verdict) => (verdict.path === undefined ? verdict : { ...verdict, path: toShownPath(verdict.path) })),
    ),
    source: toJson(snapshot.usage()),
  });
  const append = (type: string, data: Readonly<Record<string, Json>>): Promise<unknown> => journal.append('verify', type, data);
  const checked = await makeChecks(doors, plan, { reader, asOfMs: snapshot.held.openedAtMs, append });
  hooks.checked?.(checked.results);
  const { receipts: seen } = report;
  const measured = await measurePrivacy(doors, plan, { reader, snapshot, catalogue, receipts: seen, nonce: staging.nonce, append });
  hooks.measured?.(measured.measures);
  const findings = [...report.findings.map(toShownFinding), ...checked.findings, ...measured.findings];
  await journal.append('verify', 'findings.made', { findings: toJson([...built, ...findings]) });
  return { ...report, findings };
}

const isError = ({ severity }: Finding): boolean => severity === 'error';

const toJson = (value: unknown): Json => JSON.parse(JSON.stringify(value)) as Json;
