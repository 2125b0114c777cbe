// The decision table of deployments: a situation, the question, and the codes of the reasons against it (none: allowed).
import type { Row } from './decision-table.js';
import { type Members, today } from './question.js';

const nowMs = today * 86_400_000;
const day = 86_400_000;
const image = `sha256:${'b'.repeat(64)}`;

const statement: Members = {
  ...{ state: 'valid', signer: 'checked', compared: 'rows', atMs: nowMs - 60_000, run: '0000000000000001', label: 'shop_test@3' },
  expiresAtMs: nowMs + day,
};
const version: Members = {
  ...{ expiresAtMs: nowMs + day, publishedAtMs: nowMs - 3_600_000, lookedAtMs: nowMs - 1_800_000, lookError: null, drift: [] },
  ...{ rowsError: null, rowsDrifted: 0, liveValues: 0, checks: { pass: 4, fail: 0, notRun: 0 } },
  ...{ revoked: false, dropped: false, quarantined: false },
};
const dataset: Members = { points: 30, checkPoints: 10, statement, version };
const none = { critical: 0, high: 0, medium: 0, low: 0, unknown: 0 };
const item: Members = {
  ...{
    id: 'a',
    type: 'trivy',
    tool: 'trivy',
    subject: { kind: 'image', value: image },
    receivedAtMs: nowMs - 600_000,
    madeAtMs: null,
    databaseAtMs: null,
  },
  producer: { issuer: 'github', repository: 'shop/web', ref: 'refs/heads/main', workflow: 'ci.yml', person: 'ci' },
  ...{ state: 'whole', why: null, counts: none, fixableCriticals: 0, failed: 0, waived: 0, waivedUntilMs: null },
};
const requirement: Members = { name: 'scan', type: 'trivy', tool: null, subject: 'image', points: 60, maxAgeMs: day, producers: [] };
const gate: Members = { name: 'production', threshold: 8500, environments: ['prod', 'prod-*'], services: ['*'] };
const request: Members = {
  ...{ environment: 'prod-eu', service: 'web', commit: 'a'.repeat(40), image: { digest: image }, datasetVersion: null },
};
const parameters: Members = {
  penalties: { critical: 40, high: 10, medium: 2, low: 0, unknown: 10, failed: 100 },
  ...{ fixableCriticals: 0, driftMaxAgeMs: 7 * day, databaseMaxAgeMs: 7 * day, statementMaxAgeMs: 3_600_000, logLagSeconds: 60 },
};
export const validDeployment: Members = {
  ...{ version: 1, today, nowMs, workspace: 'default', gate, request, environment: { class: 'production' } },
  ...{ log: { state: 'signed', lagSeconds: 0 }, dataset, production: null, requirements: [requirement], evidence: [item], parameters },
};

const asked = (change: Members): Members => ({ ...validDeployment, ...change });
const said = (change: Members): Members => asked({ dataset: { ...dataset, statement: { ...statement, ...change } } });
const privacy: Members = { worst: { linked: 0.01, guessed: null, k: 4 }, unmeasured: ['guessed'] };
const measured = (limits: Members): Members => asked({ dataset: { ...dataset, privacy: limits, version: { ...version, privacy } } });
const found = (change: Members): Members => asked({ dataset: { ...dataset, version: { ...version, ...change } } });
const sent = (change: Members): Members => asked({ evidence: [{ ...item, ...change }] });
const gated = (change: Members): Members => asked({ gate: { ...gate, ...change } });
const wanted = (change: Members): Members => asked({ requirements: [{ ...requirement, ...change }] });

/** Without what it is there for, the data earns none of its 40 points. */
const low = 'SCORE_BELOW_THRESHOLD';

