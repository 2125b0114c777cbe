// Reviews of access: one item for each review, and one for each thing that somebody held when it was opened.
import { FollowedReader } from './followed.js';
import { type Population, pick, textOf } from './population.js';

const reviewColumns = {
  review: 'its id',
  openedBy: 'random id of who opened it; empty: the service, because the last one was long ago',
  dueAt: 'when it was to be decided',
  items: 'how many roles, keys and logins were held',
  kept: 'of them: kept',
  revoked: 'of them: taken away',
  overdue: 'yes: it was not decided in time',
  closedAt: 'when all of it was decided; empty: it was not, as far as was read',
};

export const accessReviews: Population = {
  name: 'access-reviews',
  title: 'Reviews of access',
  query:
    'every review that an entry access-review.opened tells of and that was not completed before the period began, whenever it was opened, with access-review.overdue and access-review.completed of the same',
  types: ['access-review.opened', 'access-review.overdue', 'access-review.completed'],
  columns: Object.entries(reviewColumns).map(([name, means]) => ({ name, means })),
  open: (period) =>
    new FollowedReader(
      {
        names: Object.keys(reviewColumns),
        begins: ({ type, data }) => (type === 'access-review.opened' ? (textOf(data, 'review') ?? undefined) : undefined),
        goesOn: ({ data }) => textOf(data, 'review') ?? undefined,
        take: (cells, { type, at, data }) => {
          if (type === 'access-review.opened') {
            Object.assign(cells, { openedBy: pick(data, 'actor') });
            for (const name of ['review', 'dueAt', 'items']) cells[name] = pick(data, name);
          } else if (type === 'access-review.overdue') cells['overdue'] = 'yes';
          else {
            Object.assign(cells, { closedAt: at, kept: pick(data, 'kept'), revoked: pick(data, 'revoked') });
            if (data['late'] === true) cells['overdue'] = 'yes';
          }
          return type === 'access-review.completed';
        },
        isOwed: () => true,
      },
      period,
    ),
};

const itemColumns = {
  review: 'id of the review',
  item: 'its number in the review',
  kind: 'role, apikey or clone',
  person: 'random id of who held it',
  holds: 'a role with its environment, or the id of a key or of a clone',
  environment: 'of which environment, where it is of one',
  since: 'when it was given',
  lastUsedAt: 'when it was used last; empty: not known, or never',
  decision: 'keep or revoke; empty: nobody decided, as far as was read',
  decidedBy: 'random id of the reviewer',
  effect: 'done; waits: for another administrator; gone: it was held no more',
  reason: 'commitment to why',
  decidedAt: 'when',
};
const ofReview = ({ data }: { readonly data: Parameters<typeof pick>[0] }): string =>
  `${pick(data, 'review') ?? ''} ${pick(data, 'item') ?? ''}`;

export const accessHeld: Population = {
  name: 'access-held',
  title: 'Roles, API keys and logins of clones that were reviewed',
  query:
    'everything that an entry access-review.listed tells of, where the time of it or of the entry access-review.decided of the same item lies in the period',
  types: ['access-review.listed', 'access-review.decided'],
  columns: Object.entries(itemColumns).map(([name, means]) => ({ name, means })),
  open: (period) =>
    new FollowedReader(
      {
        names: Object.keys(itemColumns),
        begins: (event) => (event.type === 'access-review.listed' ? ofReview(event) : undefined),
        goesOn: ofReview,
        take: (cells, { type, at, data }) => {
          const isListed = type === 'access-review.listed';
          for (const name of isListed ? Object.keys(itemColumns).slice(0, 8) : ['decision', 'effect', 'reason'])
            cells[name] = pick(data, name);
          if (!isListed) Object.assign(cells, { decidedBy: pick(data, 'actor'), decidedAt: at });
          return !isListed;
        },
      },
      period,
    ),
};
