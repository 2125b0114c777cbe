// What follows from an approval of each kind: the composition of approvals with what they are about.
import type { Consequences } from './approvals/approvals.js';
import { runConsequence } from './runs/runs.js';

export const consequences: Consequences = { run: runConsequence };
