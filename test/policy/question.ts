// A question that nothing speaks against, and the ways to change it. The form is that of toGateInput.
import type { Json } from '../../src/kernel/canonical-json.js';
import type { GateInput } from '../../src/pipeline/decision.js';

export type Members = Readonly<Record<string, Json>>;

/** 2026-11-21 as days since 1970. */
export const today = 20_778;

export const standing: Members = { reasonLength: 40, expiresDay: today };
export const over: Members = { reasonLength: 40, expiresDay: today - 1 };

export const email: Members = {
  table: 'public.customer',
  column: 'email',
  path: null,
  tag: 'pii.email',
  transform: 'email',
  reversible: false,
  form: null,
  recallPercent: null,
  paramsDigest: 'sha256:00',
  scope: 'value',
  domain: 'pii.email',
  uniqueness: 'preserved',
  reveals: ['equality'],
  unique: true,
  component: null,
  type: 'text',
  rest: null,
  reasonLength: 0,
  expiresDay: null,
  distinctRatio: 1,
  speaksOfPerson: true,
};

const shop: Members = { systemIdentifier: '7300000000000000001', address: 'db.shop.example:5432', database: 'shop' };

const valid = {
  version: 1,
  today,
  nowMs: today * 86_400_000,
  workspace: 'default',
  pipeline: 'shop',
  environment: 'test-1',
  planDigest: 'sha256:01',
  catalogueDigest: 'sha256:02',
  keyVersion: 1,
  tokenKeyVersion: null,
  key: { version: 1, expiresAtMs: null },
  tokenKey: { version: null, expiresAtMs: null },
  stated: { purposeLength: 20, ownerLength: 9, legalBasisLength: 12, subjectCategories: 1, retentionDays: 30 },
  source: {
    systemIdentifier: '7300000000000000001',
    database: 'shop',
    region: 'eu-central-1',
    writable: false,
    writableException: null,
  },
  target: {
    environment: 'test-1',
    class: 'test',
    region: 'eu-west-1',
    safeguardLength: 0,
    allows: ['pii', 'pci', 'secret'],
    tokens: [],
    systemIdentifier: '7300000000000000002',
    address: 'db.test.example:5432',
    database: 'shop',
    sameServerException: null,
  },
  knownSources: [shop],
  columns: [email],
  schemaTexts: [],
  again: null,
} as const;

/** The valid question with members replaced. */
export function question(change: Members = {}): GateInput {
  return { ...valid, ...change };
}

/** With members of one group replaced; `undefined` leaves a member out. */
export function within(group: 'key' | 'stated' | 'source' | 'target', change: Readonly<Record<string, Json | undefined>>): GateInput {
  const members: Record<string, Json | undefined> = { ...valid[group], ...change };
  return question({ [group]: Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as Members });
}

/** With these columns, each a change of the e-mail column. */
export function columns(...changes: readonly Members[]): GateInput {
  return question({ columns: changes.map((change) => ({ ...email, ...change })) });
}

export function without(name: string): GateInput {
  return Object.fromEntries(Object.entries(valid).filter(([key]) => key !== name));
}

export const sourceServer = shop;
