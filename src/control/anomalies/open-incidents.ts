// A rule that names a playbook opens an incident about each copy that its anomaly is about: the dataset that it names, or every one of the environment.
import type { Clock } from '../../kernel/clock.js';
import type { Anomaly } from '../../pipeline/find-anomalies.js';
import type { Transaction } from '../../systems/metadata/metadata.js';
import { openIncident } from '../incidents/incidents.js';
import { findEnvironment } from '../runs/runs.js';

interface Started {
  readonly anomaly: string;
  readonly playbook: string;
  readonly clock: Clock;
}

export async function openIncidents(transaction: Transaction, one: Anomaly, { anomaly, playbook, clock }: Started): Promise<void> {
  const document = await transaction.documents.find({ kind: 'Watch', name: one.rule });
  const [answeredBy] = document ? await transaction.documents.authorsOf([document]) : [];
  if (answeredBy === undefined) return;
  for (const pipeline of await findPipelines(transaction, one)) {
    const opening = { rule: one.rule, pipeline, playbook, openedBy: null, answeredBy, anomaly };
    await openIncident(transaction, opening, clock);
  }
}

async function findPipelines(transaction: Transaction, { subject, environment, pipeline }: Anomaly): Promise<readonly string[]> {
  if (pipeline !== '') return [pipeline];
  const [, run] = /^run ([0-9a-z]{16})$/.exec(subject) ?? [];
  const known = run === undefined ? undefined : await transaction.runs.find(run);
  if (known) return [known.pipeline];
  if (environment === '') return [];
  const found: string[] = [];
  for (let after = ''; ;) {
    const page = await transaction.documents.list('Pipeline', 200, after);
    for (const { name } of page) if ((await findEnvironment(transaction, name)) === environment) found.push(name);
    if (page.length < 200) return found;
    after = page.at(-1)!.name;
  }
}
