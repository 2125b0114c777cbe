// A schema registry that speaks Confluent's REST interface: gives a schema to a subject and gets its id. Nothing of what it answers goes further.
import { toError } from '../../../../kernel/errors.js';

export interface RegistryRequest {
  readonly method: 'POST';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface RegistryOptions {
  /** Where the registry's paths begin, without a slash at the end. */
  readonly url: string;
  /** Throws HTTP_* by itself. */
  readonly send: (request: RegistryRequest) => Promise<{ readonly status: number; readonly body: Buffer }>;
  /** The whole header, which is secret. */
  readonly authorization?: string;
}

const media = 'application/vnd.schemaregistry.v1+json';

export class SchemaRegistry {
  constructor(private readonly options: RegistryOptions) {}

  /**
   * The id of the schema under `<topic>-key` or `<topic>-value` (TopicNameStrategy): a new one, or that of the same schema when the subject has
   * it. Throws ROWS_SCHEMA_REFUSED where the subject's compatibility forbids it, ROWS_REGISTRY_REFUSED and ROWS_REGISTRY_BROKEN.
   */
  async register(topic: string, part: 'key' | 'value', schema: string): Promise<number> {
    const subject = `${topic}-${part}`;
    const { url, authorization } = this.options;
    const { status, body } = await this.options.send({
      method: 'POST',
      url: `${url}/subjects/${encodeURIComponent(subject)}/versions`,
      headers: { 'Content-Type': media, Accept: media, ...(authorization === undefined ? {} : { Authorization: authorization }) },
      body: JSON.stringify({ schemaType: 'AVRO', schema }),
    });
    if (status === 409 || status === 422) throw toError('ROWS_SCHEMA_REFUSED', { name: subject });
    if (status === 401 || status === 403) throw toError('ROWS_REGISTRY_REFUSED', { name: subject });
    const id = status === 200 ? parseId(body) : undefined;
    if (id === undefined) throw toError('ROWS_REGISTRY_BROKEN', { name: subject, amount: String(status) });
    return id;
  }
}

function parseId(body: Buffer): number | undefined {
  try {
    const { id } = JSON.parse(body.toString('utf8')) as { id?: unknown };
    return Number.isInteger(id) && (id as number) > 0 && (id as number) < 2 ** 31 ? (id as number) : undefined;
  } catch {
    return undefined;
  }
}
