// What happens around the gates of deployments beside their decisions: that one was taken back, who called, and that somebody went past.
import type { Event } from '../../event.js';
import { FollowedReader } from './followed.js';
import { type Cell, type Population, pick, textOf, toldBy, words } from './population.js';

const { actor, type } = words;

export const flips = toldBy(
  { name: 'deployment-flips', title: 'Decisions about deployments that were taken back', types: ['deployment.flipped'] },
  {
    decision: ['id of the decision that had let it through', 'decision'],
    gate: ['which gate', 'gate'],
    environment: ['where it had gone', 'environment'],
    service: ['what had been deployed', 'service'],
    commit: ['commit', 'commit'],
    image: ['digest of the image', 'image'],
    codes: ['codes of the reasons that are new', 'codes'],
    revoked: ['the run whose copy was revoked with it', 'revoked'],
  },
);

export const gateCalls = toldBy(
  {
    name: 'gate-calls',
    title: 'Calls of gates by other programs, and what they were told',
    types: ['gate.called', 'callback.told', 'callback.dead'],
  },
  {
    type,
    callback: ['id of the call', 'callback'],
    gate: ['which gate', 'gate'],
    via: ['github, gitlab, azure or kubernetes', 'via'],
    digest: ['of what was sent', 'digest'],
    commit: ['the commit, where it was called by a version', 'commit'],
    tag: ['what the commit was called, where that has the form of a version', 'tag'],
    decision: ['id of the decision that it was told', 'decision'],
    allowed: ['what it was told', 'allow'],
    attempts: ['how often it was tried', 'attempts'],
    error: ['why it could not be told', 'error'],
    actor,
  },
);

const breakglassColumns = {
  breakglass: 'its id',
  gate: 'which gate it goes past',
  environment: 'where',
  service: 'what may be deployed',
  commit: 'commit',
  reason: 'commitment to why',
  askedBy: 'random id of who asked',
  approvedBy: 'random ids of who agreed',
  expiresAt: 'until when it may be used',
  usedAt: 'when it was used first; empty: never, as far as was read',
  usedBy: 'random id of who used it first',
  uses: 'how often it was used',
  misfit: 'what of a use was not what was agreed to',
  overdue: 'yes: the log says that nobody had looked at its use in time',
  reviewedBy: 'random id of who looked at its use afterwards',
  reviewedAt: 'when',
};

export const breakglasses: Population = {
  name: 'breakglasses',
  title: 'Break-glasses: leave to go past a gate once',
  query:
    'every break-glass of which an entry breakglass.… has a time that lies in the period, with all its entries breakglass.… up to the end of the period',
  types: ['breakglass.issued', 'breakglass.used', 'breakglass.used-again', 'breakglass.unreviewed', 'breakglass.reviewed'],
  columns: Object.entries(breakglassColumns).map(([name, means]) => ({ name, means })),
  open: (period) =>
    new FollowedReader(
      {
        names: Object.keys(breakglassColumns),
        begins: ({ type: of, data }) => (of === 'breakglass.issued' ? (textOf(data, 'breakglass') ?? undefined) : undefined),
        goesOn: ({ data }) => textOf(data, 'breakglass') ?? undefined,
        take: takeBreakglass,
      },
      period,
    ),
};

/** One that was reviewed may still turn out to have been used again where nobody could ask: it has no last entry. */
function takeBreakglass(cells: Record<string, Cell>, { type: of, at, data }: Event): boolean {
  if (of === 'breakglass.issued') {
    for (const name of ['breakglass', 'gate', 'environment', 'service', 'commit', 'reason', 'approvedBy', 'expiresAt'])
      cells[name] = pick(data, name);
    Object.assign(cells, { askedBy: pick(data, 'actor'), uses: 0 });
  } else if (of === 'breakglass.used' || of === 'breakglass.used-again') {
    cells['usedAt'] ??= pick(data, 'usedAt');
    cells['usedBy'] ??= pick(data, 'actor');
    cells['uses'] = Number(cells['uses'] ?? 0) + 1;
    cells['misfit'] ??= pick(data, 'misfit');
  } else if (of === 'breakglass.unreviewed') cells['overdue'] = 'yes';
  else if (of === 'breakglass.reviewed') Object.assign(cells, { reviewedBy: pick(data, 'actor'), reviewedAt: at });
  return false;
}
