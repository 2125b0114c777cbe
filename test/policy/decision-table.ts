// The decision table of the gate: a situation, the question, and the codes of the reasons against it (none: allowed). A code stands once however
// many reasons have it.
import type { GateInput } from '../../src/pipeline/decision.js';
import { columns, email, type Members, over, question, sourceServer, standing, today, within, without } from './question.js';

export type Row = readonly [situation: string, question: GateInput, codes: readonly string[]];

const kept = { transform: 'keep', tag: 'none', column: 'id', type: 'int8' };
const cards = {
  domain: 'cards',
  paramsDigest: 'sha256:0c',
  vaulted: false,
  reachable: true,
  sources: ['7300000000000000001/shop'],
  reasonLength: 40,
  expiresDay: null,
};
const used = { startedAtMs: 1000, erasureAtMs: null, revoked: false };
const card = { column: 'card', tag: 'pci.pan', transform: 'pan' };
const lastFour = { column: 'digits', tag: 'pci.last-four', transform: 'keep', unique: false, ...standing };
const order = { table: 'public.order', column: 'customer_email', unique: false, component: 0 };
const note = { column: 'note', tag: 'pii.free-text', transform: 'redact', unique: false };
const profile = { column: 'profile', tag: 'mixed', transform: 'paths', unique: false, type: 'jsonb' };
const oneServer = { systemIdentifier: sourceServer['systemIdentifier'] as string, database: 'copy' };

/** A card number by tokens that can be exchanged back, into a target that names their domain. */
const tokens = (column: Members = {}, target: Members = {}, change: Members = {}): GateInput => ({
  ...columns({ ...card, transform: 'token', reversible: true, form: 'card', domain: 'cards', paramsDigest: 'sha256:0c', ...column }),
  target: { ...(question()['target'] as Members), tokens: [cards], ...target },
  ...{ tokenKeyVersion: 1, tokenKey: { version: 1, expiresAtMs: null } },
  ...change,
});

