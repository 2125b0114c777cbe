// Compiles the rules to policies/provision.wasm, and writes policies/manifest.json, policies/capabilities.json and docs/policies.md.
// Usage: node policies/build.mjs [--check]. Building needs `opa` on PATH. --check changes nothing: it compares the committed files with the
// sources by digest, and, where an opa of the manifest's version is on PATH, compiles again and compares byte by byte.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, posix, relative, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { gunzipSync } from 'node:zlib';

import { parse } from 'yaml';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
// The first is asked about a plan, the second before values are exchanged outside of a run, the third about a deployment.
const ENTRYPOINTS = ['gate/provision/decision', 'tokens/exchange/decision', 'deploy/gate/decision'];
const AGGREGATES = { deploy: 'policies/deploy/gate/gate.rego', rest: 'policies/gate/provision/provision.rego' };

// What the wasm itself brings (OPA's C runtime); the SDK's own JavaScript versions of other built-ins differ from OPA's. No regular
// expressions, no clock, no randomness, no network: a rule that wants one of those does not compile. rego.metadata.chain is replaced by a
// constant when it is compiled.
const NATIVE = new Set(
  `abs all and any array.concat array.slice assign base64.decode base64.encode base64.is_valid base64url.decode base64url.encode
  bits.and bits.lsh bits.negate bits.or bits.rsh bits.xor ceil concat contains count div endswith eq equal floor format_int graph.reachable
  gt gte indexof internal.member_2 internal.member_3 intersection is_array is_boolean is_null is_number is_object is_set is_string json.filter
  json.marshal json.remove json.unmarshal lower lt lte max min minus mul neq numbers.range object.filter object.get object.keys object.remove
  object.union or plus product rego.metadata.chain rem replace round set_diff sort split startswith strings.replace_n substring sum to_number
  trim trim_left trim_prefix trim_right trim_space trim_suffix type_name union upper walk`.split(/\s+/),
);

// What a module may bring itself besides: users' own policies may use it, the rules here have no need of it.
const NATIVE_BESIDES = `array.flatten array.reverse glob.match internal.template_string json.is_valid net.cidr_contains net.cidr_intersects
  net.cidr_overlap object.union_n re_match regex.find_all_string_submatch_n regex.is_valid regex.match strings.reverse`.split(/\s+/);
// They are replaced by constants when a policy is compiled.
const COMPILED_AWAY = ['rego.metadata.chain', 'rego.metadata.rule'];

const check = process.argv.includes('--check');
const problems = [];
const sources = findSources('policies');
const digests = Object.fromEntries(sources.map((path) => [path, digest(readFileSync(join(root, path)))]));
checkListed();
const provided = await findProvided();
if (check) checkCommitted();
else build();
if (problems.length > 0) {
  for (const problem of problems) process.stderr.write(`policies: ${problem}\n`);
  process.exit(1);
}

function build() {
  const version = opaVersion();
  if (version === undefined) return problems.push('opa is not on PATH; go install github.com/open-policy-agent/opa@latest');
  if (problems.length > 0) return;
  const wasm = compile();
  if (wasm === undefined) return;
  writeFileSync(join(root, 'policies/provision.wasm'), wasm);
  writeFileSync(join(root, 'policies/manifest.json'), manifestText(wasm, version));
  writeFileSync(join(root, 'docs/policies.md'), documentText(), { flag: 'w' });
  writeFileSync(join(root, 'policies/capabilities.json'), capabilitiesText());
}

function checkCommitted() {
  const stale = 'does not fit the sources; run node policies/build.mjs';
  const wasm = readIfThere('policies/provision.wasm');
  const manifest = readIfThere('policies/manifest.json')?.toString();
  if (wasm === undefined || manifest === undefined) return problems.push(`policies/provision.wasm or policies/manifest.json is missing`);
  const { opa } = JSON.parse(manifest);
  if (manifest !== manifestText(wasm, opa)) problems.push(`policies/manifest.json ${stale}`);
  if (readIfThere('docs/policies.md')?.toString() !== documentText()) problems.push(`docs/policies.md ${stale}`);
  checkCapabilities();
  const version = opaVersion();
  if (version === opa) {
    if (readIfThere('policies/capabilities.json')?.toString() !== capabilitiesText()) problems.push(`policies/capabilities.json ${stale}`);
    if (!compile()?.equals(wasm)) problems.push(`policies/provision.wasm ${stale}`);
  } else if (process.env.BAUTA_WORLD === 'required') {
    problems.push(`opa ${opa} is needed to compile again; there is ${version ?? 'none'} on PATH`);
  } else {
    process.stderr.write(`policies: not compiled again, since opa ${opa} is not on PATH (${version ?? 'none'} is); digests only\n`);
  }
}

