// `bauta doctor`: is everything there that a run needs? With --fix, what dead runs left behind is dropped.
import { accessSync, constants } from 'node:fs';

import { type Settings, parseSettings } from '../config/settings.js';
import { BautaError, type Finding, toFinding } from '../kernel/errors.js';
import { packageFile } from '../kernel/package-root.js';
import { readMarkedDatasets, toOverdue } from '../pipeline/marked-datasets.js';
import { prepare, toRefusal } from '../pipeline/prepare.js';
import { settle } from '../pipeline/settle.js';
import { openGatePolicy } from '../control/open-policy.js';
import { compose } from './compose.js';
import { checkBroker } from './doctor-broker.js';
import { type GlobalOptions, wantsJson } from './context.js';
import { paint, toExitCode, toFindingText, writeJson } from './print.js';

export interface DoctorOptions extends GlobalOptions {
  readonly file?: string;
  readonly fix?: boolean;
}

interface Check {
  readonly name: string;
  /** Of what stands in the way; 0: nothing does. */
  readonly exitCode: number;
  readonly detail: string;
  readonly findings: readonly Finding[];
  /** What the gate would say to a run, where it was asked. */
  readonly allow?: boolean | undefined;
}

type Looked = { readonly detail: string; readonly findings?: readonly Finding[]; readonly allow?: boolean | undefined };

/** Exit codes: 0 nothing stands in the way · 1 something is broken or cannot be reached · 2 the gate would deny · 3 what it was given is invalid. */
export async function doctor(options: DoctorOptions): Promise<number> {
  const checks: Check[] = [];
  const check = async (name: string, look: () => Promise<Looked>): Promise<void> => {
    try {
      const { detail, findings = [], allow } = await look();
      const refused = findings.some(({ severity }) => severity === 'error');
      checks.push({ name, exitCode: refused ? toExitCode(toRefusal(findings)) : 0, detail, findings, allow });
    } catch (error) {
      const known = error instanceof BautaError ? error : undefined;
      const finding = known
        ? { code: known.code, severity: 'error' as const, where: known.where, message: known.message, hint: known.hint }
        : toFinding('UNEXPECTED', { name });
      checks.push({ name, exitCode: toExitCode(error), detail: 'failed', findings: [...(known?.findings ?? []), finding] });
    }
  };
  await check('Node', () => Promise.resolve({ detail: process.versions.node }));
  await check('settings', () => {
    parseSettings(process.env);
    return Promise.resolve({ detail: 'all fit' });
  });
  await check('kernels', () => {
    for (const name of ['line-digest', 'table-digest', 'search']) accessSync(packageFile('dist', 'kernel', `${name}.wasm`), constants.R_OK);
    return Promise.resolve({ detail: 'built' });
  });
  await check('policy', async () => {
    const settings = parseSettings(process.env);
    const policy = await openGatePolicy({ settings, home: options.home ?? settings.BAUTA_HOME, environment: process.env });
    await policy.close();
    return { detail: `bundle ${policy.bundle?.revision ?? 'unknown'}, digests fit` };
  });
  for (const name of ['BAUTA_EVENTS_BROKER', 'BAUTA_AGENT_BROKER'] as const) {
    // Settings that do not fit were told above.
    if (process.env[name] !== undefined) {
      const settings = (): Settings => parseSettings(process.env);
      await check(name === 'BAUTA_EVENTS_BROKER' ? 'events' : 'agent', () => checkBroker(settings()[name], settings(), process.env));
    }
  }
  const { file } = options;
  if (file !== undefined) await check('pipeline', () => checkPipeline({ ...options, file }));
  // What is broken comes before what is invalid: it may be why. A decision is neither, but no run gets past it.
  const codes = checks.map(({ exitCode, allow }) => (exitCode === 0 && allow === false ? 2 : exitCode)).filter((code) => code !== 0);
  const ok = codes.length === 0;
  const shown = checks.map(({ name, exitCode, detail, findings, allow }) => ({
    ...{ name, ok: exitCode === 0 && allow !== false, detail, findings },
  }));
  if (wantsJson(options)) writeJson({ ok, checks: shown, findings: checks.flatMap(({ findings }) => findings) });
  else {
    for (const { name, ok: fine, detail, findings } of shown) {
      process.stdout.write(`${fine ? paint('ok  ', 32, process.stdout) : paint('FAIL', 31, process.stdout)} ${name.padEnd(9)} ${detail}\n`);
      for (const finding of findings) process.stdout.write(`${toFindingText(finding)}\n`);
    }
  }
  return [1, 3, 2].find((code) => codes.includes(code)) ?? codes[0] ?? 0;
}

async function checkPipeline(options: DoctorOptions & { file: string }): Promise<Looked> {
  const { doors, request, verifiers, close } = await compose(options);
  try {
    const swept = options.fix === true ? await doors.target.sweep() : [];
    const settled = options.fix === true ? await settle(doors) : 0;
    const { findings, plan, decision } = await prepare(doors, request);
    const overdue = toOverdue(await readMarkedDatasets(doors, verifiers));
    const dropped = options.fix === true ? `; ${swept.length} left-overs of dead runs dropped, ${settled} of their intents settled` : '';
    return {
      detail: `${plan ? `${plan.tables.length} tables planned, gate says ${decision?.allow ? 'allow' : 'deny'}` : 'no plan'}${dropped}`,
      findings: [...findings, ...overdue],
      allow: decision?.allow,
    };
  } finally {
    await close();
  }
}
