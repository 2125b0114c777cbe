// The door of anomalies: the clock that watches the log, and what it found.
export { AnomaliesController } from './anomalies-controller.js';
export { AnomalyClock, type AnomalyClockOptions } from './anomaly-clock.js';
