// The door of datasets: the versions that a target has, and what the clock does to those that are published.
export { tellMark } from './tell-mark.js';
export { DatasetClock, type DatasetClockOptions } from './dataset-clock.js';
export { AttestationController } from './attestation-controller.js';
export { CurrentDatasetsController } from './current-datasets-controller.js';
export { holdConsequence } from './hold-consequence.js';
export { MarksController } from './marks-controller.js';
export { DatasetsController } from './datasets-controller.js';
export { datasetProperties, toDatasetView } from './dataset-view.js';
