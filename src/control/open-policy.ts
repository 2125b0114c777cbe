// The gate's policy as the settings have it: the rules of this release, and beside them the users' own bundle and a server.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { Settings } from '../config/settings.js';
import { toError } from '../kernel/errors.js';
import type { Policy } from '../pipeline/ports.js';
import { HttpClient, sendLocally } from '../systems/http/http.js';
import { openPolicy, type OpaOptions, type Refused, type Send } from '../systems/opa/opa.js';
import { openBundleSource } from './bundle-place.js';

type Environment = Readonly<Record<string, string | undefined>>;

export interface GatePolicyOptions {
  readonly settings: Settings;
  /** The last good bundle is kept below it. */
  readonly home: string;
  readonly environment: Environment;
  readonly watch?: boolean;
  /** Default: about plans. About deployments no server is asked. */
  readonly question?: 'provision' | 'deploy';
  readonly onRefused?: (refused: Refused) => void;
  /** For decisions that are taken again: the bundle that is kept, or none; and no server. */
  readonly kept?: 'only' | 'none';
}

/** MUST be closed. Rejects when a policy cannot be used: nothing is decided without it. */
export async function openGatePolicy(asked: GatePolicyOptions): Promise<Policy> {
  const { settings, home, environment, watch = false, question = 'provision', kept, onRefused } = asked;
  const { BAUTA_POLICY_MS: timeLimitMs } = settings;
  const server = kept === undefined && question === 'provision' ? settings.BAUTA_POLICY_SERVER : '';
  const folder = join(home, question === 'deploy' ? 'policy-deploy' : 'policy');
  const named = question === 'deploy' ? settings.BAUTA_GATE_BUNDLE : settings.BAUTA_POLICY_BUNDLE;
  const place = kept === undefined ? named : kept === 'only' ? join(folder, 'bundle.tar.gz') : '';
  const client = new HttpClient({ hosts: settings.BAUTA_HTTP_HOSTS });
  const send: Send = (request) => (request.url.startsWith('http:') ? sendLocally(request) : client.send(request));
  const read = (name: 'BAUTA_POLICY_KEY' | 'BAUTA_POLICY_TOKEN' | 'BAUTA_POLICY_SERVER_TOKEN'): Promise<string | undefined> =>
    readReference(name, settings[name], environment);
  const options: OpaOptions = { timeLimitMs, watch, question };
  const user = async (): Promise<Partial<OpaOptions>> => {
    const name = question === 'deploy' ? 'BAUTA_GATE_BUNDLE' : 'BAUTA_POLICY_BUNDLE';
    const token = kept === undefined ? await read('BAUTA_POLICY_TOKEN') : undefined;
    const source = await openBundleSource({ name, text: place, settings, send, token, folder });
    const trust = { key: await read('BAUTA_POLICY_KEY'), unsignedReason: settings.BAUTA_POLICY_UNSIGNED };
    return { user: { source, trust, folder, ...(onRefused ? { onRefused } : {}) } };
  };
  const remote = async (): Promise<Partial<OpaOptions>> => {
    const token = await read('BAUTA_POLICY_SERVER_TOKEN');
    return { remote: { server, send, ...(token === undefined ? {} : { token }) } };
  };
  return openPolicy({ ...options, ...(place === '' ? {} : await user()), ...(server === '' ? {} : await remote()) });
}

async function readReference(name: string, reference: string, environment: Environment): Promise<string | undefined> {
  if (reference === '') return undefined;
  const text = reference.startsWith('env:')
    ? environment[reference.slice(4)]
    : await readFile(reference.replace(/^file:/, ''), 'utf8').catch(() => undefined);
  if (text === undefined || text === '') throw toError('POLICY_REFERENCE_MISSING', { name });
  return text.trim();
}
