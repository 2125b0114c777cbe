// Events of GitHub that say when they happened, and to which branch: GitHub signs no time, so that these alone can be told from old ones.

interface EventPlaces {
  /** Members on the way to the time: seconds since the epoch, or RFC 3339. */
  readonly time: readonly string[];
  readonly branch: readonly string[];
}

export const gitHubEvents: Readonly<Record<string, EventPlaces>> = {
  push: { time: ['repository', 'pushed_at'], branch: ['ref'] },
  pull_request: { time: ['pull_request', 'updated_at'], branch: ['pull_request', 'base', 'ref'] },
  release: { time: ['release', 'published_at'], branch: ['release', 'target_commitish'] },
  deployment: { time: ['deployment', 'updated_at'], branch: ['deployment', 'ref'] },
  deployment_status: { time: ['deployment_status', 'updated_at'], branch: ['deployment', 'ref'] },
  workflow_run: { time: ['workflow_run', 'updated_at'], branch: ['workflow_run', 'head_branch'] },
};
