// The door of incidents: opened, carried out step by step, closed by one and lifted by another.
export { IncidentClock, type IncidentClockOptions } from './incident-clock.js';
export { incidentConsequence } from './incident-consequence.js';
export { IncidentsController } from './incidents-controller.js';
export { type Opening, openIncident } from './open-incident.js';
