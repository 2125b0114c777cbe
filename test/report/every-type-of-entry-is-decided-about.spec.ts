// Every type of entry that the code can append is read by a population, or stands in a list with the reason why it is in none. The code is read as
// syntax: every word in it that has the form of a type is one, or is named here as what else it is.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

import { expect, it } from '@jest/globals';
import ts from 'typescript';

import { packageFile } from '../../src/kernel/package-root.js';
import { homeChangeTypes, intentTypes, keyChangeTypes } from '../../src/pipeline/audit/audit.js';
import { leftOut } from '../../src/pipeline/report/populations/left-out.js';
import { populations } from '../../src/pipeline/report/populations/populations.js';
import { approvalStates } from '../../src/systems/metadata/approval-state.js';
import { runStates } from '../../src/systems/metadata/run-state.js';

const form = /^[a-z]+(-[a-z]+)*(\.[a-z]+(-[a-z]+)*){1,2}$/;
const isFile =
  /\.(json|yaml|yml|pub|key|pem|sql|ts|js|mjs|csv|wasm|note|html|pdf|txt|md|zip|last|tar|gz|xlsx|rego|log|lock|enc|sh|css|tlog-proof)$/;

/** What has the form of a type and is none, by the folder in which it is said: tags of columns, steps on a server, columns of populations. */
const elsewhere = [
  ...[
    'src/pipeline/classify/',
    'src/pipeline/tags.ts',
    'src/pipeline/mask/',
    'src/pipeline/report/',
    'src/pipeline/verify/',
    'src/pipeline/deliver/',
  ],
  ...['src/pipeline/gate/', 'src/documents/', 'src/config/', 'src/kernel/', 'src/threads/', 'src/systems/', 'src/agent'],
];
/** But these systems write the log. */
const write = ['src/systems/metadata/', 'src/systems/files/'];

/** Words of other kinds: of what. */
const others: Readonly<Record<string, string>> = {
  'publish.commit': 'a step of a publication',
  'schema.table': 'how a table is written',
  'schema.table.column': 'how a column is written',
  'audit.checkpoints': 'a topic',
  'template.spec': 'a member of a Kubernetes object',
  'spec.template.spec': 'a member of a Kubernetes object',
  'request.uid': 'a member of an AdmissionReview',
  'request.operation': 'a member of an AdmissionReview',
  'request.kind.kind': 'a member of an AdmissionReview',
  'request.namespace': 'a member of an AdmissionReview',
  'deployment.sha': 'a member of a call of GitHub',
  'deployment.ref': 'a member of a call of GitHub',
  'repository.id': 'a member of a call of GitHub',
  'installation.id': 'a member of a call of GitHub',
  'project.id': 'a member of a call of GitLab',
  'source.writable': 'a member of a document',
  'target.adopt': 'a member of a document',
  'target.file': 'a member of a document',
  'bauta.document': 'a table',
  'e.seq': 'a column',
  'incident.step-failed': 'what channels are told; the log has incident.step',
  'incident.carried-out': 'what channels are told; the log has incident.step',
};

/** Types that are put together: by the text of the template. */
const states = runStates.map((state) => `run.${state}`);
const words = ['rollback', 'expiry', 'subject-erasure', 'key-rotation', 'key-destruction', 'secret-rotation'];
const resumed = [...words, 'plan', 'datasets', 'clone', 'unclone', 'archive', 'agents'];
const together: Readonly<Record<string, readonly string[]>> = {
  'run.${state}': states,
  'run.${to}': states,
  'approval.${to}': approvalStates.filter((state) => state !== 'waiting').map((state) => `approval.${state}`),
  'person.erased.${type}': ['person.erased.intended', 'person.erased.done'],
  '${word}.resumed': resumed.map((word) => `${word}.resumed`),
  '${word}.failed': words.map((word) => `${word}.failed`),
  '${word}.done': words.map((word) => `${word}.done`),
  'agent.${type}': ['published', 'failed', 'rolled-back', 'withdrawn', 'expired'].map((word) => `agent.${word}`),
  // Of the journal and of the home: the types of intents, which are looked at below.
  '${name}.intended': [],
  '${name}.failed': [],
  '${name}.done': [],
  '${change}.intended': [],
  '${change}.done': [],
  "key.rotated.${there ? 'completed' : 'undone'}": ['key.rotated.completed', 'key.rotated.undone'],
  'key.rotated.${word}': [],
  'key.destroyed.${word}': [],
};

interface Said {
  readonly literals: ReadonlyMap<string, string>;
  readonly templates: ReadonlyMap<string, string>;
}

function readSources(): Said {
  const [literals, templates] = [new Map<string, string>(), new Map<string, string>()];
  const paths = spawnSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', 'src'], {
    cwd: packageFile('.'),
    encoding: 'utf8',
  })
    .stdout.split('\n')
    .filter((path) => path.endsWith('.ts') && !path.endsWith('.spec.ts'))
    .filter((path) => write.some((one) => path.startsWith(one)) || !elsewhere.some((one) => path.startsWith(one)));
  for (const path of paths) {
    const source = ts.createSourceFile(path, readFileSync(packageFile(path), 'utf8'), ts.ScriptTarget.Latest);
    const visit = (node: ts.Node): void => {
      if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return;
      if (ts.isStringLiteralLike(node)) literals.set(node.text, path);
      else if (ts.isTemplateExpression(node)) templates.set(node.getText(source).slice(1, -1), path);
      ts.forEachChild(node, visit);
    };
    visit(source);
  }
  return { literals, templates };
}

const said = readSources();
const types = new Set(populations.flatMap((one) => one.types));
const isDecided = (type: string): boolean => types.has(type) || Object.hasOwn(leftOut, type);

it('has every type of entry in a population, or says why it is in none', () => {
  const found = [...said.literals].filter(([word]) => form.test(word) && !isFile.test(word) && !Object.hasOwn(others, word));
  const changes = new Set([...intentTypes, ...homeChangeTypes, ...keyChangeTypes].map((type) => type.slice(0, type.lastIndexOf('.'))));
  const undecided = found.filter(([word]) => !isDecided(word) && !changes.has(word));
  expect(undecided.map(([word, path]) => `${word} in ${path}`)).toEqual([]);
  expect(found.length).toBeGreaterThan(100);
});

it('has every type that is put together from words, too', () => {
  // One word, a point, and one more: with something in between that only the running program knows.
  const shaped = [...said.templates].filter(([text]) => /^([a-z-]+\.)*(\$\{[^}]+\})(\.[a-z-]+)*$/.test(text) && text.includes('.', text.startsWith('${') ? text.indexOf('}') : 0) && !isFile.test(text.replace(/\$\{[^}]*\}/g, 'x')) && !/^(gdpr|report)\./.test(text)); // prettier-ignore
  expect(shaped.filter(([text]) => !Object.hasOwn(together, text)).map(([text, path]) => `${text} in ${path}`)).toEqual([]);
  const all = [...Object.values(together).flat(), ...intentTypes, ...homeChangeTypes, ...keyChangeTypes];
  expect(all.filter((type) => !isDecided(type))).toEqual([]);
});

it('leaves nothing out that a population reads, and gives each its reason', () => {
  expect(Object.keys(leftOut).filter((type) => types.has(type))).toEqual([]);
  expect(Object.values(leftOut).filter((why) => why.length < 20)).toEqual([]);
});
