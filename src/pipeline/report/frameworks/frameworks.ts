// The catalogue: which framework’s control is spoken of by which checks.
import type { Framework } from './control.js';
import { gdpr } from './gdpr.js';
import { hipaa, iso27001, pci } from './others.js';
import { soc2 } from './soc2.js';

export type { Control, Framework } from './control.js';

export const frameworks: readonly Framework[] = [gdpr, soc2, pci, hipaa, iso27001];

export const reportNames = ['gdpr', 'soc2', 'pci', 'hipaa', 'iso27001'] as const;
export type ReportName = (typeof reportNames)[number];

export const frameworkOf = (name: ReportName): Framework => frameworks.find((one) => one.name === name)!;
