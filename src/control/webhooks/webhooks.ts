// The door of webhooks: deliveries from outside.
export { WebhooksController } from './webhooks-controller.js';
