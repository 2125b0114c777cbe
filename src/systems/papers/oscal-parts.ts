// What the three OSCAL documents of an assessment have in common: observations of checks, risks of exceptions, findings of controls, and what they rest on.
import type { Json } from '../../kernel/canonical-json.js';
import type { AssessedCheck, AssessedControl, AssessedException, Assessment, Population } from '../../pipeline/report/report.js';
import { toShown } from './shown-text.js';
import { toUuid } from './uuid.js';

type Part = { readonly uuid: string } & { readonly [name: string]: Json };
interface Item extends Part {
  readonly 'related-observations': readonly [{ readonly 'observation-uuid': string }];
}

export class OscalParts {
  readonly namespace = 'urn:bauta:oscal';
  readonly component: string;
  /** The resource that stands for the catalogue of checks: controls are named, and their texts are not ours to print. */
  readonly catalogue: string;
  readonly controlIds: readonly string[];
  readonly observations: readonly Part[];
  readonly risks: readonly Part[];
  readonly items: readonly Item[];
  readonly findings: readonly Part[];
  /** The catalogue is the first. */
  readonly resources: readonly Part[];

  constructor(private readonly assessment: Assessment) {
    const { controls, framework, software } = assessment;
    this.component = toUuid('component', software.version);
    this.catalogue = toUuid('catalogue', framework.id, framework.version);
    this.controlIds = [...new Set(controls.map(({ id }) => this.toControlId(id)))];
    const checks = new Map(controls.flatMap((control) => control.checks.map((check) => [check.id, check] as const)));
    const populations = new Map([...checks.values()].map(({ population }) => [population.name, population] as const));
    const found = [...checks.values()].flatMap((check) => check.exceptions.map((exception, index) => ({ check, exception, index })));
    this.observations = [...checks.values()].map((check) => this.toObservation(check));
    this.risks = found.map(({ check, exception, index }) => this.toRisk(check, exception, index));
    this.items = found.map(({ check, exception, index }) => this.toItem(check, exception, index));
    this.findings = controls.map((control) => this.toFinding(control));
    this.resources = [this.toCatalogue(), ...[...populations.values()].map((population) => this.toResource(population))];
  }

  /** Of something in this assessment: another period, workspace, framework or checkpoint, another id. */
  id(...name: readonly Json[]): string {
    const { framework, workspace, period, checkpoint, software } = this.assessment;
    return toUuid(framework.id, framework.version, workspace, period, checkpoint, software.version, ...name);
  }

  /** A token of OSCAL: `32(1)(d)` of the GDPR is `gdpr-32-1-d`. */
  toControlId(id: string): string {
    const token = (text: string): string => text.toLowerCase().replace(/[^a-z0-9.]+/g, '-').replace(/^[-.]+|[-.]+$/g, ''); // prettier-ignore
    return `${token(this.assessment.framework.id)}-${token(id)}`;
  }

