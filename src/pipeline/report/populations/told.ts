// Populations of which each item is one entry.
import type { Json } from '../../../kernel/canonical-json.js';
import type { Event } from '../../event.js';
import { type Cell, copyWords, recordsOf, toldBy, words } from './population.js';

const { actor, type } = words;
const run = ['id of the run', (event: Event): Cell => event.runId] as const;

const verdicts = ({ data }: Event): readonly Readonly<Record<string, Json>>[] => recordsOf(data['verdicts']);
const countVerdicts =
  (verdict: string) =>
  (event: Event): Cell =>
    verdicts(event).filter((one) => one['verdict'] === verdict).length;

export const tests = toldBy(
  { name: 'effectiveness-tests', title: 'Tests of how effective the masking is', types: ['dataset.verified'] },
  {
    run,
    columns: ['personal columns and paths that were judged', (event) => verdicts(event).length],
    zero: ['of them: where no original may stand, and each was looked for', countVerdicts('zero')],
    rate: ['of them: compared row by row with the originals, against what chance gives', countVerdicts('rate')],
    notTestable: ['of them: where nothing could be tested', countVerdicts('not testable')],
    originals: [
      'originals found in columns where none may stand; empty: of one of them the entry does not say',
      (event) => {
        const found = verdicts(event).flatMap(({ verdict, originals }) => (verdict === 'zero' ? [originals] : []));
        return found.every((one) => typeof one === 'number') ? found.reduce<number>((sum, one) => sum + Number(one), 0) : null;
      },
    ],
    tables: ['tables that were read again', 'tables'],
    sourceRows: ['rows of the source that the run read', 'source.rows'],
  },
);

const list =
  (name: string) =>
  ({ data }: Event): Cell =>
    ((data[name] ?? []) as readonly string[]).join(' ');

export const privacy = toldBy(
  { name: 'privacy-measures', title: 'Privacy of copies, measured before publication', types: ['privacy.measured'] },
  {
    run,
    linked: ['share of rows that an exact join by personal columns links to their original, in the worst table', 'worst.linked'],
    linkedByAll: ['the same by all columns that came through', 'worst.linkedByAll'],
    guessed: ['share of rows guessed by frequency beyond chance, with a confidence of 99 %', 'worst.guessed'],
    unique: ['share of rows that are alone in their quasi-identifiers', 'worst.unique'],
    k: ['rows of the smallest group', 'worst.k'],
    below: ['share of rows in groups smaller than k', 'worst.below'],
    l: ['sensitive values of the worst group', 'worst.l'],
    t: ['distance of the worst group from all rows', 'worst.t'],
    followed: ['share of persons who are alone over all tables', 'worst.followed'],
    dictionary: ['values that are digests of originals without a key', 'worst.dictionary'],
    beyond: ['measures beyond a limit of the target', list('beyond')],
    unmeasured: ['measures that were not made somewhere', list('unmeasured')],
    tables: ['tables that speak of persons', 'tablesMeasured'],
    severity: ['what beyond a limit means: withhold, or warn', 'limits.severity'],
  },
);

export const tables = toldBy(
  { name: 'tables', title: 'Tables loaded into copies', types: ['table.loaded'] },
  {
    run,
    schema: ['schema', 'schema'],
    table: ['table', 'table'],
    rows: ['rows', 'rows'],
    bytes: ['bytes', 'bytes'],
    digest: ['of its rows', 'digest'],
  },
);

export const decisions = toldBy(
  { name: 'plan-decisions', title: 'Decisions of the gate about plans', types: ['plan.decided', 'gate.asked-again'] },
  {
    type,
    run,
    decision: ['its id', 'decision.decisionId'],
    allowed: ['whether it was allowed', 'decision.allow'],
    policyRevision: ['revision of the policy', 'decision.policy.revision'],
    policyDigest: ['digest of the policy', 'decision.policy.digest'],
    planDigest: ['digest of the plan', 'planDigest'],
  },
);

