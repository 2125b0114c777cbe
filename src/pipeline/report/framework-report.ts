// The report about a framework's controls, which PCI DSS, HIPAA and ISO 27001 have, and with which the others end.
import { toCheckSection, toControlFields, toControlResults, toControlSection, toExceptionSection, toPopulationSection } from './blocks.js';
import type { Collected } from './collect.js';
import type { ReportContext } from './context.js';
import type { ReportDocument, Section } from './document.js';
import { type ReportName, frameworkOf } from './frameworks/frameworks.js';
import { toFront } from './front.js';

const titles: Readonly<Record<ReportName, readonly [title: string, subtitle: string]>> = {
  gdpr: ['Record of masked copies for data protection', 'evidence under the General Data Protection Regulation'],
  soc2: ['Evidence for a SOC 2 examination', 'for a CPA firm to examine; this is no SOC 2 report'],
  pci: ['Evidence about masked copies for PCI DSS 4.0.1', 'for an assessor to judge'],
  hipaa: ['Evidence about masked copies for HIPAA', 'it decides nothing about de-identification'],
  iso27001: ['Evidence about masked copies for ISO/IEC 27001:2022', 'for an auditor to judge'],
};

/** What every printed page repeats. */
export function toRunning({ state, checkpoint: { size, root } }: ReportContext['log']): string {
  const doubt = { whole: '', broken: ' · LOG BROKEN', 'signer-unknown': ' · signer not checked' }[state];
  return `checkpoint ${size} · root ${root.slice(0, 16)}${doubt}`;
}

export function toFrameworkReport(
  name: ReportName,
  context: ReportContext,
  collected: Collected,
  own: readonly Section[] = [],
): ReportDocument {
  const framework = frameworkOf(name);
  const [title, subtitle] = titles[name];
  const { state } = context.log;
  const results = toControlResults(framework, collected, state);
  return {
    ...{ report: name, title, subtitle, period: collected.period, running: toRunning(context.log) },
    front: toFront(context, collected, toControlFields(results, collected)),
    sections: [
      ...own,
      toControlSection(framework, results),
      toCheckSection(collected, state),
      toExceptionSection(collected),
      toPopulationSection(collected),
    ],
  };
}
