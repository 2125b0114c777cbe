// The pages under docs/ that are made from the code: what they say is what the code says. `npm run generate` writes them.
import { declarations } from '../config/settings.js';
import { loadDocuments, publishedSchemas, readText } from '../documents/documents.js';
import { toError } from '../kernel/errors.js';
import { type ErrorCode, messages } from '../kernel/messages.js';
import { packageFile } from '../kernel/package-root.js';
import { tags } from '../pipeline/tags.js';
import type { RulebookDefinition } from '../pipeline/definition.js';
import { transforms } from '../pipeline/mask/mask.js';
import { createProgram } from './cli.js';
import { eventSchemas } from './event-schemas.js';
import { outputSchemas } from './output-schemas.js';
import { toExitCode } from './print.js';
import { toTransformText } from './transform-text.js';

/** Path from the package's root → text. */
export async function toReferencePages(): Promise<ReadonlyMap<string, string>> {
  const rulebook = await loadDefaultRulebook();
  const schemas = Object.entries({ ...publishedSchemas, ...outputSchemas, ...eventSchemas }).map(([name, schema]): [string, string] => [
    `docs/schema/${name}`,
    `${JSON.stringify(schema, null, 2)}\n`,
  ]);
  // Only who makes the pages needs the whole service for it.
  const { describeApi } = await import('../control/service.js');
  return new Map([
    ...schemas,
    ['docs/openapi.json', `${JSON.stringify(await describeApi(), null, 2)}\n`],
    ['docs/cli.md', toCliPage()],
    ['docs/configuration.md', toConfigurationPage()],
    ['docs/errors.md', toErrorsPage()],
    ['docs/tags.md', toTagsPage(rulebook)],
    ['docs/transforms.md', toTransformsPage(rulebook)],
  ]);
}

async function loadDefaultRulebook(): Promise<RulebookDefinition['rules']> {
  const { definitions } = await loadDocuments(packageFile('src', 'pipeline', 'mask', 'rulebooks', 'default.yaml'), readText);
  const rulebook = definitions.map(({ body }) => body).find((body) => body.kind === 'Rulebook');
  if (!rulebook) throw toError('DOCUMENT_NOT_FOUND', { name: 'default', expected: 'none' });
  return rulebook.rules;
}

function toErrorsPage(): string {
  const rows = (Object.keys(messages) as ErrorCode[]).sort().map((code) => {
    const { message, hint } = messages[code];
    const error = toError(code);
    return [`\`${code}\``, error.class, String(toExitCode(error)), message, hint];
  });
  return toPage(
    'Error and finding codes',
    `Every code that Bauta gives, as error or as finding. A word in braces stands for a name, a place or a number; none ever stands for a value of a
row. \`InputError\`: the caller acts. \`DeniedError\`: a decision said no. \`DataError\`: the owner of the data acts. \`UnavailableError\`: time or
the operator acts. \`InvariantError\`: a defect of Bauta. The exit code is that of an error; findings of severity \`error\` end a run as \`PLAN_REFUSED\`,
\`DOCUMENTS_INVALID\` or withheld. The reasons of the gate are in \`docs/policies.md\`.`,
    toMarkdownTable(['code', 'class', 'exit', 'message', 'what to do'], rows),
  );
}

function toConfigurationPage(): string {
  const rows = Object.entries(declarations).map(([name, { expected, default: fallback, doc }]) => [
    `\`${name}\``,
    expected,
    fallback === '' ? 'none' : `\`${fallback}\``,
    doc,
  ]);
  return toPage(
    'Settings',
    `Settings are environment variables, read once when a command starts. A value that does not fit is an error, and so is a \`BAUTA_…\` variable that is
not in this list: all such problems are reported together (\`SETTINGS_INVALID\`). \`BAUTA_CONN_…\` is free for connection strings that a document names as
\`env:BAUTA_CONN_…\`, and \`BAUTA_WORLD\` belongs to the tests. What to copy, from where to where, is no setting: it stands in the pipeline document.`,
    toMarkdownTable(['name', 'accepts', 'default', 'meaning'], rows),
  );
}

function toTagsPage(rules: RulebookDefinition['rules']): string {
  const rows = [...tags.values()].map(({ name, scope, doc }) => [
    `\`${name}\``,
    doc,
    rules[name]?.[0]?.scope ?? scope,
    (rules[name] ?? []).map(({ transform }) => `\`${transform}\``).join(', '),
  ]);
  return toPage(
    'Tags',
    `A tag says what a column holds. The list is closed. Scope says how far equality goes: \`value\` (same value, same pseudonym), \`subject\` (same person,
same pseudonym), \`row\` (each row its own). The transforms are those of the rulebook \`default\`: of several, the first that fits the column's type is
taken, for a unique column the first that also keeps unique values unique. \`docs/transforms.md\` says what each does.`,
    toMarkdownTable(['tag', 'what it is', 'scope', 'transforms of the rulebook default'], rows),
  );
}

function toTransformsPage(rules: RulebookDefinition['rules']): string {
  const usedBy = (name: string): string[] =>
    Object.entries(rules).flatMap(([tag, list]) => (list.some(({ transform }) => transform === name) ? [tag] : []));
  return toPage(
    'Transforms',
    `Every transform that there is, with what it declares; the laws (\`test/laws\`) hold it to that. *Uniqueness*: \`preserved\` means that distinct values stay
distinct, by a permutation or up to the collision bound of the space (n² / 2·space); only such a transform may stand on a unique column or a key.
*Lets through*: what a reader of the copy can tell about the originals. *Originals in the output*: where they cannot be, the verification looks for them;
where they may be by chance or on purpose, it does not, and says so. *Not keyed*: the output is the same under every key. *Pseudonyms*: how many there
are, for the types given; the plan compares this with the distinct values of a unique column.`,
    transforms.map((transform) => toTransformText(transform, usedBy(transform.name))).join('\n\n'),
  );
}

function toCliPage(): string {
  const program = createProgram(() => undefined);
  const helpOf = (command: typeof program): string => {
    let text = '';
    command.configureOutput({ writeOut: (part) => (text += part), getOutHelpWidth: () => 120, getOutHasColors: () => false }).outputHelp();
    return `\`\`\`text\n${text.trimEnd()}\n\`\`\``;
  };
  const commands = program.commands.map((command) => `## bauta ${command.name()}\n\n${helpOf(command)}`);
  return toPage(
    'The command line',
    `In a checkout \`node dist/src/cli.js …\` is \`bauta …\`. Exit codes: 0 done or allowed · 1 failed · 2 denied · 3 invalid input · 4 the caller's own
\`--timeout\` passed · 5 consistent, signer not checked (\`audit verify\`). With \`--json\` stdout has one JSON object, on failure too, and everything else goes to stderr.`,
    [helpOf(program), ...commands].join('\n\n'),
  );
}

function toPage(title: string, introduction: string, body: string): string {
  return `# ${title}\n\n<!-- generated by npm run generate; do not edit -->\n\n${introduction}\n\n${body}\n`;
}

function toMarkdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
