// What a document names: other documents, which have to be there, and secrets, which the workspace has to have been granted.
import type { Json } from '../kernel/canonical-json.js';
import { toPlace } from '../kernel/server-place.js';
import type { ChannelDefinition, ConnectionDefinition } from '../pipeline/definition.js';
import type { GateCallers } from '../pipeline/gate-callers.js';
import { shippedPlaybooks } from '../pipeline/playbook.js';

type Written = Readonly<Record<string, Json>>;

export interface Named {
  /** The member that names it, as it may be shown. */
  readonly path: string;
  readonly kind: 'Pipeline' | 'Classification' | 'Rulebook' | 'Environment' | 'Connection' | 'Playbook';
  readonly name: string;
}

export interface NamedSecret {
  readonly path: string;
  readonly reference: string;
  /** HOST:PORT/DATABASE that the secret is shown to; absent: the secret says itself where it belongs. */
  readonly place?: string;
}

/** Where a token of Slack is shown. */
export const SLACK = 'slack.com:443';

/** Whose APIs are meant where a Gate names no other. */
export const GITHUB = 'https://api.github.com';
export const GITLAB = 'https://gitlab.com/api/v4';

export function toUrlPlace(text: string): string {
  const { hostname, port } = new URL(text);
  return toPlace(hostname.replace(/^\[|\]$/g, ''), port === '' ? 443 : Number(port));
}

export const isReference = (text: string): boolean => /^(env|file|vault|aws):/.test(text);

const isShipped = (name: Json | undefined): boolean => typeof name === 'string' && Object.hasOwn(shippedPlaybooks, name);

/** MUST be given a document that its schema accepted. The rulebook `default` is left out: it comes with the release. */
export function findNamed(written: Written): readonly Named[] {
  const { kind, name } = written as { kind: string; name: string };
  const named: Named[] = [];
  const add = (path: string, wanted: Named['kind'], value: Json | undefined): void => {
    if (typeof value === 'string' && !isReference(value)) named.push({ path, kind: wanted, name: value });
  };
  if (kind === 'ClassificationLock') add('name', 'Classification', name);
  if (kind === 'Trigger') add('on.dataset', 'Pipeline', (written['on'] as { readonly dataset?: string }).dataset);
  if (kind === 'Schedule' || kind === 'Trigger') add('pipeline', 'Pipeline', written['pipeline']);
  // Those that come with the release are there without a document.
  if ((kind === 'Trigger' || kind === 'Watch') && !isShipped(written['playbook'])) add('playbook', 'Playbook', written['playbook']);
  if (kind === 'Environment') add('connection', 'Connection', written['connection']);
  if (kind === 'Channel') for (const one of (written['pipelines'] ?? []) as readonly string[]) add('pipelines', 'Pipeline', one);
  if (kind === 'Environment') add('swapSchemas.builder', 'Connection', builderOf(written));
  if (kind === 'Environment') add('kafka.proving', 'Connection', provingOf(written));
  if (kind === 'Environment')
    add('keys.join.environment', 'Environment', (written['keys'] as { join?: { environment: string } })?.join?.environment);
  if (kind !== 'Pipeline') return named;
  add('classification', 'Classification', written['classification']);
  if (written['rulebook'] !== 'default') add('rulebook', 'Rulebook', written['rulebook']);
  add('source.connection', 'Connection', connectionOf(written['source']));
  if (typeof written['target'] === 'string') add('target', 'Environment', written['target']);
  else {
    add('target.connection', 'Connection', connectionOf(written['target']));
    add('target.swapSchemas.builder', 'Connection', builderOf(written['target']));
    add('target.kafka.proving', 'Connection', provingOf(written['target']));
  }
  return named;
}

export function findSecretsNamed(written: Written): readonly NamedSecret[] {
  const found: NamedSecret[] = [];
  const add = (path: string, value: Json | undefined, place?: string): void => {
    if (typeof value === 'string' && isReference(value)) found.push({ path, reference: value, ...(place === undefined ? {} : { place }) });
  };
  const addRegistry = (path: string, target: Json | undefined): void => {
    const registry = memberOf(memberOf(memberOf(target, 'kafka'), 'rows'), 'registry');
    const url = memberOf(registry, 'url');
    if (typeof url === 'string') add(`${path}kafka.rows.registry.login`, memberOf(registry, 'login'), toUrlPlace(url));
  };
  if (written['kind'] === 'Pipeline') {
    add('source.connection', connectionOf(written['source']));
    if (typeof written['target'] !== 'string') {
      add('target.connection', connectionOf(written['target']));
      add('target.swapSchemas.builder', builderOf(written['target']));
      add('target.kafka.proving', provingOf(written['target']));
      addRegistry('target.', written['target']);
    }
  }
  // Held against what a sender shows; it is shown to nobody.
  if (written['kind'] === 'Trigger')
    add('on.webhook.secret', (written['on'] as { readonly webhook?: { readonly secret: string } }).webhook?.secret);
  if (written['kind'] === 'Environment') {
    add('connection', written['connection']);
    add('swapSchemas.builder', builderOf(written));
    add('kafka.proving', provingOf(written));
    addRegistry('', written);
  }
  if (written['kind'] === 'Connection') {
    const { host = '', port = 5432, database = '', hosts, certificate } = written as Partial<ConnectionDefinition>;
    add('url', written['url']);
    const places = hosts ?? [toPlace(host, port, database)];
    for (const place of places.map((one) => one.toLowerCase())) {
      for (const member of ['password', 'credentials', 'token']) add(member, written[member], place);
      add('certificate.key', certificate?.key, place);
    }
  }
  if (written['kind'] === 'Channel') {
    const { slackWebhook, slack, teams, webhook } = written as unknown as ChannelDefinition;
    add('slackWebhook.url', slackWebhook?.url);
    add('slack.token', slack?.token, SLACK);
    add('teams.url', teams?.url);
    // Also an HMAC tells: who gets one under a short secret can guess it.
    if (webhook) add('webhook.secret', webhook.secret, toUrlPlace(webhook.url));
  }
  if (written['kind'] === 'Gate') {
    const { github, gitlab, kubernetes } = (written['callers'] ?? {}) as GateCallers;
    add('callers.github.secret', github?.secret);
    // What it signs opens what the App may do, for whoever gets it.
    add('callers.github.key', github?.key, toUrlPlace(github?.api ?? GITHUB));
    add('callers.gitlab.secret', gitlab?.secret);
    add('callers.gitlab.token', gitlab?.token, toUrlPlace(gitlab?.api ?? GITLAB));
    add('callers.kubernetes.secret', kubernetes?.secret);
  }
  return found;
}

function connectionOf(side: Json | undefined): Json | undefined {
  return typeof side === 'object' && side !== null && !Array.isArray(side) ? (side as Written)['connection'] : side;
}

/** The second login of a target whose versions are schemas. */
const builderOf = (target: Json | undefined): Json | undefined => memberOf(memberOf(target, 'swapSchemas'), 'builder');

/** Where it is proved what goes through a broker. */
const provingOf = (target: Json | undefined): Json | undefined => memberOf(memberOf(target, 'kafka'), 'proving');

function memberOf(value: Json | undefined, name: string): Json | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Written)[name] : undefined;
}
