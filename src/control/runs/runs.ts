// The door of runs: asked for over REST, worked on by whoever has time.
export { cancelRun } from './cancel-run.js';
export { runConsequence } from './run-approval.js';
export { toLook } from './look-at-source.js';
export { toDriftLook } from './look-for-drift.js';
export { toDataLook } from './look-at-data.js';
export { toExpiry } from './expire-datasets.js';
export { findDocuments, findEnvironment, requestRun, toNeeds, toWanted } from './request-run.js';
export { type StoredRequest, loadRequest } from './stored-request.js';
export { tagClasses } from './tag-classes.js';
export type { HolderOrder } from './run-succession.js';
export { type RunComposer } from './run-composer.js';
export { OutboxSink } from './outbox-sink.js';
export type { RunObserver } from './run-observer.js';
export { RunWorker, type RunWorkerOptions } from './run-worker.js';
export { toRunVault } from './run-vault.js';
export { RunsController } from './runs-controller.js';
