// What Secrets Manager keeps, as texts.
import { SecretsManager } from '@aws-sdk/client-secrets-manager';

import { type AwsSettings, ask, toClientOptions } from './asking.js';
import type { AwsReference } from './reference.js';

export class Secrets {
  private readonly client: SecretsManager;

  constructor(settings: AwsSettings) {
    this.client = new SecretsManager(toClientOptions(settings, settings.BAUTA_AWS_SECRETS_ENDPOINT));
  }

  /** Of the version that is current. Undefined: there is no such secret, it is no text, or has no such field, or the field is no text. */
  async read({ secret, field }: AwsReference): Promise<string | undefined> {
    // Said, although it is the default, so that a policy can ask for it.
    const request = { SecretId: secret, VersionStage: 'AWSCURRENT' };
    const answer = await ask(secret, () => this.client.getSecretValue(request), ['ResourceNotFoundException']);
    if (typeof answer === 'string') return undefined;
    return field === undefined ? answer.SecretString : findField(answer.SecretString, field);
  }

  close(): void {
    this.client.destroy();
  }
}

function findField(text: string | undefined, field: string): string | undefined {
  try {
    const fields: unknown = JSON.parse(text ?? 'null');
    if (typeof fields !== 'object' || fields === null || !Object.hasOwn(fields, field)) return undefined;
    const value = (fields as Readonly<Record<string, unknown>>)[field];
    return typeof value === 'string' ? value : undefined;
  } catch {
    // A parser's words quote what it read.
    return undefined;
  }
}
