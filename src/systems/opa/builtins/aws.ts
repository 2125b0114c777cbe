// providers.aws.sign_req: Signature Version 4 over a request object; the time is an argument.
import { createHash, createHmac } from 'node:crypto';

import { RegoObject, toObject, type Value } from '../value.js';
import type { Family } from './builtin.js';
import { marshal } from './encoding.js';
import { bigintOf, objectOf, textOf, unfit } from './operand.js';
import { parseReference } from './uri.js';

const ignored = new Set(['authorization', 'user-agent', 'x-amzn-trace-id']);
/** What http.send takes: any other member is an error there, and so it is here. */
const members = new Set(
  `method url body enable_redirect force_json_decode force_yaml_decode headers raw_body tls_use_system_certs tls_ca_cert tls_ca_cert_file
  tls_ca_cert_env_variable tls_client_cert tls_client_cert_file tls_client_cert_env_variable tls_client_key tls_client_key_file
  tls_client_key_env_variable tls_insecure_skip_verify tls_server_name timeout cache force_cache force_cache_duration_seconds raise_error
  caching_mode max_retry_attempts cache_ignored_headers`.split(/\s+/),
);

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const mac = (text: string, key: string | Buffer): Buffer => createHmac('sha256', key).update(text).digest();

interface Config {
  readonly service: string;
  readonly region: string;
  readonly accessKey: string;
  readonly secretKey: string;
  readonly session: string;
  readonly unsigned: boolean;
}

function parseConfig(config: RegoObject): Config {
  const given = config.get('disable_payload_signing');
  const unsigned = given === undefined ? false : given;
  if (typeof unsigned !== 'boolean') return unfit();
  const session = config.get('aws_session_token');
  return {
    service: textOf(config.get('aws_service')),
    region: textOf(config.get('aws_region')),
    accessKey: textOf(config.get('aws_access_key')),
    secretKey: textOf(config.get('aws_secret_access_key')),
    session: typeof session === 'string' ? session : '',
    unsigned,
  };
}

function toBody(request: RegoObject): string {
  const [raw, body] = [request.get('raw_body'), request.get('body')];
  if (raw !== undefined) return typeof raw === 'string' ? raw : '';
  return body === undefined ? '' : marshal(body);
}

function toInstant(ns: bigint): string {
  const ms = Number(ns / 1_000_000n);
  const date = new Date(ms);
  if (Number.isNaN(date.getTime())) return unfit();
  return `${date.toISOString().replace(/[-:]|\.\d+/g, '')}`;
}

function sign(request: RegoObject, config: Config, instant: string): RegoObject {
  const [method, url] = [textOf(request.get('method')), parseReference(textOf(request.get('url')))];
  const given = request.get('headers') ?? new RegoObject();
  const headers = objectOf(given)
    .entries()
    .map(([key, value]) => [typeof key === 'string' ? key : '', typeof value === 'string' ? value : ''] as const);
  const digest = config.unsigned ? 'UNSIGNED-PAYLOAD' : sha256(toBody(request));
  const own: Record<string, string> = { host: url.host, 'x-amz-date': instant };
  if (config.service === 's3' || config.service === 'glacier') own['x-amz-content-sha256'] = digest;
  if (config.session !== '') own['x-amz-security-token'] = config.session;
  const signed = new Map(Object.entries(own));
  for (const [name, value] of headers) if (!ignored.has(name.toLowerCase())) signed.set(name.toLowerCase(), value);
  const names = [...signed.keys()].sort();
  const path = url.rawPath || encodeURI(url.path);
  const canonical = [
    method,
    path,
    url.query,
    ...names.map((name) => `${name}:${signed.get(name) ?? ''}`),
    '',
    names.join(';'),
    digest,
  ].join('\n');
  const day = instant.slice(0, 8);
  const scope = `${day}/${config.region}/${config.service}/aws4_request`;
  const text = ['AWS4-HMAC-SHA256', instant, scope, sha256(canonical)].join('\n');
  const key = mac('aws4_request', mac(config.service, mac(config.region, mac(day, `AWS4${config.secretKey}`))));
  const authorization = `AWS4-HMAC-SHA256 Credential=${config.accessKey}/${scope},SignedHeaders=${names.join(';')},Signature=${mac(text, key).toString('hex')}`;
  return toObject({ ...Object.fromEntries(headers), Authorization: authorization, ...own });
}

export const awsBuiltins: Family = {
  'providers.aws.sign_req': ([given, settings, time]): Value => {
    const [request, config] = [objectOf(given), parseConfig(objectOf(settings))];
    for (const [key] of request.entries()) if (typeof key !== 'string' || !members.has(key)) return unfit();
    const headers = sign(request, config, toInstant(bigintOf(time)));
    return new RegoObject([...request.entries(), ['headers', headers]]);
  },
};