export const deployments = toldBy(
  { name: 'deployment-decisions', title: 'Decisions of gates about deployments', types: ['deployment.decided'] },
  {
    decision: ['its id', 'decision'],
    gate: ['which gate', 'gate'],
    gateVersion: ['version of its document', 'gateVersion'],
    environment: ['where it was to go', 'environment'],
    service: ['what was to be deployed', 'service'],
    commit: ['commit', 'commit'],
    image: ['digest of the image', 'image'],
    dataset: ['the run that made the copy it goes with', 'dataset'],
    allowed: ['whether it was allowed', 'allow'],
    enforced: ['whether the answer was meant to bind; no: it was let through whatever it said', 'enforced'],
    codes: ['codes of the reasons', 'codes'],
    score: ['the score over the gate’s checks, of 100', 'score'],
    threshold: ['what the score had to reach', 'threshold'],
    waived: ['evidence whose findings a waiver covered', 'waived'],
    policyRevision: ['revision of the policy', 'policy.revision'],
    policyDigest: ['digest of the policy', 'policy.digest'],
    actor,
  },
);

export const changes = toldBy(
  { name: 'changes', title: 'Changes of documents', types: ['documents.applied'] },
  {
    actor,
    documents: [
      'kind, name, version and digest of each',
      ({ data }) =>
        recordsOf(data['documents'])
          .map((one) => [one['kind'], one['name'], one['version'], one['change'], one['digest']].map(String).join(' '))
          .join('; '),
    ],
    approval: ['the approval by which it was done; empty: it needed none', 'approval'],
  },
);

export const access = toldBy(
  {
    name: 'access',
    title: 'Changes and refusals of access',
    types: [
      ...[
        'person.made',
        'roles.granted',
        'apikey.issued',
        'apikey.revoked',
        'first-apikey.issued',
        'workspace.made',
        'access.denied',
        'identity.used',
      ],
      ...['person.erased.done', 'secret.rotated', 'secret.rotation-failed', 'clone.link-redeemed', 'clone.link-refused'],
    ],
  },
  {
    type,
    actor,
    person: ['random id of whose access it is', 'person'],
    nameCommitment: ['commitment to the name of a person who came', 'nameCommitment'],
    owner: ['of a service account: random id of who answers for it', 'owner'],
    roles: ['the roles that the person has from then on', 'roles'],
    token: ['id of the key', 'token'],
    tokenDigest: ['digest of what the service keeps of the key, by which one that was put in its place is found', 'tokenDigest'],
    expiresAt: ['until when the key works', 'expiresAt'],
    code: ['why it was refused', 'code'],
    of: [
      'what else it is about',
      ({ data }) => (typeof data['connection'] === 'string' ? data['connection'] : ((data['of'] as string) ?? null)),
    ],
    approval: ['the approval by which it was done', 'approval'],
  },
);

export const keys = toldBy(
  {
    name: 'keys',
    title: 'Keys of pseudonyms',
    types: [
      'key.recorded',
      'key.rotated.done',
      'key.rotated.completed',
      'key.rotated.failed',
      'key.rotated.undone',
      'key.destroyed.done',
      'key.destroyed.completed',
      'key.destroyed.failed',
    ],
  },
  {
    type,
    purpose: ['masking or token', 'purpose'],
    workspace: ['of which workspace', 'workspace'],
    environment: ['of which environment', 'environment'],
    version: ['its version', 'version'],
    from: ['the version before', 'from'],
    upTo: ['destroyed up to this version', 'upTo'],
    check: ['its check value, by which a key that was replaced is found', 'check'],
    code: ['why it failed', 'code'],
    reason: ['commitment to why', 'reason'],
    actor,
  },
);

export const exchanges = toldBy(
  { name: 'token-exchanges', title: 'Exchanges of tokens', types: ['tokens.exchanged', 'tokens.refused', 'tokens.shredded'] },
  {
    type,
    action: ['tokenise or detokenise', 'action'],
    environment: ['where', 'environment'],
    domain: ['which domain', 'domain'],
    purpose: ['one of the domain’s purposes', 'purpose'],
    count: ['how many values', 'count'],
    reason: ['commitment to why', 'reason'],
    keyVersion: ['version of the token key', 'keyVersion'],
    run: ['the run that asked, where it was one', 'run'],
    actor,
  },
);

