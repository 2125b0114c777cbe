// What a first command needs, with Node's own modules only: dependencies that fit the lock file, and a build that fits the sources.
// Words go to stderr only, so that a command's stdout stays its own. Usage: node bootstrap.mjs [--tests] [--start <module>]
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  closeSync,
  existsSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(fileURLToPath(import.meta.url));
const tests = process.argv.includes('--tests');
const say = (text) => process.stderr.write(`bauta: ${text}\n`);

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  say(`Node ${process.versions.node} is too old; 20.19 or newer is needed`);
  process.exit(1);
}

const unlock = await takeLock(join(root, '.bootstrap.lock'));
try {
  install();
  build('dist', 'tsconfig.build.json', ['src', 'migrations', 'bench', 'tsconfig.json', 'tsconfig.build.json', 'package-lock.json']);
  if (tests)
    build('dist-test', 'tsconfig.test.json', [
      'src',
      'migrations',
      'bench',
      'test',
      'tsconfig.json',
      'tsconfig.test.json',
      'package-lock.json',
    ]);
} finally {
  unlock();
}

// In this process, not in a second one: a signal to `npm start` reaches what it is meant for.
const start = process.argv.indexOf('--start');
if (start > 0) await import(join(root, process.argv[start + 1]));

function install() {
  const stamp = join(root, 'node_modules', '.bauta-lock-digest');
  // Of package.json only what npm installs by: a new script is no new dependency.
  const { dependencies, devDependencies, overrides } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const wanted = JSON.stringify({ dependencies, devDependencies, overrides });
  const digest = createHash('sha256')
    .update(digestOf(['package-lock.json']))
    .update(wanted)
    .digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === digest) return;
  // A link belongs to another checkout: npm ci would empty that one.
  if (lstatSync(join(root, 'node_modules'), { throwIfNoEntry: false })?.isSymbolicLink())
    return say('node_modules is a link; using it as it is');
  say('installing dependencies (npm ci)');
  run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error']);
  writeFileSync(stamp, digest);
}

function build(folder, project, inputs) {
  const stamp = join(root, folder, '.digest');
  const digest = digestOf(inputs);
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === digest) return;
  say(`building ${folder}`);
  rmSync(join(root, folder), { recursive: true, force: true });
  mkdirSync(join(root, folder), { recursive: true });
  run(process.execPath, [join(root, 'node_modules/@typescript/native/bin/tsc'), '-p', project]);
  if (folder === 'dist') buildKernels();
  writeFileSync(stamp, digest);
}

/** AssemblyScript to WebAssembly: src/pipeline/<stage>/kernel/assembly/<name>.ts → dist/kernel/<name>.wasm */
function buildKernels() {
  for (const stage of readdirSync(join(root, 'src/pipeline'))) {
    const sources = join('src/pipeline', stage, 'kernel/assembly');
    if (!existsSync(join(root, sources))) continue;
    for (const name of readdirSync(join(root, sources)).filter((file) => file.endsWith('.ts'))) {
      const words = ['-O3', '--enable', 'simd', '--runtime', 'stub', '--noAssert', '-o', `dist/kernel/${name.replace('.ts', '.wasm')}`];
      run(process.execPath, [join(root, 'node_modules/assemblyscript/bin/asc.js'), join(sources, name), ...words]);
    }
  }
}

function run(command, words) {
  const { status, error } = spawnSync(command, words, { cwd: root, stdio: ['ignore', 2, 2], shell: process.platform === 'win32' });
  if (status === 0) return;
  unlock();
  say(`${command} ${words[0]} failed${error ? `: ${error.code}` : ''}`);
  process.exit(1);
}

function digestOf(paths) {
  const digest = createHash('sha256');
  const add = (path) => {
    const full = join(root, path);
    if (!existsSync(full)) return;
    if (statSync(full).isDirectory()) for (const name of readdirSync(full).sort()) add(join(path, name));
    else digest.update(`${path}\0`).update(readFileSync(full)).update('\0');
  };
  paths.forEach(add);
  return digest.digest('hex');
}

/** One bootstrap at a time: a second waits; the lock of a process that is gone is taken over. */
async function takeLock(path) {
  for (let waited = 0; ; waited += 200) {
    try {
      const file = openSync(path, 'wx');
      writeSync(file, String(process.pid));
      closeSync(file);
      return () => rmSync(path, { force: true });
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
      if (waited === 0) say('another bootstrap is running; waiting');
      if (isGone(path)) rmSync(path, { force: true });
      else await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}

function isGone(path) {
  try {
    const pid = Number(readFileSync(path, 'utf8'));
    if (!pid) return Date.now() - statSync(path).mtimeMs > 5000;
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return error.code === 'ESRCH';
  }
}