export const table: readonly Row[] = [
  ['nothing speaks against it', question(), []],

  // ── gate/facts
  ['no question at all', {}, ['GATE_FACT_MISSING', 'ENVIRONMENT_MISSING', 'KEY_EXPIRED', 'KEY_VERSION_MISSING', 'LEGAL_BASIS_MISSING',
    'OWNER_MISSING', 'PURPOSE_MISSING', 'RETENTION_MISSING', 'SAME_SERVER', 'SOURCE_NOT_KNOWN', 'SOURCE_WRITABLE', 'SUBJECTS_MISSING',
    'TARGET_CLASS_UNKNOWN']],
  ['the day is missing', without('today'), ['GATE_FACT_MISSING']],
  ['the instant is missing', without('nowMs'), ['GATE_FACT_MISSING']],
  ['the digest of the plan is missing', without('planDigest'), ['GATE_FACT_MISSING']],
  ['the schema texts are missing', without('schemaTexts'), ['GATE_FACT_MISSING']],
  ['the columns are missing', without('columns'), ['GATE_FACT_MISSING']],
  ['there are no columns', question({ columns: [] }), ['GATE_FACT_MISSING']],
  ['the form is another', question({ version: 2 }), ['GATE_FACT_MISSING']],
  ['the day is a text', question({ today: '2026-11-21' }), ['GATE_FACT_MISSING']],
  ['a column does not say whether it is unique', columns({ unique: null }), ['GATE_FACT_MISSING']],
  ['a column does not say what becomes of it', columns({ transform: null }), ['GATE_FACT_MISSING']],
  ['a column is no object', question({ columns: ['email'] }), ['GATE_FACT_MISSING']],

  // ── columns/fit
  ['a tag is unknown', columns({ tag: 'pii.mail' }), ['TAG_UNKNOWN']],
  ['a transform is meant for another tag', columns({ transform: 'number-noise' }), ['TRANSFORM_UNFIT']],
  ['a tagged column goes through an unknown transform', columns({ transform: 'identity' }), ['TRANSFORM_UNFIT']],
  ['a password is replaced by words', columns({ tag: 'secret.password', transform: 'replace' }), ['TRANSFORM_UNFIT']],
  ['a mixed column is kept whole', columns({ ...profile, transform: 'keep', ...standing }), ['TRANSFORM_UNFIT']],
  ['a path has a transform that does not fit', columns(profile, { ...profile, path: 'contact.email', tag: 'pii.email', transform: 'url' }),
    ['TRANSFORM_UNFIT']],
  ['every path has one that fits', columns(profile, { ...profile, path: 'contact.email', tag: 'pii.email', transform: 'email' }), []],

  // ── columns/unique
  ['a unique column may collide', columns({ uniqueness: 'not-guaranteed' }), ['UNIQUE_NOT_PRESERVED']],
  ['a unique column is coarsened', columns({ uniqueness: 'lossy' }), ['UNIQUE_NOT_PRESERVED']],
  ['a column that is not unique is coarsened', columns({ uniqueness: 'lossy', unique: false }), []],

  // ── columns/keys
  ['both ends of a key agree', columns({ component: 0 }, order), []],
  ['the ends have two tags', columns({ component: 0 }, { ...order, tag: 'pii.username' }), ['KEY_ENDS_DIFFER']],
  ['the ends have two transforms', columns({ component: 0 }, { ...order, transform: 'text-key' }), ['KEY_ENDS_DIFFER']],
  ['the ends have two sets of parameters', columns({ component: 0 }, { ...order, paramsDigest: 'sha256:11' }), ['KEY_ENDS_DIFFER']],
  ['the ends have two domains', columns({ component: 0 }, { ...order, domain: 'other' }), ['KEY_ENDS_DIFFER']],
  ['the ends have two scopes', columns({ component: 0 }, { ...order, scope: 'row' }), ['KEY_ENDS_DIFFER']],

  // ── columns/keep
  ['a tagged column is kept for a reason and a time', columns({ transform: 'keep', ...standing }), []],
  ['a tagged column is kept without a reason', columns({ transform: 'keep', expiresDay: today }), ['KEEP_WITHOUT_REASON', 'LINKS_TO_SOURCE']],
  ['a tagged column is kept for ever', columns({ transform: 'keep', reasonLength: 40 }), ['KEEP_WITHOUT_EXPIRY']],
  ['the time of a keep is over', columns({ transform: 'keep', ...over }), ['KEEP_EXPIRED', 'LINKS_TO_SOURCE']],
  ['the date of a keep is no date', columns({ transform: 'keep', reasonLength: 40, expiresDay: -1 }), ['KEEP_EXPIRED', 'LINKS_TO_SOURCE']],

  // ── columns/links
  ['a surrogate id is kept', columns(email, kept), ['LINKS_TO_SOURCE']],
  ['a time is kept and nobody counted', columns(email, { ...kept, type: 'timestamptz', unique: false, distinctRatio: null }), ['LINKS_TO_SOURCE']],
  ['an amount is distinct for more than half of the rows', columns({ ...kept, type: 'numeric', unique: false, distinctRatio: 0.6 }),
    ['LINKS_TO_SOURCE']],
  ['an amount is distinct for half of the rows', columns({ ...kept, type: 'numeric', unique: false, distinctRatio: 0.5 }), []],
  ['a surrogate id is kept for a reason', columns({ ...kept, reasonLength: 40 }), []],
  ['a surrogate id is permuted', columns({ ...kept, tag: 'pii.key', transform: 'integer-key' }), []],
  ['a lookup table keeps its ids', columns(email, { ...kept, speaksOfPerson: false }), []],
  ['a flag is kept and nobody counted', columns({ ...kept, type: 'bool', unique: false, distinctRatio: null }), []],

  // ── columns/redact
  ['text is redacted for a reason and a time', columns({ ...note, ...standing }), []],
  ['text is redacted without either', columns(note), ['REDACT_WITHOUT_EXPIRY', 'REDACT_WITHOUT_REASON']],
  ['the time of a redaction is over', columns({ ...note, ...over }), ['REDACT_EXPIRED']],
  ['an e-mail address is redacted', columns({ transform: 'redact', ...standing }), ['TRANSFORM_UNFIT']],

  // ── columns/rest
  ['unlisted paths stop the run', columns({ ...profile, rest: 'refuse' }), []],
  ['unlisted paths are dropped', columns({ ...profile, rest: 'drop' }), []],
  ['unlisted paths are kept for a reason and a time', columns({ ...profile, rest: 'keep', ...standing }), []],
  ['unlisted paths are kept without either', columns({ ...profile, rest: 'keep' }), ['REST_WITHOUT_EXPIRY', 'REST_WITHOUT_REASON']],
  ['the time of kept paths is over', columns({ ...profile, rest: 'keep', ...over }), ['REST_EXPIRED']],
  ['nobody knows what becomes of unlisted paths', columns({ ...profile, rest: 'ignore' }), ['REST_UNKNOWN']],

  // ── columns/pan
  ['a card number has a test number', columns(card), []],
  ['its last four digits are kept beside it', columns(card, lastFour), ['PAN_PARTS_TOGETHER']],
  ['its last four digits are kept in another table', columns(card, { ...lastFour, table: 'public.refund' }), ['PAN_PARTS_TOGETHER']],
  ['a column is named for them and untagged', columns(card, { ...kept, column: 'card_last4', type: 'text', ...standing }), ['PAN_PARTS_TOGETHER']],
  ['they are kept and the number is dropped', columns({ ...card, unique: false, transform: 'null' }, lastFour), []],
  ['they are masked', columns(card, { ...lastFour, transform: 'pattern' }), []],
  ['a card number is kept', columns({ ...card, transform: 'keep', ...standing }), ['PAN_DATA_KEPT']],
  ['a verification code is kept', columns({ tag: 'pci.cvv', transform: 'keep', ...standing }), ['PAN_DATA_KEPT']],

  ['its tokens are no card numbers', tokens(), []],
  ['its tokens may be card numbers', tokens({ form: 'digits' }), ['PAN_TOKEN_LOOKS_LIVE']],

  // ── columns/reversible
  ['the target names no domain of tokens', tokens({}, { tokens: [] }), ['REVERSIBLE_NOT_ALLOWED']],
  ['it names another one', tokens({ domain: 'accounts' }), ['REVERSIBLE_NOT_ALLOWED']],
  ['the domain has no reason', tokens({}, { tokens: [{ ...cards, reasonLength: 0 }] }), ['REVERSIBLE_NOT_ALLOWED']],
  ['its time is over', tokens({}, { tokens: [{ ...cards, ...over }] }), ['REVERSIBLE_NOT_ALLOWED']],
  ['its form is another', tokens({ paramsDigest: 'sha256:0d' }), ['TOKEN_FORM_DIFFERS']],
  ['it does not name this source', tokens({}, { tokens: [{ ...cards, sources: ['7300000000000000001/guesses'] }] }), ['TOKEN_SOURCE_NOT_NAMED']],
  ['its tokens are kept where the run can ask for them', tokens({}, { tokens: [{ ...cards, vaulted: true }] }), []],
  ['its tokens are kept elsewhere', tokens({}, { tokens: [{ ...cards, vaulted: true, reachable: false }] }), ['TOKEN_DOMAIN_VAULTED']],
  ['half of a domain is missing', tokens({}, { tokens: [cards, { domain: 'x' }] }), ['GATE_FACT_MISSING']],
  ['the plan names no token key', tokens({}, {}, { tokenKeyVersion: null }), ['TOKEN_KEY_MISSING']],
  ['the token key is another', tokens({}, {}, { tokenKey: { version: 2, expiresAtMs: null } }), ['TOKEN_KEY_DIFFERS']],
  ['the token key has expired', tokens({}, {}, { tokenKey: { version: 1, expiresAtMs: today * 86_400_000 } }), ['TOKEN_KEY_EXPIRED']],

  // ── schema/texts
  ['a text of the schema is kept for a reason', question({ schemaTexts: [{ action: 'keep', ...standing }] }), []],
  ['an object of the schema is dropped', question({ schemaTexts: [{ action: 'drop', reasonLength: 0, expiresDay: null }] }), []],
  ['a text of the schema is kept without a reason', question({ schemaTexts: [{ action: 'keep', reasonLength: 0, expiresDay: null }] }),
    ['SCHEMA_TEXT_WITHOUT_REASON']],
  ['the time of a kept text is over', question({ schemaTexts: [{ action: 'keep', ...over }] }), ['SCHEMA_TEXT_EXPIRED']],

  // ── key/version
  ['no key version is named', question({ keyVersion: null }), ['KEY_VERSION_MISSING']],
  ['the provider has another version', within('key', { version: 2 }), ['KEY_VERSION_DIFFERS']],
  ['the provider does not know the version', within('key', { version: null }), ['KEY_VERSION_DIFFERS']],
  ['the key has expired', within('key', { expiresAtMs: today * 86_400_000 }), ['KEY_EXPIRED']],
  ['the key expires in a moment', within('key', { expiresAtMs: today * 86_400_000 + 1 }), []],
  ['nobody knows whether the key expires', within('key', { expiresAtMs: undefined }), ['GATE_FACT_MISSING', 'KEY_EXPIRED']],

  // ── dataset/again
  ['a version is used again, and nothing is said of it', question({ again: used }), []],
  ['a version that was revoked is used again', question({ again: { ...used, revoked: true } }), ['DATASET_REVOKED']],
  ['a version that was made before a person was to be erased is used again', question({ again: { ...used, erasureAtMs: 1000 } }), ['ERASURE_PENDING']],
  ['a version that was made since is used again', question({ again: { ...used, erasureAtMs: 999 } }), []],
  ['nobody knows when the version that is used again was begun', question({ again: { ...used, startedAtMs: null, erasureAtMs: 1 } }),
    ['ERASURE_PENDING']],
  ['nobody says whether a version is used again', without('again'), ['GATE_FACT_MISSING']],
  ['a version is used again that nobody knows anything of', question({ again: {} }), ['DATASET_REVOKED', 'ERASURE_PENDING', 'GATE_FACT_MISSING']],

  // ── purpose/stated
  ['no purpose is stated', within('stated', { purposeLength: 0 }), ['PURPOSE_MISSING']],
  ['no owner is stated', within('stated', { ownerLength: 0 }), ['OWNER_MISSING']],
  ['no legal basis is stated', within('stated', { legalBasisLength: 0 }), ['LEGAL_BASIS_MISSING']],
  ['no categories of persons are stated', within('stated', { subjectCategories: 0 }), ['SUBJECTS_MISSING']],
  ['no retention is stated', within('stated', { retentionDays: 0 }), ['RETENTION_MISSING']],

  // ── target/environment
  ['the target says that it is production', within('target', { class: 'production' }), ['TARGET_IS_PRODUCTION']],
  ['the environment is called production', { ...within('target', { environment: 'PROD' }), environment: 'PROD' }, ['TARGET_IS_PRODUCTION']],
  ['the class of the target is unknown', within('target', { class: 'playground' }), ['TARGET_CLASS_UNKNOWN']],
  ['the plan is for another environment', question({ environment: 'test-2' }), ['ENVIRONMENT_MISSING']],

  // ── target/allows
  ['a category is not on the list', columns({ tag: 'phi.mrn', transform: 'text-key' }), ['TAG_NOT_ALLOWED']],
  ['the list is empty', within('target', { allows: [] }), ['TAG_NOT_ALLOWED']],
  ['the list has the tag itself', within('target', { allows: ['pii.email'] }), []],
  ['a quasi-identifier goes where persons may go', columns({ tag: 'quasi.age', transform: 'number-noise', unique: false }), []],
  ['a path is not on the list', columns(profile, { ...profile, path: 'mrn', tag: 'phi.mrn', transform: 'text-key' }), ['TAG_NOT_ALLOWED']],

  // ── target/apart
  ['the target is the source', within('target', { ...oneServer, database: 'shop' }), ['SAME_SERVER', 'TARGET_IS_SOURCE']],
  ['the target is the source, and a reason is given', within('target', { ...oneServer, database: 'shop', sameServerException: standing }),
    ['TARGET_IS_SOURCE']],
  ['one server holds both', within('target', oneServer), ['SAME_SERVER']],
  ['one server holds both for a reason', within('target', { ...oneServer, sameServerException: standing }), []],
  ['the reason for one server is over', within('target', { ...oneServer, sameServerException: over }), ['SAME_SERVER']],
  ['one address leads to both', within('target', { address: 'DB.SHOP.example:5432', database: 'copy' }), ['SAME_SERVER']],
  ['the target is another known source', question({ knownSources: [sourceServer,
    { systemIdentifier: '7300000000000000002', address: 'other.example:5432', database: 'shop' }] }), ['SAME_SERVER', 'TARGET_IS_SOURCE']],
  ['the source is not among the known ones', question({ knownSources: [] }), ['SOURCE_NOT_KNOWN']],
  ['the target does not say who it is', within('target', { systemIdentifier: '' }), ['SAME_SERVER']],

  // ── target/region
  ['the target stands in a region on no list', within('target', { region: 'us-east-1' }), ['REGION_NOT_LISTED']],
  ['a safeguard for the transfer is named', within('target', { region: 'us-east-1', safeguardLength: 40 }), []],
  ['the target has no region', within('target', { region: null }), ['REGION_NOT_LISTED']],
  ['the target stands where the source stands', { ...within('target', { region: 'us-east-1' }),
    source: { ...(question()['source'] as object), region: 'us-west-2' } }, []],

  // ── source/writable
  ['the role of the source can write', within('source', { writable: true }), ['SOURCE_WRITABLE']],
  ['it can for a reason', within('source', { writable: true, writableException: standing }), []],
  ['the reason that it can is over', within('source', { writable: true, writableException: over }), ['SOURCE_WRITABLE']],
  ['nobody knows whether it can', within('source', { writable: undefined }), ['GATE_FACT_MISSING', 'SOURCE_WRITABLE']],

  ['everything is wrong at once', { ...columns({ transform: 'keep' }, { ...order, uniqueness: 'lossy', unique: true }), keyVersion: null },
    ['KEEP_WITHOUT_EXPIRY', 'KEEP_WITHOUT_REASON', 'KEY_VERSION_MISSING', 'LINKS_TO_SOURCE', 'UNIQUE_NOT_PRESERVED']],
]; // prettier-ignore
