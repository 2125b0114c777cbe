// The door of metrics: what a process sees, what the metadata database knows, and GET /metrics.
export { countRequests } from './count-requests.js';
export { MetricsController, WorkerMetricsController } from './metrics-controller.js';
export { ProcessMetrics } from './process-metrics.js';
