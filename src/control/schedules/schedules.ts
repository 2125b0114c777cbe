// The door of schedules: when runs are due, and who asks for them then.
export { ScheduleTimer } from './schedule-timer.js';
export { Scheduler, type SchedulerOptions } from './scheduler.js';
export { SchedulesController } from './schedules-controller.js';
export { followSchedule } from './stored-schedule.js';