export const erasures = toldBy(
  {
    name: 'erasures',
    title: 'Erasures, and looks for a person in copies',
    types: ['erasure.requested', 'erasure.completed', 'person.erased.done', 'text.erased.done', 'tokens.shredded', 'person.looked-for'],
  },
  {
    type,
    erasure: ['random id of the request', 'erasure'],
    target: ['target whose copies are meant', 'target'],
    environment: ['environment', 'environment'],
    of: ['id or commitment of what was erased', 'of'],
    reason: ['commitment to why', 'reason'],
    actor,
  },
);

export const breaches = toldBy(
  { name: 'breaches', title: 'Breaches that somebody became aware of', types: ['breach.aware'] },
  {
    environment: ['of which environment', 'environment'],
    detectedAt: ['when it was detected, as that person says', 'detectedAt'],
    incident: ['id of the incident; empty: none was named', 'incident'],
    actor: ['random id of who became aware', 'actor'],
  },
);

export const holds = toldBy(
  {
    name: 'holds',
    title: 'Legal holds and revocations',
    types: ['hold.placed', 'hold.lifted', 'dataset.revoked', 'dataset.quarantined.done'],
  },
  {
    type,
    target: ['name of the target', 'target'],
    run: ['the run that made the version', 'run'],
    version: ['its number', 'version'],
    until: ['until when it is held', 'until'],
    reason: ['commitment to why', 'reason'],
    approval: ['the approval by which it was lifted', 'approval'],
    actor,
  },
);

export const drift = toldBy(
  {
    name: 'drift',
    title: 'Copies that were seen to have changed',
    types: ['dataset.drifted', 'dataset.recovered'],
    query:
      'every entry dataset.drifted and dataset.recovered whose time lies in the period. A look that found nothing is in no entry, so that this is no count of looks',
  },
  {
    type,
    ...copyWords,
    changed: ['tables, or documents, that are not as they were', 'changed'],
  },
);

export const evidence = toldBy(
  { name: 'evidence', title: 'Reports of scanners, and those that count no more', types: ['evidence.received', 'evidence.withdrawn'] },
  {
    type,
    evidence: ['its id', 'evidence'],
    digest: ['of what the tool wrote', 'digest'],
    format: ['what the tool wrote', 'format'],
    subjectKind: ['of what it is', 'subjectKind'],
    subject: ['which one', 'subject'],
    missing: ['what the report does not say', 'missing'],
    counts: ['findings by severity', 'counts'],
    reason: ['commitment to why it was withdrawn', 'reason'],
    actor,
  },
);

export const waivers = toldBy(
  { name: 'waivers', title: 'Waivers of findings', types: ['waiver.granted', 'waiver.ended'] },
  {
    type,
    waiver: ['its id', 'waiver'],
    rule: ['the rule that it is of', 'rule'],
    scopeKind: ['how far it reaches', 'scopeKind'],
    scope: ['where', 'scope'],
    until: ['until when', 'until'],
    reason: ['commitment to why', 'reason'],
    approval: ['the approval by which somebody else agreed', 'approval'],
    actor,
  },
);

export const logChanges = toldBy(
  {
    name: 'log-changes',
    title: 'Logs that began, ended or were deleted, and checkpoints that could not be put elsewhere',
    types: [
      'log.opened',
      'log.closed',
      'log.deleted.intended',
      'log.deleted.done',
      'report.made',
      'daily-report.due',
      'daily-report.made',
      'daily-report.failed',
      'anchor.refused',
    ],
  },
  {
    type,
    origin: ['origin of the log that was deleted', 'origin'],
    size: ['how many entries it had', 'size'],
    retentionDays: ['the retention that was in force', 'retentionDays'],
    report: ['the report that was made', 'report'],
    manifest: ['digest of its manifest', 'manifest'],
    place: ['where a checkpoint was to be put', 'place'],
    code: ['why it could not be', 'code'],
    digest: ['digest of a report that is no package', 'digest'],
    day: ['the day of a daily report', 'day'],
    checksums: ['digest of the checksums of its files', 'checksums'],
    actor,
  },
);
