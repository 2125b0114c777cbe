import { expect, it } from '@jest/globals';

import { findBadReferences } from '../../../test/support/oscal-references.js';
import { sampleAssessment } from '../../../test/support/sample-assessment.js';
import { toOscal } from './oscal.js';
import { toUuid } from './uuid.js';

type Node = { readonly [name: string]: unknown };

const { assessmentResults, componentDefinition, planOfAction } = toOscal(sampleAssessment);

it('names nothing that is not there, and gives each id once', () => {
  for (const document of [assessmentResults, componentDefinition, planOfAction ?? '']) expect(findBadReferences(document)).toEqual([]);
  const dangling = assessmentResults.replace(/"observation-uuid":"[^"]{8}/, '"observation-uuid":"00000000');
  expect(findBadReferences(dangling)).toHaveLength(1);
});

it('never calls a control satisfied that an exception or no evidence stands against', () => {
  const { 'assessment-results': { results: [result] } } = JSON.parse(assessmentResults) as { 'assessment-results': { results: [{ findings: { target: { 'target-id': string; status: Node } }[]; risks: Node[]; observations: Node[] }] } }; // prettier-ignore
  expect(result.findings.map(({ target }) => [target['target-id'], target.status['state'], target.status['reason']])).toEqual([
    ['gdpr-5-1-c', 'satisfied', 'pass'],
    ['gdpr-5-1-e', 'not-satisfied', 'fail'],
    ['gdpr-17', 'not-satisfied', 'other'],
    ['gdpr-25', 'not-satisfied', 'fail'],
    ['gdpr-35', 'not-satisfied', 'other'],
  ]);
  expect(result.observations).toHaveLength(3);
  expect(result.risks.map(({ status, deadline }) => [status, deadline])).toEqual([['open', undefined], ['deviation-approved', '2026-12-31T00:00:00Z']]); // prettier-ignore
});

it('keeps names as text where OSCAL reads markup', () => {
  expect(planOfAction).toContain(JSON.stringify('\\*Zoë\\* \\<b\\>\\[x\\](y)\\</b\\> \\{\\{ insert: param, x \\}\\}').slice(1, -1));
});

it('writes no plan of action where nothing is open, and refuses an assessment of nothing', () => {
  const [first] = sampleAssessment.controls;
  expect(toOscal({ ...sampleAssessment, controls: first ? [first] : [] }).planOfAction).toBeNull();
  expect(() => toOscal({ ...sampleAssessment, controls: [] })).toThrow(RangeError);
});

it('gives the same ids for the same content, and others for another period', () => {
  expect(toOscal(sampleAssessment).assessmentResults).toBe(assessmentResults);
  const other = toOscal({ ...sampleAssessment, period: { ...sampleAssessment.period, to: '2026-10-31T00:00:00Z' } }).assessmentResults;
  const uuidOf = (text: string): unknown => (JSON.parse(text) as { 'assessment-results': Node })['assessment-results']['uuid'];
  expect(uuidOf(other)).not.toBe(uuidOf(assessmentResults));
  expect(toUuid('a')).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});
