// The door of errands: what a worker is asked for beside runs, because it alone may see the connections. A plan, the versions of a target, a roll-back.
export { ErrandClock } from './errand-clock.js';
export { ErrandWorker, type ErrandWorkerOptions } from './errand-worker.js';
export { type ErrandView, findErrand, settleLost, toErrandView, toThrown, viewProperties } from './find-errand.js';
export { type HandedErasure, type WantedErasure } from './carry-out-erasure.js';
export { handOver } from './hand-over.js';
export { requestCollection, requestErrand, requestKeyChange, requestQuarantine, requestRotation, wantedSchema } from './request-errand.js';
