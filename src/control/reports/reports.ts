// The door of /v1/reports: what the service makes of its own log.
export { REPORT_MAKER, ReportMaker } from './report-maker.js';
export { ReportsController } from './reports-controller.js';
