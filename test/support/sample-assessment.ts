// Checks as an auditor gets them: one that passes, one with exceptions (agreed to and not), one without evidence, and a control that no check speaks of.
import type { AssessedCheck, AssessedControl, Assessment } from '../../src/pipeline/report/report.js';

const masked: AssessedCheck = {
  id: 'columns-masked',
  title: 'Every classified column is masked',
  attribute: 'no classified column is kept without a reason',
  population: {
    name: 'runs',
    rows: 10_000,
    file: { path: 'populations/runs.csv', sha256: 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855' },
  },
  conclusion: 'pass',
  tested: 10_000,
  exceptionCount: 0,
  exceptions: [],
};
const ended: AssessedCheck = {
  id: 'versions-end',
  title: 'Versions end when their time is over',
  attribute: 'the version was dropped at most 24 hours after its expiry',
  population: { name: 'versions', rows: 212, file: { path: 'populations/versions.csv', sha256: 'a'.repeat(64) } },
  conclusion: 'exception',
  tested: 40,
  exceptionCount: 2,
  exceptions: [
    {
      item: 'shop_demo 41',
      what: 'Dropped 11 days after its expiry',
      cause: null,
      since: '2026-08-02T00:00:00Z',
      approved: null,
      entries: ['2026/7001', '2026/7002'],
    },
    { item: '*Zoë* <b>[x](y)</b> {{ insert: param, x }}', what: ' ', cause: 'A demonstration\nfor `sales`', since: '2026-09-01T00:00:00Z', approved: { by: '0k7z3m1q421f0d69', until: '2026-12-31T00:00:00Z' }, entries: [] }, // prettier-ignore
  ],
};
const erased: AssessedCheck = {
  id: 'erasures-completed',
  title: 'Requests for erasure were completed',
  attribute: 'nothing of the person was left within 28 days',
  population: { name: 'erasure-requests', rows: 0 },
  conclusion: 'no evidence',
  tested: 0,
  exceptionCount: 0,
  exceptions: [],
};
const control = (id: string, conclusion: AssessedControl['conclusion'], ...checks: AssessedCheck[]): AssessedControl => ({ id, title: `What ${id} asks`, statement: 'Bauta masks every column that is classified, and drops versions when their time is over.', conclusion, checks }); // prettier-ignore

export const sampleAssessment: Assessment = {
  framework: { id: 'gdpr', title: 'Regulation (EU) 2016/679', version: '2016-04-27' },
  workspace: 'shop',
  period: { from: '2026-07-01T00:00:00Z', to: '2026-09-30T22:00:00Z' },
  software: { version: '0.1.0', commit: '4f2d9c61e07b' },
  checkpoint: { origin: 'log.example.test/shop', size: 10_482, root: 'n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg=' },
  scope: 'One workspace, one period, read from its log alone.',
  controls: [
    control('5(1)(c)', 'pass', masked),
    control('5(1)(e)', 'exception', ended),
    control('17', 'no evidence', erased),
    control('25', 'exception', masked, ended),
    control('35', 'no evidence'),
  ],
};
