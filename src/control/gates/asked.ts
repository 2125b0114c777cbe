// What a caller asks a gate, and the form of it.
import type { Schema } from '../../documents/documents.js';
import { nameSchema } from '../http/http.js';

/** As `bauta attest --json` writes it; what the gate goes by of it is the signed marker, and the rest is worth who sends it. */
export interface AskedStatement {
  readonly state: string;
  readonly marker: string | null;
  readonly compared: string;
  readonly time: string;
  readonly findings?: readonly { readonly code?: string }[];
}

export interface Asked {
  readonly environment: string;
  readonly service: string;
  readonly commit?: string | null;
  /** `repository@sha256:…`; a tag alone is a no. */
  readonly image?: string | null;
  /** The run that made it, or TARGET@VERSION. */
  readonly datasetVersion?: string | null;
  /** Of the database that the tests ran on. */
  readonly statement?: AskedStatement | null;
  /** Of the database that the deployment is connected with. */
  readonly environmentStatement?: AskedStatement | null;
}

const statement: Schema = {
  type: ['object', 'null'],
  description: 'what `bauta attest --json` says',
  required: ['state', 'marker', 'compared', 'time'],
  properties: {
    state: { type: 'string', enum: ['valid', 'unchecked', 'broken', 'unknown'], description: 'one of valid, unchecked, broken, unknown' },
    marker: { type: ['string', 'null'], maxLength: 65_536, description: 'the signed marker, or null' },
    compared: { type: 'string', enum: ['rows', 'counts'], description: 'rows or counts' },
    time: { type: 'string', maxLength: 40, description: 'an instant as RFC 3339' },
    findings: {
      type: 'array',
      maxItems: 100_000,
      description: 'a list of findings',
      items: { type: 'object', properties: { code: { type: 'string', description: 'a code' } } },
    },
  },
};

export const askedSchema: Schema = {
  type: 'object',
  description: 'environment, service, commit, image, datasetVersion, statement and environmentStatement',
  additionalProperties: false,
  required: ['environment', 'service'],
  properties: {
    environment: nameSchema,
    service: nameSchema,
    commit: { type: ['string', 'null'], pattern: '^([0-9a-f]{40}|[0-9a-f]{64})$', description: 'a whole commit id in hexadecimal' },
    image: {
      type: ['string', 'null'],
      maxLength: 600,
      pattern: '^[A-Za-z0-9][A-Za-z0-9._:/-]*(@sha256:[0-9a-f]{64})?$',
      description: 'repository@sha256:DIGEST',
    },
    datasetVersion: {
      type: ['string', 'null'],
      maxLength: 200,
      pattern: '^[A-Za-z0-9][A-Za-z0-9._-]*(@[0-9]{1,9})?$',
      description: 'the run that made the version, or TARGET@VERSION',
    },
    statement,
    environmentStatement: statement,
  },
};

/** `sha256:…`, or null: there is no image, or a tag alone. */
export const digestOf = (image: string): string | null => /@(sha256:[0-9a-f]{64})$/.exec(image)?.[1] ?? null;