export const deployTable: readonly Row[] = [
  ['everything is there', validDeployment, []],
  ['nothing is asked', {}, ['DEPLOY_FACT_MISSING']],
  ['a fact is missing', asked({ log: {} }), ['DEPLOY_FACT_MISSING']],
  ['a count is a text', sent({ counts: { ...none, high: '0' } }), ['DEPLOY_FACT_MISSING']],
  ['the environment is not of the gate', gated({ environments: ['prod'] }), ['GATE_OUT_OF_SCOPE']],
  ['the service is not of the gate', gated({ services: ['api-*'] }), ['GATE_OUT_OF_SCOPE']],
  ['the image is a tag', asked({ request: { ...request, image: { digest: null } } }), ['IMAGE_NOT_PINNED', 'EVIDENCE_OTHER_SUBJECT', low]],
  ['no image is named', asked({ request: { ...request, image: null } }), ['EVIDENCE_OTHER_SUBJECT', low]],
  ['nobody attested', asked({ dataset: { ...dataset, statement: null, version: null } }), ['DATASET_UNATTESTED', low]],
  ['no data is asked for', asked({ dataset: null }), []],
  ['the tests ran on unmasked data', said({ state: 'unknown', run: null, label: null }), ['DATASET_NOT_MASKED', low]],
  ['the copy is broken', said({ state: 'broken' }), ['DATASET_NOT_MASKED', low]],
  ['somebody else signed the marker', said({ signer: 'unknown' }), ['DATASET_NOT_MASKED', low]],
  ['nobody but the gate checked the signer', said({ state: 'unchecked' }), []],
  ['the statement is old', said({ atMs: nowMs - 3_600_001 }), ['DATASET_STATEMENT_STALE', low]],
  ['the statement is of tomorrow', said({ atMs: nowMs + 300_001 }), ['DATASET_STATEMENT_STALE', low]],
  ['the request names another version', asked({ request: { ...request, datasetVersion: 'shop_test@4' } }), ['DATASET_OTHER', low]],
  ['the request names that version', asked({ request: { ...request, datasetVersion: 'shop_test@3' } }), []],
  ['nobody published it here', asked({ dataset: { ...dataset, version: null } }), ['DATASET_UNKNOWN', low]],
  ['it expires now', found({ expiresAtMs: nowMs }), ['DATASET_EXPIRED', low]],
  ['its marker says that it expires now', said({ expiresAtMs: nowMs }), ['DATASET_EXPIRED', low]],
  ['it expires in a millisecond', found({ expiresAtMs: nowMs + 1 }), []],
  ['it was revoked', found({ revoked: true }), ['DATASET_REVOKED', low]],
  ['it was dropped', found({ dropped: true }), ['DATASET_REVOKED', low]],
  ['it is quarantined', found({ quarantined: true }), ['DATASET_REVOKED', low]],
  ['a document has changed', found({ drift: ['Pipeline shop'] }), ['DATASET_DRIFTED', low]],
  ['rows have changed', found({ rowsDrifted: 2 }), ['DATASET_DRIFTED', low]],
  ['the last look failed', found({ lookError: 'SOURCE_UNREACHABLE' }), ['DRIFT_UNKNOWN', low]],
  ['the last look at the rows failed', found({ rowsError: 'TARGET_UNREACHABLE' }), ['DRIFT_UNKNOWN', low]],
  ['nobody looked for long', found({ publishedAtMs: nowMs - 8 * day, lookedAtMs: nowMs - 8 * day }), ['DRIFT_UNKNOWN', low]],
  ['card numbers that are live were counted', found({ liveValues: 3, rowsDrifted: 1 }), ['LIVE_VALUES', 'DATASET_DRIFTED', low]],
  ['privacy is within the limits', measured({ maxLinked: 0.01, minK: 4 }), []],
  ['more is linked than the gate allows', measured({ maxLinked: 0.009 }), ['DATASET_PRIVACY_BEYOND']],
  ['groups are smaller than the gate asks for', measured({ minK: 5 }), ['DATASET_PRIVACY_BEYOND']],
  ['what the gate asks for was not measured', measured({ maxGuessed: 1 }), ['DATASET_PRIVACY_UNKNOWN']],
  ['nothing was measured of the version', asked({ dataset: { ...dataset, privacy: { maxLinked: 1 } } }), ['DATASET_PRIVACY_UNKNOWN']],
  ['production carries a marker', asked({ production: { marked: true } }), ['MASKED_DATA_IN_PRODUCTION']],
  ['production carries none', asked({ production: { marked: false } }), []],
  ['the log was forged', asked({ log: { state: 'forged', lagSeconds: 0 } }), ['LOG_NOT_WHOLE']],
  ['the log is late', asked({ log: { state: 'signed', lagSeconds: 61 } }), ['LOG_NOT_WHOLE']],
  ['there is no report', asked({ evidence: [] }), ['EVIDENCE_MISSING', low]],
  ['the report is of another image', sent({ subject: { kind: 'image', value: 'sha256:cc' } }), ['EVIDENCE_OTHER_SUBJECT', low]],
  ['the report is old', sent({ receivedAtMs: nowMs - day - 1 }), ['EVIDENCE_STALE', low]],
  ['the report says that it is old', sent({ madeAtMs: nowMs - day - 1 }), ['EVIDENCE_STALE', low]],
  ['the tool knew old vulnerabilities', sent({ databaseAtMs: nowMs - 8 * day }), ['EVIDENCE_EMPTY', low]],
  ['another tool made it', wanted({ tool: 'grype*' }), ['EVIDENCE_OTHER_SUBJECT', low]],
  ['the report looked at nothing', sent({ state: 'empty', why: 'no-target' }), ['EVIDENCE_EMPTY', low]],
  ['another producer sent the report', wanted({ producers: [{ repository: 'other/*' }] }), ['EVIDENCE_PRODUCER', low]],
  ['that producer sent the report', wanted({ producers: [{ repository: 'shop/*', workflow: 'ci.yml' }] }), []],
  ['a critical finding has a fix', sent({ counts: { ...none, critical: 1 }, fixableCriticals: 1 }), ['CRITICAL_WITH_FIX', low]],
  ['it was waived', sent({ waived: 1, waivedUntilMs: nowMs + 1 }), []],
  // 40, and 60 with 24 % taken: 85.6 of 100.
  ['the score is above the threshold', sent({ counts: { ...none, high: 2, medium: 2 } }), []],
  ['the score is exactly the threshold', { ...sent({ counts: { ...none, high: 2, medium: 2 } }), gate: { ...gate, threshold: 8560 } }, []],
  ['the score is a hair below', { ...sent({ counts: { ...none, high: 2, medium: 2 } }), gate: { ...gate, threshold: 8561 } }, [low]],
  ['a test failed', sent({ failed: 1 }), [low]],
  ['checks of the version failed', found({ checks: { pass: 3, fail: 1, notRun: 0 } }), []],
];
