// All populations, in the order in which a package lists them.
import { breakglasses, flips, gateCalls } from './deployed.js';
import { approvals, erasureRequests } from './followed.js';
import { occurrences } from './occurrences.js';
import { clones, versions } from './lived.js';
import type { Population } from './population.js';
import { changesOfTheWorld } from './intended.js';
import { anomalies, incidentSteps, incidents } from './odd.js';
import { runs } from './runs.js';
import { accessHeld, accessReviews } from './reviewed.js';
import {
  access,
  breaches,
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
  privacy,
  tables,
  tests,
  waivers,
} from './told.js';
import { agents, archives, copiesWatched, notifications, policyBundles, refusals, requests, troubles } from './watched.js';

export const populations: readonly Population[] = [
  ...[runs, decisions, tables, tests, privacy, versions, clones, drift, holds, erasureRequests, erasures, keys, exchanges],
  ...[approvals, changes, access, accessReviews, accessHeld, evidence, waivers, breaches, deployments, flips, breakglasses, gateCalls],
  occurrences,
  ...[changesOfTheWorld, requests, refusals, agents, archives, policyBundles, copiesWatched, troubles, notifications, logChanges],
  ...[anomalies, incidents, incidentSteps],
];
