// What is asked of KMS, one method for each request.
import { KMS, type KeyMetadata } from '@aws-sdk/client-kms';

import { toError } from '../../kernel/errors.js';
import { type AwsSettings, ask, toClientOptions } from './asking.js';

export interface KmsKey {
  readonly id: string;
  readonly state: string;
  readonly madeAt: number | null;
  /** Made in KMS and never outside of it, of one region, for HMACs of 256 bits, and the customer's own. */
  readonly isSafe: boolean;
}

export class Kms {
  private readonly client: KMS;

  constructor(settings: AwsSettings) {
    this.client = new KMS(toClientOptions(settings, settings.BAUTA_AWS_KMS_ENDPOINT));
  }

  /** Every alias that begins so, with the id of its key. KMS lists those of the whole account. */
  async listAliases(beginning: string): Promise<ReadonlyMap<string, string>> {
    const found = new Map<string, string>();
    let marker: string | undefined;
    do {
      const request = { Limit: 100, ...(marker === undefined ? {} : { Marker: marker }) };
      const answer = await ask(beginning, () => this.client.listAliases(request));
      for (const { AliasName: name = '', TargetKeyId: id = '' } of answer.Aliases ?? [])
        if (name.startsWith(beginning) && id !== '') found.set(name, id);
      marker = answer.Truncated === true ? answer.NextMarker : undefined;
    } while (marker !== undefined);
    return found;
  }

  /** By id or alias; undefined: there is none. */
  async findKey(name: string): Promise<KmsKey | undefined> {
    const answer = await ask(name, () => this.client.describeKey({ KeyId: name }), ['NotFoundException']);
    if (typeof answer === 'string') return undefined;
    const key: Partial<KeyMetadata> = answer.KeyMetadata ?? {};
    const { KeyId: id, KeyState: state, CreationDate: made } = key;
    if (id === undefined || state === undefined) throw toError('AWS_UNREACHABLE', { path: name });
    const isOurs = key.KeyManager === 'CUSTOMER' && key.Origin === 'AWS_KMS' && key.MultiRegion !== true;
    const isSafe = isOurs && key.KeySpec === 'HMAC_256' && key.KeyUsage === 'GENERATE_VERIFY_MAC';
    return { id, state, madeAt: made?.getTime() ?? null, isSafe };
  }

  async readTag(id: string, key: string): Promise<string | undefined> {
    let marker: string | undefined;
    do {
      const request = { KeyId: id, ...(marker === undefined ? {} : { Marker: marker }) };
      const answer = await ask(id, () => this.client.listResourceTags(request));
      const tag = answer.Tags?.find(({ TagKey }) => TagKey === key);
      if (tag) return tag.TagValue;
      marker = answer.Truncated === true ? answer.NextMarker : undefined;
    } while (marker !== undefined);
    return undefined;
  }

  async writeTag(id: string, key: string, value: string): Promise<void> {
    await ask(id, () => this.client.tagResource({ KeyId: id, Tags: [{ TagKey: key, TagValue: value }] }));
  }

  /** `unusable`: it is disabled, or waits for its deletion; `missing`: KMS does not know it, or not yet. */
  async computeMac(id: string, message: Uint8Array): Promise<Uint8Array | 'unusable' | 'missing'> {
    const request = { KeyId: id, MacAlgorithm: 'HMAC_SHA_256', Message: message } as const;
    const refusals = ['NotFoundException', 'DisabledException', 'KMSInvalidStateException'] as const;
    const answer = await ask(id, () => this.client.generateMac(request), refusals);
    if (typeof answer === 'string') return answer === 'NotFoundException' ? 'missing' : 'unusable';
    const { Mac: mac, KeyId: of = '', MacAlgorithm: algorithm } = answer;
    const isAsked = of === id || of.endsWith(`:key/${id}`);
    if (mac?.length !== 32 || !isAsked || algorithm !== 'HMAC_SHA_256') throw toError('AWS_UNREACHABLE', { path: id });
    return new Uint8Array(mac);
  }

  async createKey(description: string): Promise<string> {
    const request = { KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC', Origin: 'AWS_KMS', MultiRegion: false } as const;
    const answer = await ask(description, () => this.client.createKey({ ...request, Description: description }));
    const id = answer.KeyMetadata?.KeyId;
    if (id === undefined) throw toError('AWS_UNREACHABLE', { path: description });
    return id;
  }

  /** False: the alias is another key's. */
  async createAlias(alias: string, id: string): Promise<boolean> {
    const request = { AliasName: alias, TargetKeyId: id };
    return (await ask(alias, () => this.client.createAlias(request), ['AlreadyExistsException'])) !== 'AlreadyExistsException';
  }

  /** Cannot be used from now on, and is deleted after so many days. One that waits already goes on waiting. */
  async scheduleDeletion(id: string, days: number): Promise<void> {
    await ask(id, () => this.client.scheduleKeyDeletion({ KeyId: id, PendingWindowInDays: days }), ['KMSInvalidStateException']);
  }

  close(): void {
    this.client.destroy();
  }
}
