// The door of /v1/reports: what the service makes of its own log.
export { DailyReportClock } from './daily-report-clock.js';
export { DailyReportsController } from './daily-reports-controller.js';
export { REPORT_MAKER, ReportMaker } from './report-maker.js';
export { ReportsController } from './reports-controller.js';
export { RowsController } from './rows-controller.js';
