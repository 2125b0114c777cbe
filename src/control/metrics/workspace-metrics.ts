// What the metadata database knows of one workspace and of the installation, asked when somebody asks: nothing is counted twice by replicas.
import { Gauge, Registry } from 'prom-client';

import { systemClock } from '../../kernel/clock.js';
import { readKeyAges } from '../../pipeline/key-view.js';
import { watchRules } from '../../pipeline/watch.js';
import { readSecretAges } from '../rotations/rotations.js';
import type { Metadata, Observation } from '../../systems/metadata/metadata.js';

/** Prometheus text. Another workspace's runs are not in it: row-level security counts them away. */
export async function workspaceMetrics(metadata: Metadata, workspaceId: string, silentMs: number): Promise<string> {
  const registry = new Registry();
  const gauge = (name: string, help: string, value: number): void => new Gauge({ name, help, registers: [registry] }).set(value);
  const observed: Observation = await metadata.observe(workspaceId, silentMs);
  const { states, datasets, ages, secrets, uncosigned, unanchored, anomalies, reports, incidents } = await metadata.within(
    workspaceId,
    async (transaction) => ({
      states: await transaction.runs.count(),
      datasets: await transaction.datasets.count(),
      ages: await readKeyAges((types) => transaction.log.standing(types), systemClock.now()),
      secrets: await readSecretAges(transaction, systemClock.now()),
      uncosigned: await transaction.log.uncosigned(),
      unanchored: await transaction.log.unanchored(),
      reports: await transaction.dailyReports.overdue(),
      incidents: await transaction.incidents.count(),
      anomalies: await transaction.anomalies.count(new Date(systemClock.now())),
    }),
  );
  const keys = new Gauge({
    ...{ name: 'bauta_key_age_seconds', help: 'Since the log knows the newest version of an environment’s keys.', registers: [registry] },
    labelNames: ['purpose', 'environment'],
  });
  for (const { purpose, environment, seconds } of ages) keys.set({ purpose, environment }, seconds);
  const logins = new Gauge({
    ...{ name: 'bauta_secret_age_seconds', help: 'Since the log knows the last rotation of a connection’s login.', registers: [registry] },
    labelNames: ['connection'],
  });
  for (const { connection, seconds } of secrets) logins.set({ connection }, seconds);
  const runs = new Gauge({ name: 'bauta_runs', help: 'Runs of the workspace, by state.', labelNames: ['state'], registers: [registry] });
  for (const { state, count } of states) runs.set({ state }, count);
  gauge('bauta_queue_depth', 'Runs that nobody works on yet.', observed.queued);
  gauge('bauta_queue_oldest_seconds', 'How long the oldest of them waits.', observed.oldestQueuedSeconds);
  gauge('bauta_workers', 'Workers whose heartbeat is heard.', observed.workers);
  gauge('bauta_audit_outbox', 'Audit entries of all workspaces that are not in the log yet.', observed.outbox);
  gauge('bauta_audit_outbox_oldest_seconds', 'How long the oldest of them waits.', observed.oldestOutboxSeconds);
  const events = new Gauge({
    ...{
      name: 'bauta_events_waiting',
      help: 'Audit entries of the workspace that a stream of events has not come to.',
      registers: [registry],
    },
    labelNames: ['stream'],
  });
  const late = new Gauge({
    ...{ name: 'bauta_events_oldest_seconds', help: 'How long the oldest of them waits.', registers: [registry] },
    labelNames: ['stream'],
  });
  for (const { stream, waiting, oldestSeconds } of observed.events) {
    events.set({ stream }, waiting);
    late.set({ stream }, oldestSeconds);
  }
  gauge('bauta_log_uncosigned', 'Entries of the newest log that no witness has seen.', uncosigned.entries);
  gauge('bauta_log_cosigned_seconds', 'Since witnesses cosigned it last; +Inf: never.', uncosigned.seconds ?? Infinity);
  setAnchors(registry, unanchored);
  const odd = new Gauge({
    ...{ name: 'bauta_anomalies', help: 'What was found odd in the log within a day, by rule.', registers: [registry] },
    labelNames: ['rule'],
  });
  for (const rule of watchRules) odd.set({ rule }, anomalies.find((one) => one.rule === rule)?.count ?? 0);
  gauge('bauta_daily_reports_due', 'Daily reports of days that are over and that are not made.', reports.count);
  gauge('bauta_daily_reports_due_seconds', 'Since the first of these days was over.', reports.seconds);
  gauge('bauta_incidents_open', 'Incidents that nobody has closed.', incidents.open);
  gauge('bauta_incidents_frozen', 'Incidents whose freeze stands, closed or not.', incidents.frozen);
  gauge('bauta_incident_steps_failed', 'Steps of open incidents that failed.', incidents.failedSteps);
  gauge('bauta_datasets', 'Published dataset versions that no newer one replaced.', datasets.current);
  gauge('bauta_datasets_expiring', 'Of these: expire so soon that channels were told.', datasets.expiring);
  gauge('bauta_datasets_expired', 'Of these: have expired.', datasets.expired);
  gauge('bauta_datasets_drifted', 'Of these: source schema, documents or policy are not what they were.', datasets.drifted);
  gauge('bauta_datasets_unlooked', 'Of these: the last look for drift could not see everything.', datasets.unlooked);
  gauge('bauta_dataset_expires_seconds', 'Until the first of them expires; +Inf: there is none.', datasets.expiresSeconds ?? Infinity);
  const sessions = new Gauge({
    ...{ name: 'bauta_metadata_sessions', help: 'Sessions of this process on the metadata database.', registers: [registry] },
    labelNames: ['state'],
  });
  for (const [state, count] of Object.entries(metadata.sessions())) sessions.set({ state }, count);
  return registry.metrics();
}

function setAnchors(
  registry: Registry,
  places: readonly { readonly place: string; readonly entries: number; readonly seconds: number }[],
): void {
  const labelled = (name: string, help: string): Gauge => new Gauge({ name, help, registers: [registry], labelNames: ['place'] });
  const behind = labelled('bauta_log_unanchored', 'Entries of the newest log that no checkpoint at a place covers.');
  const age = labelled('bauta_log_anchored_seconds', 'Since its newest checkpoint was put there.');
  for (const { place, entries, seconds } of places) {
    behind.set({ place }, entries);
    age.set({ place }, seconds);
  }
}
