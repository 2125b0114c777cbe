// What follows from an approval of each kind: the composition of approvals with what they are about.
import { rolesConsequence, tokenConsequence } from './access/access.js';
import { breakglassConsequence } from './breakglasses/breakglasses.js';
import { documentsConsequence } from './change.js';
import type { Consequences } from './approvals/approvals.js';
import { holdConsequence } from './datasets/datasets.js';
import { incidentConsequence } from './incidents/incidents.js';
import { keysConsequence } from './keys/keys.js';
import { runConsequence } from './runs/runs.js';
import { waiverConsequence } from './waivers/waivers.js';

export const consequences: Consequences = {
  run: runConsequence,
  documents: documentsConsequence,
  roles: rolesConsequence,
  token: tokenConsequence,
  trust: documentsConsequence,
  keys: keysConsequence,
  hold: holdConsequence,
  waiver: waiverConsequence,
  breakglass: breakglassConsequence,
  incident: incidentConsequence,
};
