// OSCAL 1.2.1, the newest version that both NIST's schema and compliance-trestle take: what was found, what Bauta is said to do, and what is open.
import { type Json, toCanonicalJson } from '../../kernel/canonical-json.js';
import type { Assessment } from '../../pipeline/report/report.js';
import { OscalParts } from './oscal-parts.js';
import { toUuid } from './uuid.js';

export interface OscalDocuments {
  readonly assessmentResults: string;
  readonly componentDefinition: string;
  /** Null where no exception was found: a plan of nothing is no OSCAL document. */
  readonly planOfAction: string | null;
}

/** MUST be given at least one control. Every uuid that one of the documents names is in that document. */
export function toOscal(assessment: Assessment): OscalDocuments {
  if (assessment.controls.length === 0) throw new RangeError('an assessment has at least one control');
  const parts = new OscalParts(assessment);
  return {
    assessmentResults: write({ 'assessment-results': toResults(assessment, parts) }),
    componentDefinition: write({ 'component-definition': toDefinition(assessment, parts) }),
    planOfAction: parts.risks.length === 0 ? null : write({ 'plan-of-action-and-milestones': toPlan(assessment, parts) }),
  };
}

const write = (value: Json): string => `${toCanonicalJson(value)}\n`;

function toResults(assessment: Assessment, parts: OscalParts): Json {
  const { period, framework, scope } = assessment;
  const { observations, risks, findings, resources, catalogue } = parts;
  return {
    uuid: parts.id('assessment-results'),
    metadata: parts.toMetadata('Results of checks'),
    'import-ap': { href: `#${catalogue}` },
    'local-definitions': {
      remarks: parts.markup('The checks, their populations and what they ask of each item are Bauta’s own catalogue.'),
    },
    results: [
      {
        uuid: parts.id('result'),
        title: parts.markup(`${framework.title}: checks over the period`),
        description: parts.markup(scope),
        start: period.from,
        end: period.to,
        'local-definitions': { components: [parts.toSystemComponent()] },
        'reviewed-controls': { 'control-selections': [{ 'include-controls': parts.controlIds.map((id) => ({ 'control-id': id })) }] },
        ...(observations.length > 0 ? { observations } : {}),
        ...(risks.length > 0 ? { risks } : {}),
        findings,
      },
    ],
    'back-matter': { resources },
  };
}

function toDefinition({ framework, controls, software }: Assessment, parts: OscalParts): Json {
  const requirements = controls.map(({ id, statement }) => ({
    uuid: parts.id('requirement', id),
    'control-id': parts.toControlId(id),
    description: parts.markup(statement),
  }));
  return {
    uuid: parts.id('component-definition'),
    metadata: parts.toMetadata('What Bauta does for controls'),
    components: [
      {
        uuid: parts.component,
        type: 'software',
        title: 'Bauta',
        description: 'Makes masked copies of production databases for test environments, and keeps a log of it.',
        props: [{ name: 'software-version', ns: parts.namespace, value: parts.word(software.version) }],
        'control-implementations': [
          {
            uuid: toUuid('implementation', framework.id, framework.version),
            source: `#${parts.catalogue}`,
            description: parts.markup(
              `What Bauta does towards ${framework.title}, in our own words. It is no statement that a control is met.`,
            ),
            'implemented-requirements': requirements,
          },
        ],
      },
    ],
    'back-matter': { resources: parts.resources.slice(0, 1) },
  };
}

function toPlan({ workspace }: Assessment, parts: OscalParts): Json {
  return {
    uuid: parts.id('plan-of-action-and-milestones'),
    metadata: parts.toMetadata('Exceptions'),
    'system-id': { 'identifier-type': 'urn:bauta:workspace', id: parts.word(workspace) },
    'local-definitions': { components: [parts.toSystemComponent()] },
    observations: parts.observations.filter(({ uuid }) =>
      parts.items.some((item) => item['related-observations'][0]['observation-uuid'] === uuid),
    ),
    risks: parts.risks,
    'poam-items': parts.items,
    'back-matter': { resources: parts.resources },
  };
}
