// The door of notifications.
export { NotificationsController } from './notifications-controller.js';
export { Notifier, type NotifierOptions } from './notifier.js';
export { toWaitMs } from './send.js';