/** The wasm of the sources. The paths given are relative to the project, since they stand in the module. */
function compile() {
  const scratch = mkdtempSync(join(tmpdir(), 'bauta-policy-'));
  try {
    const capabilities = join(scratch, 'capabilities.json');
    const current = JSON.parse(runOpa(['capabilities', '--current']).stdout);
    // OPA reads this list strictly: wasm ABI 1.2 and later is what the SDK evaluates in one call.
    current.builtins = current.builtins.filter(({ name }) => NATIVE.has(name));
    current.allow_net = [];
    writeFileSync(capabilities, JSON.stringify(current));
    const bundle = join(scratch, 'bundle.tar.gz');
    const { status, stderr } = runOpa([
      'build',
      '-t',
      'wasm',
      ...ENTRYPOINTS.flatMap((one) => ['-e', one]),
      '--capabilities',
      capabilities,
      '-o',
      bundle,
      ...sources,
    ]);
    if (status !== 0) return void problems.push(`opa build failed\n${stderr}`);
    return readTar(gunzipSync(readFileSync(bundle)), '/policy.wasm');
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** What the engine provides: it says so itself. */
async function findProvided() {
  const path = join(root, 'dist/src/systems/opa/builtins/builtins.js');
  if (!existsSync(path)) return void problems.push('the engine is not built; run npm run build first');
  return [...NATIVE, ...NATIVE_BESIDES, ...COMPILED_AWAY, ...(await import(pathToFileURL(path).href)).builtins.keys()];
}

/** For `opa build --capabilities`: a policy that calls anything else does not compile, and the place of the call is named. */
function capabilitiesText() {
  const current = JSON.parse(runOpa(['capabilities', '--current']).stdout);
  current.builtins = current.builtins.filter(({ name }) => provided.includes(name));
  current.allow_net = [];
  return `${JSON.stringify(current)}\n`;
}

/** Without opa: the functions that are listed are those that the engine provides. */
function checkCapabilities() {
  if (provided === undefined) return;
  const listed = JSON.parse(readIfThere('policies/capabilities.json') ?? '{"builtins":[]}').builtins.map(({ name }) => name);
  const unlisted = provided.filter((name) => !listed.includes(name));
  const beyond = listed.filter((name) => !provided.includes(name));
  if (unlisted.length + beyond.length > 0)
    problems.push(`policies/capabilities.json is not what the engine provides: ${[...unlisted, ...beyond].join(', ')}`);
}

function runOpa(words) {
  return spawnSync('opa', words, { cwd: root, encoding: 'utf8', maxBuffer: 1 << 26 });
}

function opaVersion() {
  const { status, stdout } = runOpa(['version']);
  return status === 0 ? /^Version: (\S+)$/m.exec(stdout)?.[1] : undefined;
}

function manifestText(wasm, opa) {
  const parts = { entrypoints: ENTRYPOINTS, opa, wasm: { path: 'policies/provision.wasm', digest: digest(wasm) }, sources: digests };
  // The revision is a function of the sources alone, so that anyone can make it anew.
  const revision = `provision-${digest(JSON.stringify(digests)).slice('sha256:'.length, 'sha256:'.length + 16)}`;
  return `${JSON.stringify({ revision, ...parts }, undefined, 2)}\n`;
}

/** Every folder with a `deny` has to be asked by the aggregate: a rule that nobody asks denies nothing. */
function checkListed() {
  for (const path of sources) {
    const asking = path.startsWith('policies/deploy/') ? AGGREGATES.deploy : AGGREGATES.rest;
    const aggregate = readFileSync(join(root, asking), 'utf8');
    const text = readFileSync(join(root, path), 'utf8');
    if (!/^deny contains /m.test(text)) continue;
    const name = /^package (\S+)$/m.exec(text)?.[1];
    const decides = ENTRYPOINTS.includes(`${name?.replaceAll('.', '/')}/decision`);
    if (!decides && !aggregate.includes(`\tdata.${name}.deny,\n`)) problems.push(`${asking} does not ask data.${name}.deny`);
    if (!existsSync(join(root, path.replace(/\.rego$/, '_test.rego')))) problems.push(`${path} has no tests beside it`);
    const { codes, severity } = readMetadata(text).custom;
    if (!['critical', 'high', 'medium'].includes(severity))
      problems.push(`${path} has no severity in its METADATA: critical, high or medium`);
    const used = new Set([...text.matchAll(/(?:reason\.(?:of|about)\(meta, |"code": )"([A-Z]\w+)"/g)].map((match) => match[1]));
    for (const code of new Set([...Object.keys(codes), ...used])) {
      if (!used.has(code)) problems.push(`${path} documents ${code} and never gives it`);
      if (!(code in codes)) problems.push(`${path} gives ${code} without a hint in its METADATA`);
    }
  }
}

function readMetadata(text) {
  const lines = text.split('\n');
  const from = lines.indexOf('# METADATA');
  const to = lines.findIndex((line, at) => at > from && !line.startsWith('#'));
  return parse(
    lines
      .slice(from + 1, to)
      .map((line) => line.replace(/^# ?/, ''))
      .join('\n'),
  );
}

function documentText() {
  const rules = sources
    .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }))
    .filter(({ text }) => /^deny contains /m.test(text))
    .map(({ path, text }) => ({ path, ...readMetadata(text) }));
  const head = [
    '# Policies',
    '',
    '<!-- generated by node policies/build.mjs from the METADATA of the rules; do not edit -->',
    '',
    'Before a row is read, the gate asks these rules about the plan. Each that speaks against it gives a reason; one reason is a denial, and',
    'so is every failure to ask (`GATE_UNDECIDED`, with what stood in the way by its own code). All reasons are returned, with the controls',
    'that they serve. Control ids that begin with `BAUTA` are our own; the others say to which point of a framework a rule contributes, not',
    'that the point is met by it. Rules below `policies/tokens` are asked before values are exchanged for tokens, or tokens for values,',
    'outside of a run, those below `policies/deploy` about a deployment : their reasons say the points that each costs, too.',
    '',
    'Policies of your own are compiled with `opa build -t wasm --capabilities policies/capabilities.json`, which lists every function that is',
    'provided here; what `policies/capabilities.json` does not have is refused there with its line, and by name when a bundle is loaded.',
    '`http.send`, `opa.runtime`, `net.lookup_ip_addr` and `rand.intn` are off: a decision may not look at the world, and has to be the same',
    'when it is taken again from its record. Missing are the functions that validate GraphQL, verify chains of certificates or parse Rego.',
    '',
    'A bundle of your own is asked about plans (`BAUTA_POLICY_BUNDLE`, package `bauta.provision`) and, at a service, about deployments',
    '(`BAUTA_GATE_BUNDLE`, package `bauta.deploy`; one bundle may have both). The rule `deny` is a set of `{"code", "message", "hint",',
    '"controlIds"}`, the last two optional; its entrypoint is `bauta/provision/deny` or `bauta/deploy/deny`. It gets the same question as the',
    'rules below and can only add reasons. It is signed (`BAUTA_POLICY_KEY`); one that is refused is said in every decision, and the one before',
    'stays in force. An OPA server (`BAUTA_POLICY_SERVER`) is asked about plans in the same way.',
    '',
    '```rego',
    'package bauta.provision',
    '',
    'deny contains {"code": "CLOSED", "message": "no copies in December"} if {',
    '\t[_, month, _] := time.date(time.now_ns())',
    '\tmonth == 12',
    '}',
    '```',
    '',
    '```sh',
    'bauta policy test my-rules',
    'bauta policy build my-rules --out bundle.tar.gz --signing-key file:key.pem',
    'bauta policy diff before.tar.gz bundle.tar.gz',
    'bauta policy explain 6f1c1c1e-8a55-4c1e-9d3c-2f5d5a1f0b11',
    '```',
    '',
    '`test` and `build` use the `opa` program and say so where there is none; `diff` and `explain` need none, and deciding never does. `diff` asks',
    'both bundles the questions of decisions that were taken (with `--server` about deployments, here about plans, with `--inputs` those of',
    'files) and exits with 1 if one would be another. `explain` tells of each reason which rule gives it, and on which members of the question and',
    'which parameters of `data` it rests: those without which it is gone. Where it finds a number or a yes or no that would take the reason',
    'away, all else as it is, it says that, too. It finds this by asking again, and so for rules in any style; a compiled bundle does not',
    'say which line passed, and METADATA (`title`, `custom.severity`, `custom.codes`) says which rule it was.',
    '',
    'Numbers and lists that a team shall change without Rego stand in `data.json` of the folder: `examples/policy` is a whole example with tests.',
    'What the rules below take as numbers stands in the Gate document (`parameters`, docs/gate.md) and in pipelines.',
    '',
  ];
  return [...head, ...rules.flatMap(ruleText)].join('\n');
}

function ruleText({ path, title, description, custom }) {
  const rows = Object.entries(custom.codes).map(([code, hint]) => `- \`${code}\`: ${hint}`);
  return [
    `## ${title}`,
    '',
    description.trim(),
    '',
    ...rows,
    '',
    `Severity: ${custom.severity}. Controls: ${custom.controls.join(', ')}. Source: \`${path}\`.`,
    '',
  ];
}

function findSources(folder) {
  const found = [];
  for (const entry of readdirSync(join(root, folder), { recursive: true, withFileTypes: true })) {
    const path = posix.join(...relative(root, join(entry.parentPath ?? entry.path, entry.name)).split(sep));
    if (entry.isFile() && path.endsWith('.rego') && !path.endsWith('_test.rego')) found.push(path);
  }
  return found.sort();
}

/** One file of a ustar archive; each entry is a header of 512 bytes and its content, padded to 512. */
function readTar(tar, name) {
  for (let at = 0; at + 512 <= tar.length && tar[at] !== 0;) {
    const entry = tar.toString('latin1', at, at + 100).replace(/\0.*$/, '');
    const size = parseInt(tar.toString('latin1', at + 124, at + 136), 8);
    if (entry === name) return Buffer.from(tar.subarray(at + 512, at + 512 + size));
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return undefined;
}

function readIfThere(path) {
  return existsSync(join(root, path)) ? readFileSync(join(root, path)) : undefined;
}

function digest(bytes) {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}
