// All populations, in the order in which a package lists them.
import { approvals, erasureRequests, occurrences } from './followed.js';
import { clones, versions } from './lived.js';
import type { Population } from './population.js';
import { runs } from './runs.js';
import {
  access,
  changes,
  decisions,
  deployments,
  drift,
  erasures,
  evidence,
  exchanges,
  holds,
  keys,
  logChanges,
  tables,
  tests,
  waivers,
} from './told.js';

export const populations: readonly Population[] = [
  ...[runs, decisions, tables, tests, versions, clones, drift, holds, erasureRequests, erasures, keys, exchanges],
  ...[approvals, changes, access, evidence, waivers, deployments, occurrences, logChanges],
];
