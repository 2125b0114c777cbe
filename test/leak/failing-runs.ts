// Runs composed as the command line composes them, one after the other, each with a fault: `node failing-runs.js ORDERS`, a JSON file with a list of
// orders. What a run says goes to stdout and stderr as ever, between lines that name it.
import { readFileSync } from 'node:fs';

import { compose } from '../../src/cli/compose.js';
import { carryOut } from '../../src/cli/run.js';
import { breakClassify, breakTransform, openGate, stageFaults } from './faults.js';

export interface Order {
  readonly name: string;
  /** The pipeline document. */
  readonly file: string;
  readonly environment: Readonly<Record<string, string>>;
  /** A stage's fault by its name; absent: the transform does what it does. */
  readonly stage?: string;
  /** Under a gate that says yes. */
  readonly gateOpen?: true;
  /** A transform that throws. */
  readonly transform?: string;
}

async function carryOutOne(order: Order): Promise<number> {
  const composed = await compose({ file: order.file, environment: { ...process.env, ...order.environment } });
  const opened = order.gateOpen ? openGate(composed) : composed;
  if (order.transform !== undefined) return carryOut(breakTransform(opened, order.transform), true);
  if (order.stage === 'classify scans') return carryOut(breakClassify(opened), true);
  const fault = order.stage === undefined ? undefined : stageFaults[order.stage];
  if (order.stage !== undefined && !fault) throw new Error(`there is no fault ${order.stage}`);
  return carryOut(fault ? { ...opened, doors: { ...opened.doors, ...fault(opened.doors) } } : opened, true);
}

for (const order of JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as Order[]) {
  process.stdout.write(`# ${order.name}\n`);
  process.stderr.write(`# ${order.name}\n`);
  process.stdout.write(`exit ${await carryOutOne(order)}\n`);
}