  /** Text where OSCAL reads markup: it stays text, and has at least a letter. */
  markup(text: string): string {
    const line = toShown(text).replace(/\s+/g, ' ').trim();
    return line === '' ? 'unknown' : line.replace(/[\\`*_{}[\]<>~^|&"]/g, '\\$&');
  }

  /** A value of a property: not empty, no space at its ends. */
  word(text: string): string {
    const line = toShown(text).replace(/\s+/g, ' ').trim();
    return line === '' ? 'unknown' : line;
  }

  toMetadata(title: string): Json {
    const { framework, workspace, period, software, checkpoint } = this.assessment;
    const prop = (name: string, value: string): Json => ({ name, ns: this.namespace, value: this.word(value) });
    return {
      title: this.markup(`${title}: ${framework.title}, workspace ${workspace}`),
      'last-modified': period.to,
      version: this.word(`${period.from}/${period.to}`),
      'oscal-version': '1.2.1',
      props: [
        prop('framework-version', framework.version),
        prop('made-by', `Bauta ${software.version}`),
        ...(software.commit === null ? [] : [prop('commit', software.commit)]),
        ...(checkpoint === null
          ? []
          : [prop('log-origin', checkpoint.origin), prop('log-size', String(checkpoint.size)), prop('log-root', checkpoint.root)]),
      ],
      remarks: this.markup('Evidence for an examination, read from a log. It states what was found, and no compliance.'),
    };
  }

  toSystemComponent(): Json {
    const { version } = this.assessment.software;
    return {
      uuid: this.component,
      type: 'software',
      title: 'Bauta',
      description: 'Makes masked copies of production databases for test environments, and keeps a log of it.',
      props: [{ name: 'software-version', ns: this.namespace, value: this.word(version) }],
      status: { state: 'operational' },
    };
  }

  private toObservation(check: AssessedCheck): Part {
    const { id, title, attribute, population, conclusion, tested, exceptionCount, exceptions } = check;
    const listed =
      exceptions.length < exceptionCount ? ` The first ${exceptions.length} of them are risks here; the package lists all.` : '';
    const resource = this.id('population', population.name);
    return {
      uuid: this.id('observation', id),
      title: this.markup(title),
      description: this.markup(
        `Of ${tested} of ${population.rows} items of ${population.name}: ${attribute}. ${exceptionCount} exceptions.${listed}`,
      ),
      props: [
        { name: 'check', ns: this.namespace, value: this.word(id) },
        { name: 'conclusion', ns: this.namespace, value: conclusion.replace(' ', '-') },
        { name: 'population-rows', ns: this.namespace, value: String(population.rows) },
        { name: 'items-tested', ns: this.namespace, value: String(tested) },
        { name: 'exceptions', ns: this.namespace, value: String(exceptionCount) },
      ],
      methods: ['TEST'],
      types: ['control-objective'],
      origins: [{ actors: [{ type: 'tool', 'actor-uuid': this.component }] }],
      subjects: [{ 'subject-uuid': resource, type: 'resource', title: this.markup(population.name) }],
      'relevant-evidence': [{ href: `#${resource}`, description: this.markup(`The population ${population.name}`) }],
      collected: this.assessment.period.to,
    };
  }

  private toRisk(check: AssessedCheck, { item, what, cause, approved, entries }: AssessedException, index: number): Part {
    return {
      uuid: this.id('risk', check.id, item, index),
      title: this.markup(`${check.title}: ${item}`),
      description: this.markup(what),
      statement: this.markup(cause === null ? 'Nobody has said why.' : `Said to be the cause: ${cause}`),
      status: approved === null ? 'open' : 'deviation-approved',
      ...(approved === null ? {} : { deadline: approved.until }),
      props: [
        { name: 'item', ns: this.namespace, value: this.word(item) },
        ...(entries.length === 0 ? [] : [{ name: 'log-entries', ns: this.namespace, value: this.word(entries.join(' ')) }]),
        ...(approved === null ? [] : [{ name: 'approved-by', ns: this.namespace, value: this.word(approved.by) }]),
      ],
    };
  }

  private toItem(check: AssessedCheck, { item, what, since }: AssessedException, index: number): Item {
    return {
      uuid: this.id('item', check.id, item, index),
      title: this.markup(`${check.title}: ${item}`),
      description: this.markup(`${what} Since ${since}.`),
      'related-observations': [{ 'observation-uuid': this.id('observation', check.id) }],
      'related-risks': [{ 'risk-uuid': this.id('risk', check.id, item, index) }],
    };
  }

  private toFinding({ id, title, conclusion, checks }: AssessedControl): Part {
    const risks = checks.flatMap((check) =>
      check.exceptions.map(({ item }, index) => ({ 'risk-uuid': this.id('risk', check.id, item, index) })),
    );
    const reason = conclusion === 'pass' ? 'pass' : conclusion === 'exception' ? 'fail' : 'other';
    return {
      uuid: this.id('finding', id),
      title: this.markup(`${id} ${title}`),
      description: this.markup(
        checks.length === 0 ? 'No check of this catalogue speaks of it.' : `Conclusion of ${checks.length} checks: ${conclusion}.`,
      ),
      target: {
        type: 'objective-id',
        'target-id': this.toControlId(id),
        // OSCAL knows two states: what nobody could see is not satisfied, and says so.
        status: { state: conclusion === 'pass' ? 'satisfied' : 'not-satisfied', reason, remarks: this.markup(conclusion) },
      },
      ...(checks.length === 0
        ? {}
        : { 'related-observations': checks.map((check) => ({ 'observation-uuid': this.id('observation', check.id) })) }),
      ...(risks.length === 0 ? {} : { 'related-risks': risks }),
    };
  }

  private toCatalogue(): Part {
    const { title, version } = this.assessment.framework;
    return {
      uuid: this.catalogue,
      title: this.markup(`${title}, ${version}: the controls that Bauta has checks for`),
      description: this.markup('Controls by their ids, in our own words. There is no file of it to import.'),
    };
  }

  private toResource({ name, rows, file }: Population): Part {
    const hashes = file ? [{ algorithm: 'SHA-256', value: file.sha256 }] : [];
    return {
      uuid: this.id('population', name),
      title: this.markup(name),
      description: this.markup(`A whole population: ${rows} rows.`),
      ...(file ? { rlinks: [{ href: file.path, 'media-type': 'text/csv', hashes }] } : {}),
    };
  }
}
