// The door of datasets: what the clock does to versions that are published.
export { DatasetClock, type DatasetClockOptions } from './dataset-clock.js';
