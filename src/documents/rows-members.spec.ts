// What an Environment may say of rows, where it says it wrongly, and which secret it names.
import { resolve } from 'node:path';

import { expect, it } from '@jest/globals';

import { findSecretsNamed, loadDocuments } from './documents.js';

const environment = (kafka: string): string => `kind: Environment
name: analytics
owner: team-shop
purpose: reports of the shop
class: test
connection: env:BROKER
allows: [pii]
retentionDays: 7
kafka:
  topics: create
${kafka.replace(/^/gm, '  ')}
`;
const load = (kafka: string): ReturnType<typeof loadDocuments> =>
  loadDocuments(resolve('/documents/a.yaml'), () => Promise.resolve(environment(kafka)));
const codes = async (kafka: string): Promise<readonly string[]> =>
  (await load(kafka)).findings.map(({ code, where }) => `${code}:${where.line ?? ''}`);

it.each([
  'encoding: rows\nrows: { format: json }',
  "encoding: rows\nrows: { format: connect-json, numeric: decimal, arrays: text, floats: text, readers: ['User:spark'], transactionMegabytes: 0 }",
  'encoding: rows\nrows: { format: avro, registry: { url: "https://registry.internal:8081/api", login: env:REGISTRY } }',
  'encoding: rows\nrows: { format: avro, registry: { url: "http://127.0.0.1:8081" } }',
])('may say\n%s', async (kafka) => {
  expect(await codes(kafka)).toEqual([]);
});

it.each([
  ['no format', 'encoding: rows\nrows: {}', 'DOCUMENT_MEMBER_MISSING:12'],
  ['rows that nobody asked for', 'encoding: bulk\nrows: { format: json }', 'DOCUMENT_VALUE_INVALID:12'],
  ['agents for rows', 'encoding: rows\nrows: { format: json }\nagents: 2', 'DOCUMENT_VALUE_INVALID:13'],
  ['a reason for clear text that nobody seals', 'encoding: rows\nrows: { format: json }\nclear: { reason: a good reason }', 'DOCUMENT_VALUE_INVALID:13'],
  ['the encoding without its members', 'encoding: rows', 'DOCUMENT_MEMBER_MISSING:9'],
  ['Avro without a registry', 'encoding: rows\nrows: { format: avro }', 'DOCUMENT_MEMBER_MISSING:12'],
  ['a registry without Avro', 'encoding: rows\nrows: { format: json, registry: { url: "https://a.internal" } }', 'DOCUMENT_VALUE_INVALID:12'],
  ['a registry in clear beyond this machine', 'encoding: rows\nrows: { format: avro, registry: { url: "http://a.internal" } }', 'DOCUMENT_VALUE_INVALID:12'],
  ['a password in an address', 'encoding: rows\nrows: { format: avro, registry: { url: "https://u:p@a.internal" } }', 'DOCUMENT_VALUE_INVALID:12'],
  ['a password in place of a reference', 'encoding: rows\nrows: { format: avro, registry: { url: "https://a.internal", login: "u:p" } }', 'DOCUMENT_VALUE_INVALID:12'],
  ['everybody as a reader', "encoding: rows\nrows: { format: json, readers: ['User:*'] }", 'DOCUMENT_VALUE_INVALID:12'],
])('does not take %s', async (_, kafka, expected) => {
  expect([...new Set((await codes(kafka)).filter((code) => !code.startsWith('DOCUMENT_SECRET')))]).toEqual([expected]);
}); // prettier-ignore

it('names the secret of a registry with the place that it is shown to', () => {
  const registry = { url: 'https://registry.internal:8081/api', login: 'env:REGISTRY' };
  const kafka = { encoding: 'rows', rows: { format: 'avro', registry } };
  expect(findSecretsNamed({ kind: 'Environment', name: 'analytics', connection: 'env:BROKER', kafka })).toContainEqual({
    path: 'kafka.rows.registry.login',
    reference: 'env:REGISTRY',
    place: 'registry.internal:8081',
  });
});
