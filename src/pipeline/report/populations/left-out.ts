// Types of entries that are in no population, and why: what is neither here nor there nobody has decided about, and a test says so.
const ofRun = 'a step of a run, whose beginning, decision and end are an item of `runs`';
const stateOfRun = 'a state that a run passed through; `runs` has its beginning and its end';

export const leftOut: Readonly<Record<string, string>> = {
  'source.seen': ofRun,
  'snapshot.opened': ofRun,
  'snapshot.joined': ofRun,
  'staging.swept': ofRun,
  'dataset.sent': ofRun,
  'dataset.not-reused': ofRun,
  'dataset.reused': ofRun,
  'gate.asked': 'the question that `plan.decided` answers; what the plan did to each column is in the reports',
  'run.planning': stateOfRun,
  'run.extracting': stateOfRun,
  'run.building': stateOfRun,
  'run.verifying': stateOfRun,
  'run.publishing': stateOfRun,
  'run.paused': stateOfRun,
  'run.awaiting-approval': 'a state that a run passed through; what it waited for is an item of `approvals`',
  'version.retired': 'the highest number that was ever given; the drop of the version is an item of `versions`',
  'secret.rotation-begun': '`secret.rotated` or `secret.rotation-failed` tells how it ended',
  'log.carried': 'an entry of a log that was deleted, told again; it is counted where it was told first',
};
