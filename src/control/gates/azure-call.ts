// Azure DevOps' Invoke REST API in its mode `Callback`: the question is the whole of /decisions, and headers say which task waits. Pure.
import type { AzureCaller } from '../../pipeline/gate-callers.js';
import { type Delivery, one } from './call.js';

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** What the headers of the task are called, and how each has to look. */
export const azureHeaders = {
  PlanUrl: /^https:\/\/[\x21-\x7e]{1,300}$/,
  ProjectId: uuid,
  HubName: /^[A-Za-z]{1,40}$/,
  PlanId: uuid,
  JobId: uuid,
  TaskInstanceId: uuid,
  AuthToken: /^[\x21-\x7e]{1,8000}$/,
} as const;

export interface AzureTask {
  readonly place: Readonly<Record<'project' | 'hub' | 'plan' | 'job' | 'task', string>>;
  /** A bearer token of the job: good for as long as it runs. */
  readonly token: string;
}

/** The name of a header that is not there or is none; `foreign`: another organisation or project than the Gate names. */
export function readAzureTask(
  headers: Delivery['headers'],
  { organisation, projects }: AzureCaller,
): AzureTask | { missing: string } | 'foreign' {
  const said = Object.fromEntries(
    Object.keys(azureHeaders).map((name) => {
      const text = one(headers[name.toLowerCase()]);
      return [name, name.endsWith('Id') ? text.toLowerCase() : text];
    }),
  ) as Record<keyof typeof azureHeaders, string>;
  const missing = (Object.keys(azureHeaders) as (keyof typeof azureHeaders)[]).find((name) => !azureHeaders[name].test(said[name]));
  if (missing !== undefined) return { missing };
  const { PlanUrl, ProjectId: project, HubName: hub, PlanId: plan, JobId: job, TaskInstanceId: task, AuthToken: token } = said;
  // Looked at, and not used: where the answer goes is the Gate's.
  if (PlanUrl.replace(/\/+$/, '').toLowerCase() !== organisation.toLowerCase() || !projects.includes(project)) return 'foreign';
  return { place: { project, hub, plan, job, task }, token };
}
