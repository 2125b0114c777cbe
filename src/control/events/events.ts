// The door of /v1/events: how far the log has been published as events; and the publication itself, which a worker does.
export { EventPublication, type EventPublicationOptions, openEventPublication } from './event-publication.js';
export { EventsController } from './events-controller.js';
